#include "cache/prefix_disk.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <utility>

namespace hadal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".prefix";
constexpr std::size_t kDigits = 16;

std::string NameOf(std::uint64_t file) { return fmt::format("{:016x}{}", file, kEnding); }

// The number of a file of ours; 0 of any other.
std::uint64_t NumberOf(const std::string& name) {
  std::uint64_t number = 0;
  const char* end = name.data() + std::min(name.size(), kDigits);
  std::from_chars(name.data(), end, number, 16);
  return NameOf(number) == name ? number : 0;
}

// What AtomicFile leaves where its process is killed.
bool IsTemporary(const std::string& name) {
  const std::size_t at = name.find(".tmp.");
  if (at == std::string::npos) return false;
  const std::string target = name.substr(0, at);
  return target == "index" || NumberOf(target) != 0;
}

}  // namespace

PrefixDisk::PrefixDisk(PrefixDiskOptions options, std::optional<FileLock> lock)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      budget_(options_.write_bytes_per_second, options_.write_burst_bytes) {}

PrefixDisk::~PrefixDisk() {
  if (!read_only()) SaveUses();
}

std::string PrefixDisk::PathOf(std::uint64_t file) const {
  return options_.folder + "/" + NameOf(file);
}

Result<std::unique_ptr<PrefixDisk>> PrefixDisk::Open(PrefixDiskOptions options) {
  std::error_code error;
  if (fs::create_directory(options.folder, error))
    fs::permissions(options.folder, fs::perms::owner_all, error);
  if (!IsDirectory(options.folder))
    return Failed(options.folder, error ? error.message() : "something that is not a folder",
                  "a folder for the prefix cache", "name another place (its parent must exist)");
  std::optional<FileLock> lock;
  // A folder that cannot be written to is read.
  if (auto tried = FileLock::Try(options.folder + "/lock"); tried.ok() && tried->held())
    lock.emplace(std::move(*tried));
  std::unique_ptr<PrefixDisk> disk(new PrefixDisk(std::move(options), std::move(lock)));
  HADAL_RETURN_IF_ERROR(disk->Scan());
  return disk;
}

Status PrefixDisk::Scan() {
  DiskUses uses;
  if (const auto index = ReadFile(options_.folder + "/index"); index.ok())
    if (auto parsed = ParseDiskIndex(std::as_bytes(std::span(*index))); parsed.ok())
      uses = std::move(*parsed);
  for (const auto& [file, use] : uses) next_use_ = std::max(next_use_, use + 1);
  std::map<std::uint64_t, std::uint64_t> files;  // to bytes
  std::error_code error;
  fs::directory_iterator at(options_.folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (IsTemporary(name) && !read_only()) fs::remove(at->path(), ignored);
    const std::uint64_t number = NumberOf(name);
    if (number == 0 || !at->is_regular_file(ignored)) continue;
    if (const std::uint64_t bytes = at->file_size(ignored); !ignored) files[number] = bytes;
  }
  if (error)
    return Failed(options_.folder, error.message(), "a folder that can be read",
                  "check its permissions, or name another one");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [file, bytes] : files) ScanFile(file, bytes, uses);
    if (!read_only()) EvictFor(0);
  }
  RemoveDoomed();
  return {};
}

void PrefixDisk::ScanFile(std::uint64_t file, std::uint64_t bytes, const DiskUses& uses) {
  next_file_ = std::max(next_file_, file + 1);
  const std::string path = PathOf(file);
  const auto start = ReadFilePart(path, 0, kRecordPreambleBytes);
  if (!start.ok()) return;  // the disk's failure says nothing about the file
  const auto header_bytes = RecordHeaderBytes(std::as_bytes(std::span(*start)), bytes);
  const auto header = header_bytes.ok() ? ReadFilePart(path, 0, *header_bytes) : start;
  if (!header.ok()) return;
  auto record = ParseRecord(std::as_bytes(std::span(*header)), bytes);
  const Status status = record.ok() ? Expected(*record, file) : record.status();
  if (!status.ok()) {
    ++(record.ok() && record->fingerprint != options_.fingerprint ? stats_.other_model
       : status.code() == Code::kUnsupported                      ? stats_.other_version
                                                                  : stats_.broken);
    doomed_.push_back(file);
    return;
  }
  Add(file, {record->space, record->tables.ids, record->Reach(), bytes});
  // A file that the index does not know yet is as old as its number.
  const auto use = uses.find(file);
  if (use == uses.end()) return;
  by_use_.erase(uses_.at(file));
  if (by_use_.count(use->second) > 0) return Use(file);
  uses_[file] = use->second;
  by_use_[use->second] = file;
}

