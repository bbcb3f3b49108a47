#include "serve/model_catalog.h"

#include <filesystem>

namespace hadal {
namespace {

namespace fs = std::filesystem;

// FNV-1a, 64 bits: enough to notice a change, and nobody gains by a collision.
class Stamp {
 public:
  void Add(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) {
      hash_ = (hash_ ^ (value & 0xFF)) * 1099511628211u;
      value >>= 8;
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 14695981039346656037u;
};

// Independent of the order in which a directory lists its files.
std::uint64_t FileStamp(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) return 0;
  const auto time = fs::last_write_time(file, error).time_since_epoch().count();
  Stamp stamp;
  for (const char c : file.filename().string()) stamp.Add(static_cast<unsigned char>(c));
  stamp.Add(size);
  stamp.Add(static_cast<std::uint64_t>(time));
  return stamp.value();
}

}  // namespace

std::uint64_t FilesStamp(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return FileStamp(path);
  std::uint64_t sum = 0;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    sum += FileStamp(at->path());
  return sum;
}

ModelCatalog::ModelCatalog(const FactsOptions& options, std::string format_name)
    : read_([options](const std::string& path) { return ReadModelFacts(path, options); }),
      format_name_(std::move(format_name)) {}

Result<ModelFacts> ModelCatalog::Facts(const std::string& path) {
  const std::uint64_t stamp = FilesStamp(path);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto row = rows_.find(path);
    if (row != rows_.end() && row->second.stamp == stamp) return row->second.facts;
  }
  auto facts = read_(path);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (rows_.size() >= kMostRows) rows_.clear();
  rows_.insert_or_assign(path, Row{stamp, facts});
  return facts;
}

Result<Language> ModelCatalog::ReadLanguageOf(const std::string& path) const {
  return ReadLanguage(path, format_name_);
}

}  // namespace hadal
