// Files: mapped for reading, read whole, and written so that a reader sees the old or the new
// content and never half of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"

namespace hadal {

// A file mapped read-only. Immutable after Open; any thread may read. The bytes stay valid as long
// as the object lives, so holders of views into it keep the shared_ptr.
class MappedFile {
 public:
  static Result<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  ByteSpan bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, ByteSpan bytes) : path_(std::move(path)), bytes_(bytes) {}
  std::string path_;
  ByteSpan bytes_;
};

// Reads a whole file; refuses one longer than `most_bytes` (metadata files have no reason to be
// huge).
Result<std::string> ReadFile(const std::string& path, std::uint64_t most_bytes = 1ull << 30);

// At most `bytes` bytes of a file from `offset` on: fewer where it ends before.
Result<std::string> ReadFilePart(const std::string& path, std::uint64_t offset,
                                 std::uint64_t bytes);

// Reads a whole file, unpacking gzip when its first bytes say so.
Result<std::string> ReadMaybeGzipped(const std::string& path,
                                     std::uint64_t most_bytes = 1ull << 30);

// Writes through a temporary file beside `path`, syncs it, and renames it over `path`.
// Nothing is left behind where any step fails.
class AtomicFile {
 public:
  // `owner_only`: others of the machine may not read it.
  static Result<AtomicFile> Create(const std::string& path, bool owner_only = false);
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();  // without Commit: removes the temporary file

  Status Write(ByteSpan bytes);
  Status Write(std::string_view text);
  Status Commit();
  std::uint64_t written_bytes() const { return written_bytes_; }

 private:
  AtomicFile(std::string path, std::string temporary, int descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}
  std::string path_, temporary_;
  int descriptor_ = -1;
  std::uint64_t written_bytes_ = 0;
};

Status WriteFileAtomically(const std::string& path, std::string_view content);

// One process at a time: holds a lock file that the system frees with the process, however it
// ends. The file stays; its content means nothing.
class FileLock {
 public:
  // False in `held()` where another holder has it; a failure where the file cannot be made.
  static Result<FileLock> Try(const std::string& path);
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();
  bool held() const { return descriptor_ >= 0; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);
Result<std::uint64_t> FreeDiskBytes(const std::string& directory);

// Reads the first bytes of a file past the page cache where the system allows it (measurement
// only).
struct TimedRead {
  std::uint64_t bytes = 0;
  double seconds = 0;
};
Result<TimedRead> ReadUncached(const std::string& path, std::uint64_t most_bytes);

}  // namespace hadal