// What makes a whole record another one than the file's.
Status PrefixDisk::Expected(const SnapshotRecord& record, std::uint64_t file) const {
  if (record.number != file)
    return Unusable(PathOf(file), "the content of " + NameOf(record.number), "its own",
                    "files were exchanged; the entry is dropped");
  if (record.fingerprint != options_.fingerprint)
    return Unusable(PathOf(file), "rows of another model or profile", "those of this one",
                    "give each model a folder of its own; the entry is dropped");
  return {};
}

ReachOf PrefixDisk::ReachOfEntries() const {
  return [this](std::uint64_t file) -> const CacheReach& { return entries_.at(file)->reach; };
}

void PrefixDisk::Add(std::uint64_t file, Entry entry) {
  stats_.bytes += entry.bytes;
  ++stats_.files;
  const std::uint64_t before = spaces_[entry.space].Put(entry.ids, file);
  entries_[file] = std::make_shared<const Entry>(std::move(entry));
  Use(file);
  if (before != 0) Drop(before);
}

void PrefixDisk::Use(std::uint64_t file) {
  if (const auto use = uses_.find(file); use != uses_.end()) by_use_.erase(use->second);
  uses_[file] = next_use_;
  by_use_[next_use_++] = file;
}

// The file is deleted by the RemoveDoomed that follows.
void PrefixDisk::Drop(std::uint64_t file) {
  const auto found = entries_.find(file);
  const Entry& entry = *found->second;
  const auto space = spaces_.find(entry.space);
  // A newer file may hold the same tokens by now.
  if (const std::uint64_t holder = space->second.Remove(entry.ids); holder != file && holder != 0)
    space->second.Put(entry.ids, holder);
  if (space->second.empty()) spaces_.erase(space);
  stats_.bytes -= entry.bytes;
  --stats_.files;
  by_use_.erase(uses_.at(file));
  uses_.erase(file);
  entries_.erase(found);
  doomed_.push_back(file);
}

// Deleting takes a file system long enough that Longest should not wait for it.
void PrefixDisk::RemoveDoomed() {
  std::vector<std::uint64_t> doomed;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    doomed.swap(doomed_);
  }
  if (read_only()) return;
  for (const std::uint64_t file : doomed) {
    std::error_code ignored;
    fs::remove(PathOf(file), ignored);
  }
}

// The index, and the one that replaces it.
std::uint64_t PrefixDisk::IndexBytes() const { return 2 * (64 + 16 * (entries_.size() + 1)); }

void PrefixDisk::EvictFor(std::uint64_t bytes) {
  while (!by_use_.empty() && stats_.bytes + bytes + IndexBytes() > options_.quota_bytes) {
    ++stats_.evicted;
    Drop(by_use_.begin()->second);
  }
}

DiskMatch PrefixDisk::Longest(std::string_view space, std::span<const std::int32_t> ids,
                              std::int64_t most_tokens) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = spaces_.find(space);
  if (found == spaces_.end() || most_tokens <= 0) return {};
  if (most_tokens < std::ssize(ids)) ids = ids.first(static_cast<std::size_t>(most_tokens));
  const BestPrefix best =
      FindBestPrefix(found->second, ids, options_.tied_tokens, ReachOfEntries());
  if (best.number != 0) Use(best.number);
  return {best.number, best.usable_tokens, best.common_tokens};
}

Result<StoredSnapshot> PrefixDisk::Load(const DiskMatch& match) {
  std::shared_ptr<const Entry> entry;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(match.file);
    if (found == entries_.end())
      return Unusable(PathOf(match.file), "an entry that was evicted meanwhile",
                      "one that is there", "its tokens are computed again");
    entry = found->second;
  }
  auto file = ReadFile(PathOf(match.file), entry->bytes);
  const bool read = file.ok();
  auto stored = read ? Check(match.file, *entry, std::move(*file)) : file.status();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stored.ok()) {
      ++stats_.loaded;
      stats_.read_bytes += stored->file.size();
      return stored;
    }
    // Where it was evicted meanwhile nothing is wrong; where it could not be read it stays.
    if (entries_.count(match.file) > 0) {
      ++(stored.status().code() == Code::kUnsupported ? stats_.other_version : stats_.broken);
      Drop(match.file);
      if (!read) doomed_.pop_back();
    }
  }
  RemoveDoomed();
  return stored;
}

