// The one file of `fetch` that makes file system calls of its own.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fetch/growing_file.h"

namespace hadal {

Result<GrowingFile> GrowingFile::Open(const std::string& path) {
  // O_NONBLOCK: a pipe of this name must not hold us up.
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (descriptor < 0)
    return Failed(path, std::strerror(errno), "a file that can be written to",
                  "check the folder's permissions");
  struct stat info{};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return Failed(path, "something that is not a regular file", "a regular file", "remove it");
  }
  return GrowingFile(path, descriptor, static_cast<std::uint64_t>(info.st_size));
}

GrowingFile::~GrowingFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status GrowingFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(bytes_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const bool full = errno == ENOSPC || errno == EFBIG || errno == EDQUOT;
      const std::string found = std::string("writing stopped: ") + std::strerror(errno);
      return full ? NoRoom(path_, found, "room on the disk", "free some")
                  : Failed(path_, found, "a disk that takes the data", "check the disk");
    }
    bytes_ += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Status GrowingFile::Empty() {
  if (::ftruncate(descriptor_, 0) != 0)
    return Failed(path_, std::strerror(errno), "a file that can be emptied", "check the disk");
  bytes_ = 0;
  return {};
}

Status GrowingFile::Sync() {
  if (::fsync(descriptor_) == 0) return {};
  return Failed(path_, std::string("sync failed: ") + std::strerror(errno),
                "a disk that takes the data", "check the disk");
}

}  // namespace hadal
