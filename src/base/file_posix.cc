// The one file of `base` that makes file system calls (POSIX: Linux and macOS).
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/sync_folder.h"

namespace hadal {
namespace {

std::string ErrorText() { return std::strerror(errno); }

// Closes on every path out of a function.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

// Opens a regular file for reading and tells its size.
Result<int> OpenRegular(const std::string& path, std::uint64_t* size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return Unusable(path, ErrorText(), "a readable file", "check the path and its permissions");
  struct stat info{};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return Unusable(path, "something that is not a regular file", "a regular file",
                    "name the file itself");
  }
  *size = static_cast<std::uint64_t>(info.st_size);
  return descriptor;
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  std::uint64_t size = 0;
  HADAL_ASSIGN_OR_RETURN(const int raw, OpenRegular(path, &size));
  const Descriptor descriptor{raw};
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(path, {}));
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.value, 0);
  if (address == MAP_FAILED)
    return NoRoom(path, "mapping failed: " + ErrorText(), std::to_string(size) + " mappable bytes",
                  "close other programs, or raise the limit of address space (ulimit -v)");
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, {static_cast<const std::byte*>(address), size}));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<std::string> ReadFile(const std::string& path, std::uint64_t most_bytes) {
  std::uint64_t size = 0;
  HADAL_ASSIGN_OR_RETURN(const int raw, OpenRegular(path, &size));
  const Descriptor descriptor{raw};
  if (size > most_bytes)
    return Unusable(path, std::to_string(size) + " bytes",
                    "at most " + std::to_string(most_bytes) + " bytes", "is it the right file?");
  std::string content(size, '\0');
  std::uint64_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor.value, content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return Unusable(path, "reading stopped: " + ErrorText(), "the whole file",
                      "check the disk, then fetch the file again");
    done += static_cast<std::uint64_t>(got);
  }
  return content;
}

Result<std::string> ReadFilePart(const std::string& path, std::uint64_t offset,
                                 std::uint64_t bytes) {
  std::uint64_t size = 0;
  HADAL_ASSIGN_OR_RETURN(const int raw, OpenRegular(path, &size));
  const Descriptor descriptor{raw};
  std::string content(offset < size ? std::min(bytes, size - offset) : 0, '\0');
  std::uint64_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::pread(descriptor.value, content.data() + done, content.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Unusable(path, "reading stopped: " + ErrorText(), "a readable file",
                      "check the disk, then try again");
    if (got == 0) break;  // it became shorter
    done += static_cast<std::uint64_t>(got);
  }
  content.resize(done);
  return content;
}

Result<std::string> ReadMaybeGzipped(const std::string& path, std::uint64_t most_bytes) {
  HADAL_ASSIGN_OR_RETURN(std::string packed, ReadFile(path, most_bytes));
  if (packed.size() < 2 || packed[0] != '\x1f' || packed[1] != '\x8b') return packed;
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;  // zlib: 16 asks for the gzip wrapper
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    return NoRoom(path, "no memory to unpack", "a few kilobytes of free memory",
                  "close other programs");
  std::string content;
  std::string buffer(1 << 18, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  int state = Z_OK;
  while (state == Z_OK && content.size() <= most_bytes) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    content.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || content.size() > most_bytes)
    return Unusable(path, "a damaged or oversized gzip stream",
                    "gzip that unpacks to at most " + std::to_string(most_bytes) + " bytes",
                    "the file is damaged; fetch it again");
  return content;
}

Result<AtomicFile> AtomicFile::Create(const std::string& path, bool owner_only) {
  const std::string temporary = path + ".tmp." + std::to_string(::getpid());
  const int descriptor =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only ? 0600 : 0644);
  if (descriptor < 0)
    return Failed(temporary, ErrorText(), "a folder that can be written to",
                  "name another place, or change the folder's permissions");
  return AtomicFile(path, temporary, descriptor);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      written_bytes_(other.written_bytes_) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

Status AtomicFile::Write(ByteSpan bytes) {
  HADAL_CHECK(descriptor_ >= 0, "write after commit");
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      return Failed(temporary_, "writing stopped: " + ErrorText(), "free disk space",
                    "free some, or name a folder on another disk");
    done += static_cast<std::size_t>(put);
  }
  written_bytes_ += bytes.size();
  return {};
}

Status AtomicFile::Write(std::string_view text) {
  return Write(ByteSpan(reinterpret_cast<const std::byte*>(text.data()), text.size()));
}

Status AtomicFile::Commit() {
  HADAL_CHECK(descriptor_ >= 0, "second commit");
  if (::fsync(descriptor_) != 0)
    return Failed(temporary_, "sync failed: " + ErrorText(), "a disk that takes the data",
                  "check the disk, or name a folder on another one");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    return Failed(path_, "rename failed: " + ErrorText(), "a folder in which files may be replaced",
                  "check the folder's permissions");
  ::close(std::exchange(descriptor_, -1));
  // The rename is durable once the folder is synced.
  SyncFolder(std::filesystem::path(path_).parent_path().string());
  return {};
}

void SyncFolder(const std::string& path) {
  const Descriptor folder{::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (folder.value >= 0) ::fsync(folder.value);
}

Status WriteFileAtomically(const std::string& path, std::string_view content) {
  HADAL_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  HADAL_RETURN_IF_ERROR(file.Write(content));
  return file.Commit();
}

Result<FileLock> FileLock::Try(const std::string& path) {
  Descriptor descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (descriptor.value < 0)
    return Failed(path, ErrorText(), "a folder that can be written to",
                  "name another place, or change the folder's permissions");
  int done = -1;
  do {
    done = ::flock(descriptor.value, LOCK_EX | LOCK_NB);
  } while (done != 0 && errno == EINTR);
  if (done == 0) return FileLock(std::exchange(descriptor.value, -1));
  if (errno == EWOULDBLOCK) return FileLock(-1);
  return Failed(path, "locking failed: " + ErrorText(), "a file system with locks",
                "name a folder on a local disk");
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool FileExists(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<std::uint64_t> FreeDiskBytes(const std::string& directory) {
  struct statvfs info{};
  if (::statvfs(directory.c_str(), &info) != 0)
    return Failed(directory, ErrorText(), "a folder on a mounted file system", "check the path");
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<TimedRead> ReadUncached(const std::string& path, std::uint64_t most_bytes) {
  int flags = O_RDONLY | O_CLOEXEC;
#ifdef O_DIRECT
  flags |= O_DIRECT;
#endif
  int raw = ::open(path.c_str(), flags);
  if (raw < 0) raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // no direct reads here
  if (raw < 0)
    return Unusable(path, ErrorText(), "a readable file", "check the path and its permissions");
  const Descriptor descriptor{raw};
  constexpr std::size_t kAlign = 4096, kChunk = 8u << 20;
  const std::unique_ptr<void, decltype(&std::free)> buffer(std::aligned_alloc(kAlign, kChunk),
                                                           &std::free);
  if (buffer == nullptr)
    return NoRoom(path, "no memory to read into", "room for one buffer", "close other programs");
  TimedRead done;
  const auto start = std::chrono::steady_clock::now();
  while (done.bytes < most_bytes) {
    const ssize_t got = ::read(descriptor.value, buffer.get(), kChunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done.bytes += static_cast<std::uint64_t>(got);
  }
  done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return done;
}

}  // namespace hadal
