// Pull: a model of a hub into the model folder.
//
// It grows in FOLDER/.pull/NAME, which no list of models shows, and becomes FOLDER/NAME by one
// rename when every file is there, synced, and has been checked against the hub's checksums from
// its first byte on. A pull that ends before keeps what came; the next one goes on from there. One
// pull of a name at a time, over all processes. Functions may be called from any thread and take as
// long as the network does.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "fetch/hub_client.h"
#include "fetch/hub_name.h"

namespace hadal {

inline constexpr char kDefaultHub[] = "https://huggingface.co";

struct PullProgress {
  enum class Stage : unsigned char {
    kList,    // the hub is asked for its list
    kFile,    // `file` comes
    kCheck,   // files are checked; `digest` is that of `file`
    kFinish,  // it is put in its place
    kRetry,   // `note` says what failed
  };
  Stage stage = Stage::kList;
  std::string file = {}, digest = {}, note = {};
  std::uint64_t done = 0, bytes = 0;          // of the file
  std::uint64_t all_done = 0, all_bytes = 0;  // of all files
};

struct PullOptions {
  std::string folder;             // the model folder; made where it is not there
  std::string hub = kDefaultHub;  // its address
  std::string token = {};         // for models that need one; sent to the hub's own host alone
  std::string as = {};            // the model's name in the folder; "" is the hub's name for it
  double stall_seconds = 30;
  RetryOptions retry = {};
  std::optional<double> deadline_seconds = {};  // of the whole pull
  std::function<bool()> cancelled = {};         // asked about ten times a second
  std::function<void(const PullProgress&)> on_progress = {};
  // What a folder's file system has left; tests say something else.
  std::function<Result<std::uint64_t>(const std::string&)> free_bytes = FreeDiskBytes;
};

struct PulledModel {
  std::string name, path;     // in the folder
  std::uint64_t bytes = 0;    // of its files
  std::uint64_t fetched = 0;  // of these now
  bool was_there = false;     // the same model, with the files that the hub lists now
};

// kUsage where the name is wrong or taken by another model, kUnusable where the hub has no such
// model or what it sends is not what it lists, kNoRoom (with the bytes needed and there) before or
// while writing, kBusy where another process pulls it, kCancelled, kDeadline, kFailed else.
Result<PulledModel> Pull(const HubName& name, const PullOptions& options);

// Removes what an unfinished pull of this name has left. False where there is nothing; kBusy where
// it still runs.
Result<bool> RemoveUnfinished(const std::string& folder, const std::string& name);

}  // namespace hadal
