// GrowingFile: a file that is fetched, on disk. It keeps what it holds when it is closed, however
// that happens. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace hadal {

class GrowingFile {
 public:
  // Made where it is not there. A link and anything that is no regular file are refused.
  static Result<GrowingFile> Open(const std::string& path);
  GrowingFile(GrowingFile&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        bytes_(other.bytes_) {}
  GrowingFile& operator=(GrowingFile&&) = delete;
  ~GrowingFile();

  std::uint64_t bytes() const { return bytes_; }
  // kNoRoom where the disk is full or the file may not grow; what was written before stays.
  Status Append(std::string_view bytes);
  Status Empty();
  Status Sync();

 private:
  GrowingFile(std::string path, int descriptor, std::uint64_t bytes)
      : path_(std::move(path)), descriptor_(descriptor), bytes_(bytes) {}
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace hadal
