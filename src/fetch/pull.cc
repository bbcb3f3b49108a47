#include "fetch/pull.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "base/sync_folder.h"
#include "fetch/choose_files.h"
#include "fetch/fetch_file.h"
#include "fetch/growing_file.h"
#include "fetch/pull_record.h"
#include "fetch/repository.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;
using Stage = PullProgress::Stage;

constexpr char kHidden[] = "/.pull";

// The folders of an unfinished pull.
struct Work {
  explicit Work(const std::string& folder, const std::string& name)
      : place(folder + "/" + name),
        root(folder + kHidden + "/" + name),
        lock(folder + kHidden + "/" + name + ".lock") {}
  std::string place;  // where the model will be
  std::string root, lock;
  std::string files() const { return root + "/files"; }
  std::string notes() const { return root + "/notes"; }
};

Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) return {};
  return Failed(path, error.message(), "a folder that can be written to",
                "check HADAL_HOME and its permissions");
}

Status Busy(const std::string& name) {
  return {Code::kBusy, name, "another pull of it that still runs", "one at a time",
          "wait for it, or end it: what it has fetched stays"};
}

// One pull, step by step.
class PullJob {
 public:
  PullJob(HubClient client, const HubName& name, const PullOptions& options, FileChoice choice)
      : client_(std::move(client)),
        name_(name),
        options_(options),
        choice_(std::move(choice)),
        work_(options.folder, choice_.local_name) {
    progress_.all_bytes = choice_.bytes();
  }

  Result<PulledModel> Run() {
    if (FileExists(work_.place) || FileExists(work_.place + ".gguf")) return WasThere();
    HADAL_RETURN_IF_ERROR(MakeFolder(options_.folder + kHidden));
    HADAL_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Try(work_.lock));
    if (!lock.held()) return Busy(choice_.local_name);
    if (FileExists(work_.place)) return WasThere();  // another one was just done
    HADAL_RETURN_IF_ERROR(Prepare());
    HADAL_RETURN_IF_ERROR(CheckRoom());
    HADAL_RETURN_IF_ERROR(FetchAll());
    HADAL_RETURN_IF_ERROR(CheckAll());
    HADAL_RETURN_IF_ERROR(Publish());
    return PulledModel{choice_.local_name, work_.place, choice_.bytes(), fetched_, false};
  }

 private:
  FilePlace PlaceOf(const HubFile& file) const {
    return {FileUrl(client_, name_, file), work_.files() + "/" + file.target,
            work_.notes() + "/" + file.target};
  }

  void Tell(Stage stage, const HubFile* file = nullptr, std::uint64_t done = 0) {
    progress_.stage = stage;
    progress_.file = file == nullptr ? "" : file->target;
    progress_.digest = file == nullptr ? "" : file->Digest();
    progress_.bytes = file == nullptr ? 0 : file->bytes;
    progress_.done = done;
    progress_.all_done = before_ + done;
    if (options_.on_progress) options_.on_progress(progress_);
  }

  Result<PulledModel> WasThere() const {
    const auto record = ReadFile(work_.place + "/" + kPullRecord, kMostListBytes);
    if (record.ok() && SameFiles(*record, name_, choice_))
      return PulledModel{choice_.local_name, work_.place, choice_.bytes(), 0, true};
    return UsageError(
        choice_.local_name,
        record.ok() ? "a model of this name with other files"
                    : "a model of this name that was not pulled",
        "a name that is free",
        "remove it with `hadal rm " + choice_.local_name + "`, or choose another name with --as");
  }

  // The folders, with what an earlier pull left of the same files, and nothing else.
  Status Prepare() {
    std::set<std::string> wanted;
    for (const HubFile& file : choice_.files) {
      wanted.insert(file.target);
      for (const std::string& folder : {work_.files(), work_.notes()})
        HADAL_RETURN_IF_ERROR(
            MakeFolder(fs::path(folder + "/" + file.target).parent_path().string()));
    }
    std::vector<fs::path> stale;
    std::error_code error;
    for (const std::string& folder : {work_.files(), work_.notes()})
      for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
           at.increment(error))
        if (!fs::is_directory(at->symlink_status()) &&
            !wanted.contains(at->path().lexically_relative(folder).string()))
          stale.push_back(at->path());
    for (const fs::path& path : stale) fs::remove(path, error);
    for (const HubFile& file : choice_.files) {
      HADAL_ASSIGN_OR_RETURN(const std::uint64_t kept, KeptBytes(PlaceOf(file), file));
      kept_.push_back(kept);
    }
    return {};
  }

  std::uint64_t MissingBytes() const {
    std::uint64_t there = 0;
    std::error_code error;
    for (const HubFile& file : choice_.files) {
      const std::uintmax_t bytes = fs::file_size(PlaceOf(file).path, error);
      if (!error) there += std::min<std::uint64_t>(bytes, file.bytes);
    }
    return choice_.bytes() - there;
  }

  Status CheckRoom() const {
    const std::uint64_t missing = MissingBytes();
    HADAL_ASSIGN_OR_RETURN(const std::uint64_t free, options_.free_bytes(options_.folder));
    if (free >= missing) return {};
    return NoRoom(options_.folder, fmt::format("{} free bytes", free),
                  fmt::format("{} for what is missing of {}", missing, choice_.local_name),
                  fmt::format("free {} bytes, or set HADAL_HOME to a folder on another disk",
                              missing - free));
  }

  RetryOptions Retry() {
    RetryOptions retry = options_.retry;
    retry.on_retry = [this](const std::string& note) {
      progress_.note = note;
      progress_.stage = Stage::kRetry;
      if (options_.on_progress) options_.on_progress(progress_);
    };
    return retry;
  }

  Status FetchOne(const HubFile& file, std::uint64_t kept) {
    Tell(Stage::kFile, &file, kept);
    const Status status = FetchFile(&client_, PlaceOf(file), file, Retry(),
                                    [&](std::uint64_t done) { Tell(Stage::kFile, &file, done); });
    if (!status.ok()) return WhatIsKept(status);
    fetched_ += file.bytes - kept;
    return {};
  }

  Status FetchAll() {
    before_ = 0;
    for (std::size_t i = 0; i < choice_.files.size(); ++i) {
      HADAL_RETURN_IF_ERROR(FetchOne(choice_.files[i], kept_[i]));
      before_ += choice_.files[i].bytes;
    }
    return {};
  }

  // What came stays on disk; the message says how much is still to come.
  Status WhatIsKept(const Status& status) const {
    const std::string hint = fmt::format(
        "{} of {} bytes are still missing, what came is kept: the same command goes on from there",
        MissingBytes(), choice_.bytes());
    return {status.code(), status.where(), status.found(), status.expected(),
            status.hint().empty() ? hint : status.hint() + "; " + hint};
  }

  Status CheckAll() {
    before_ = 0;
    for (std::size_t i = 0; i < choice_.files.size(); ++i) {
      const HubFile& file = choice_.files[i];
      HADAL_ASSIGN_OR_RETURN(bool right, Check(file));
      // What was begun in another pull is not trusted: it may have been changed since.
      if (!right && kept_[i] > 0) {
        kept_[i] = 0;
        HADAL_RETURN_IF_ERROR(Discard(file));
        HADAL_RETURN_IF_ERROR(FetchOne(file, 0));
        HADAL_ASSIGN_OR_RETURN(right, Check(file));
      }
      if (!right) {
        HADAL_RETURN_IF_ERROR(Discard(file));
        return Unusable(file.path, "a content that differs from the hub's " + file.Digest(),
                        "the file that the hub lists",
                        "it was removed; give the same command again, or choose another hub");
      }
      before_ += file.bytes;
    }
    return {};
  }

  Result<bool> Check(const HubFile& file) {
    Tell(Stage::kCheck, &file);
    return CheckFile(PlaceOf(file).path, file, options_.cancelled,
                     [&](std::uint64_t done) { Tell(Stage::kCheck, &file, done); });
  }

  Status Discard(const HubFile& file) const {
    HADAL_ASSIGN_OR_RETURN(GrowingFile growing, GrowingFile::Open(PlaceOf(file).path));
    return growing.Empty();
  }

  Status Publish() {
    before_ = choice_.bytes();
    Tell(Stage::kFinish);
    HADAL_RETURN_IF_ERROR(WriteFileAtomically(work_.files() + "/" + kPullRecord,
                                              PullRecord(client_.base(), name_, choice_)));
    for (const HubFile& file : choice_.files)
      SyncFolder(fs::path(PlaceOf(file).path).parent_path().string());
    std::error_code error;
    fs::rename(work_.files(), work_.place, error);
    if (error)
      return Failed(work_.place, error.message(), "a name that is free",
                    "remove what is there, then give the same command again");
    SyncFolder(options_.folder);
    fs::remove_all(work_.root, error);
    return {};
  }

  HubClient client_;
  const HubName name_;
  const PullOptions& options_;
  const FileChoice choice_;
  const Work work_;
  std::vector<std::uint64_t> kept_;  // bytes of each file that were there before
  PullProgress progress_;
  std::uint64_t before_ = 0;  // bytes of the files before the one at hand
  std::uint64_t fetched_ = 0;
};

