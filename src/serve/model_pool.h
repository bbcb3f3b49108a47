// ModelPool: the models that may be served, and which of them are loaded.
//
// Two kinds: pinned ones, which somebody named when the server began, and those of the model
// folder. Whoever takes a model that is not loaded waits while a thread of the pool loads it, once
// for all that wait; a model that nobody uses goes when its time is up (keep_alive), when it is
// told to, or when another one needs its memory (the one that was used least recently first).
// Pinned ones go only when told to, and come back when they are asked for.
//
// What is handed out keeps the model: it is freed after the last answer that it gives, whatever
// became of its name and its files, and always on the pool's own thread. Any thread may call any
// function; none but Settle waits for a model or a file system's whole file.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model_folder.h"
#include "hadal/engine.h"
#include "serve/api_error.h"
#include "serve/keep_alive.h"
#include "serve/model_catalog.h"

namespace hadal {

// A model that answers. It stays loaded while `engine` is held.
struct ServedModel {
  std::string name;  // what clients call it
  std::shared_ptr<Engine> engine;
  std::int64_t created_seconds = 0;  // of its file, since 1970
};

struct ModelPoolOptions {
  // Loads a model, on the pool's thread. Null: nothing is loaded on demand.
  std::function<Result<std::shared_ptr<Engine>>(const std::string& name, const std::string& path)>
      open = {};
  std::uint64_t memory_bytes =
      0;  // of models that are loaded on demand and all others; 0: no bound
  KeepAlive keep_alive = std::chrono::minutes(5);  // where a request says nothing
  std::size_t most_waiting = 512;                  // requests, for models that are being loaded
  std::shared_ptr<ModelCatalog> catalog = std::make_shared<ModelCatalog>();
  // The clock of keep_alive. One that is moved by hand (tests) calls Wake when it has moved.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

class ModelPool {
 public:
  explicit ModelPool(ModelPoolOptions options = {});
  ~ModelPool();  // who waits hears that the server ends; what is in use is freed by its last user
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;

  // A model that is there already, and stays. The first one added is the default one.
  void AddPinned(ServedModel model);

  using Taker = std::function<void(ApiResult<ServedModel>)>;
  struct Taken {
    std::optional<ApiResult<ServedModel>> now;  // else the taker is called, once
    std::uint64_t waiting = 0;                  // for Cancel
  };
  // The model of a name (empty: the default one; with or without ":latest"), to be used. Where it
  // must be loaded first, `taker` is called on the pool's thread and must only hand on. Resets how
  // long the model stays: `keep_alive`, or the usual where it says nothing. 404; 429 where too many
  // wait; through the taker 503 where memory does not suffice, and what loading says.
  Taken Take(std::string_view name, std::optional<KeepAlive> keep_alive, Taker taker);
  // The taker is not called any more, or has been; a load that nobody waits for and that has not
  // begun does not begin.
  void Cancel(std::uint64_t waiting);

  // The model is freed once nobody uses it. False where it is not loaded.
  bool Unload(std::string_view name);
  // Its files are gone: nobody finds it any more, and it is freed once nobody uses it.
  void Forget(std::string_view name);

  struct Row {
    std::string name, path;
    std::int64_t created_seconds = 0;
    bool pinned = false, loading = false;
    // Null: not loaded. Holding it keeps the model in memory, but neither loaded nor in use.
    std::shared_ptr<Engine> engine = nullptr;
    KeepAlive expires_in = kKeepForever;  // of a loaded one, not negative
    std::uint64_t memory_bytes = 0;       // of a loaded one: files, what was made, contexts
  };
  // Pinned ones in their order, then those of the folder and those loaded from it, by name.
  std::vector<Row> Rows() const;
  // Loaded ones alone, without a look at the folder.
  std::vector<Row> LoadedRows() const;
  // 404 where there is none of the name.
  ApiResult<Row> Find(std::string_view name) const;
  bool IsPinned(std::string_view name) const;

  struct Counts {
    std::int64_t loaded = 0, loads = 0, failed_loads = 0, unloads = 0;
    std::int64_t waiting = 0;  // requests
    double load_seconds = 0;   // of all loads together
  };
  Counts counts() const;
  ModelCatalog& catalog() const;

  void Wake();
  // Waits until nothing is to be loaded or freed at this time of the clock but what is in use;
  // false where that takes longer.
  bool Settle(std::chrono::seconds most) const;

 private:
  class Core;
  const std::shared_ptr<Core> core_;  // what is handed out keeps it too
};

ApiError ModelNotFound(std::string_view name);
// To whoever waits for a model or an answer when the server ends.
ApiError ShuttingDownError();

}  // namespace hadal