Result<StoredSnapshot> PrefixDisk::Check(std::uint64_t file, const Entry& entry,
                                         std::string content) const {
  const std::string path = PathOf(file);
  StoredSnapshot stored;
  stored.file = std::move(content);
  const ByteSpan bytes = std::as_bytes(std::span(stored.file));
  auto record = ParseRecord(bytes, bytes.size());
  if (!record.ok()) return record.status().At(path);
  HADAL_RETURN_IF_ERROR(Expected(*record, file));
  if (record->space != entry.space || record->tables.ids != entry.ids)
    return Unusable(path, "another prefix", "the one that was stored", "the entry is dropped");
  stored.record = std::move(*record);
  if (!PayloadMatches(stored.record, stored.payload()))
    return Unusable(path, "rows that were changed", "those that were written",
                    "check the disk; the entry is dropped");
  return stored;
}

std::optional<DiskStored> PrefixDisk::Refusal(const SnapshotImage& image, std::uint64_t bytes,
                                              double now_seconds) {
  if (read_only()) return DiskStored::kReadOnly;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto space = spaces_.find(image.space());
    if (space != spaces_.end()) {
      const CoveredPrefixes found =
          FindCovered(space->second, image.ids(), image.Reach(), ReachOfEntries());
      if (found.covering != 0) {
        Use(found.covering);
        return DiskStored::kAlreadyThere;
      }
    }
    if (bytes + 2 * (64 + 16) > options_.quota_bytes) return DiskStored::kTooLarge;
  }
  if (paused_until_ && now_seconds < *paused_until_) return DiskStored::kPaused;
  const auto free_bytes = FreeDiskBytes(options_.folder);
  if (free_bytes.ok() && *free_bytes < options_.reserve_bytes + bytes) return DiskStored::kNoSpace;
  if (!budget_.Take(bytes, now_seconds)) return DiskStored::kOverBudget;
  return std::nullopt;
}

Status PrefixDisk::Write(const SnapshotImage& image, std::uint64_t file) {
  HADAL_ASSIGN_OR_RETURN(AtomicFile out, AtomicFile::Create(PathOf(file), true));
  HADAL_RETURN_IF_ERROR(image.WriteTo(file, options_.fingerprint, &out));
  return out.Commit();
}

Result<DiskStored> PrefixDisk::Store(const SnapshotImage& image, double now_seconds) {
  const std::lock_guard<std::mutex> writing(writing_);
  const std::uint64_t bytes = image.FileBytes(options_.fingerprint);
  if (const auto refusal = Refusal(image, bytes, now_seconds)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats_.refused += *refusal != DiskStored::kAlreadyThere;
    return *refusal;
  }
  std::uint64_t file = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    EvictFor(bytes);
    file = next_file_++;
  }
  RemoveDoomed();  // first: the quota holds at every moment
  if (const Status status = Write(image, file); !status.ok()) {
    paused_until_ = now_seconds + options_.retry_seconds;
    const std::lock_guard<std::mutex> lock(mutex_);
    ++stats_.failed_writes;
    return status;
  }
  paused_until_.reset();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++stats_.stored;
    stats_.written_bytes += bytes;
    const CacheReach reach = image.Reach();
    const CoveredPrefixes found =
        FindCovered(spaces_[image.space()], image.ids(), reach, ReachOfEntries());
    const auto ids = image.ids();
    Add(file, {image.space(), {ids.begin(), ids.end()}, reach, bytes});
    for (const std::uint64_t covered : found.covered)
      if (entries_.count(covered) > 0) Drop(covered);
  }
  RemoveDoomed();
  SaveUses();
  return DiskStored::kStored;
}

// Only the order of evictions hangs on it: a failure is none.
void PrefixDisk::SaveUses() {
  DiskUses uses;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    uses = uses_;
  }
  (void)WriteFileAtomically(options_.folder + "/index", EncodeDiskIndex(uses));
}

void PrefixDisk::Forget(std::string_view space) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::uint64_t> files;
    for (const auto& [file, entry] : entries_)
      if (entry->space == space) files.push_back(file);
    for (const std::uint64_t file : files) Drop(file);
  }
  RemoveDoomed();
}

PrefixDiskStats PrefixDisk::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

}  // namespace hadal