FetchLimits LimitsOf(const PullOptions& options) {
  FetchLimits limits{
      .stall_seconds = options.stall_seconds, .deadline = {}, .cancelled = options.cancelled};
  if (options.deadline_seconds)
    limits.deadline = std::chrono::steady_clock::now() +
                      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                          std::chrono::duration<double>(*options.deadline_seconds));
  return limits;
}

}  // namespace

Result<PulledModel> Pull(const HubName& name, const PullOptions& options) {
  HADAL_ASSIGN_OR_RETURN(const std::string hub, ParseBase(options.hub));
  HADAL_ASSIGN_OR_RETURN(HubClient client, HubClient::Make(hub, options.token, LimitsOf(options)));
  if (options.on_progress) options.on_progress({});
  HADAL_ASSIGN_OR_RETURN(const std::vector<HubFile> list, ListFiles(&client, name, options.retry));
  HADAL_ASSIGN_OR_RETURN(FileChoice choice, ChooseFiles(list, name, options.as));
  return PullJob(std::move(client), name, options, std::move(choice)).Run();
}

Result<bool> RemoveUnfinished(const std::string& folder, const std::string& name) {
  const Work work(folder, name);
  if (!IsModelName(name) || !FileExists(work.root)) return false;
  HADAL_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Try(work.lock));
  if (!lock.held()) return Busy(name);
  std::error_code error;
  fs::remove_all(work.root, error);
  if (error)
    return Failed(work.root, error.message(), "a folder that can be removed",
                  "check its permissions, then give the same command again");
  return true;
}

}  // namespace hadal
