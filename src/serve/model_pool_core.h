// What stands behind ModelPool: its state, and the thread that loads and frees. Internal to
// model_pool.cc and model_pool_core.cc.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "serve/model_pool.h"
#include "serve/model_room.h"

namespace hadal {

class ModelPool::Core : public std::enable_shared_from_this<Core> {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // What a name stands for, loaded or not.
  struct Known {
    std::string name, path;
    std::int64_t created_seconds = 0;
    bool pinned = false;
  };

  explicit Core(ModelPoolOptions given) : options(std::move(given)) {}
  void Begin() {
    keeper_ = std::thread([this] { Keep(); });
  }
  void Stop();

  void AddPinned(ServedModel model);
  Taken Take(std::string_view name, std::optional<KeepAlive> keep_alive, Taker taker);
  void Cancel(std::uint64_t waiting);
  bool Unload(std::string_view name);
  void Forget(std::string_view name);
  std::vector<Row> LoadedRows();
  // Pinned ones and those that are being loaded, whether loaded or not.
  std::vector<Row> KnownRows();
  std::optional<Known> FindPinned(std::string_view name) const;
  Counts counts() const;
  void Wake();
  bool Settle(std::chrono::seconds most);

  const ModelPoolOptions options;

 private:
  // A loaded model. Guarded by the pool's mutex; `engine` is freed by nobody else.
  struct Held {
    Known known;
    std::shared_ptr<Engine> engine;
    std::uint64_t stamp = 0;       // of its files when they were opened
    std::uint64_t file_bytes = 0;  // mapped, and what was made of them
    KeepAlive keep_alive = kKeepForever;
    Time last_used = {};
    int uses = 0, looks = 0;  // that were handed out
    bool leaving = false;     // nobody finds it any more
  };
  using SharedHeld = std::shared_ptr<Held>;
  struct Waiter {
    std::uint64_t id = 0;
    Taker taker;
  };
  struct Load {
    Known known;
    std::optional<KeepAlive> keep_alive = std::nullopt;
    std::vector<Waiter> waiters = {};
    bool forgotten = false;
  };
  struct Opened {
    std::shared_ptr<Engine> engine;
    std::uint64_t stamp = 0, file_bytes = 0;
  };
  using Calls = std::vector<std::pair<Taker, ApiResult<ServedModel>>>;
  enum class Use : unsigned char { kAsk, kLook };

  // With the lock held.
  std::string FullName(std::string_view name) const;
  std::shared_ptr<Engine> Lend(const SharedHeld& held, Use use);
  ServedModel Serve(const SharedHeld& held);
  std::optional<ServedModel> TakeLoaded(const std::string& name,
                                        std::optional<KeepAlive> keep_alive);
  std::shared_ptr<Load> FindLoad(const std::string& name) const;
  void Leave(SharedHeld held);
  KeepAlive Stay(const Known& known, std::optional<KeepAlive> asked) const;
  bool Expired(const Held& held, Time now) const;
  KeepAlive ExpiresIn(const Held& held, Time now) const;
  bool Settled() const;
  Row RowOf(const SharedHeld& held);

  // Without it.
  void Return(const SharedHeld& held, Use use);
  void DropIfReplaced(std::string_view name);

  // The keeper's, which takes the lock on its own.
  void Keep();
  bool FreeDead(std::unique_lock<std::mutex>* lock);
  bool ExpireSome();
  void WaitForWork(std::unique_lock<std::mutex>* lock);
  void LoadNext(std::unique_lock<std::mutex>* lock);
  Result<Opened> OpenModel(const Known& known);
  Status MakeRoom(const Known& known, const ModelFacts& facts);
  std::optional<std::vector<SharedHeld>> ChooseLeaving(std::uint64_t needed, std::uint64_t* used);
  bool FreeChosen(const std::vector<SharedHeld>& leaving);
  Calls Finish(Load* load, Result<Opened> opened, const ApiError& failure);

  mutable std::mutex mutex_;
  std::condition_variable work_;             // for the keeper
  mutable std::condition_variable settled_;  // for Settle
  std::vector<Known> pinned_;                // in the order in which they were added
  std::map<std::string, SharedHeld> held_;   // loaded, by bare name
  std::set<SharedHeld> all_;                 // those, and those that leave
  std::vector<SharedHeld> dead_;             // to be freed
  std::deque<std::shared_ptr<Load>> loads_;  // to be begun
  std::shared_ptr<Load> current_;            // begun
  std::uint64_t next_waiter_ = 0;
  std::size_t waiting_ = 0;
  Counts counts_;
  bool freeing_ = false, stopping_ = false, ended_ = false;
  std::thread keeper_;
};

}  // namespace hadal
