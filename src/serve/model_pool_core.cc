#include "serve/model_pool_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "serve/model_name.h"
#include "serve/ollama_folder.h"

namespace hadal {
namespace {

constexpr int kFullComeBackSeconds = 2, kNoRoomComeBackSeconds = 5;
constexpr std::chrono::seconds kMostLookTime{10};

std::uint64_t Add(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

std::string Megabytes(std::uint64_t bytes) {
  return fmt::format("{:.0f} MB", std::ceil(static_cast<double>(bytes) / 1e6));
}

// A model that cannot be loaded is nobody's fault who asks for it.
ApiError LoadFailure(const Status& status, const std::string& name) {
  if (status.code() == Code::kNoRoom) {
    ApiError error = ErrorOf(status);
    error.retry_after_seconds = kNoRoomComeBackSeconds;
    return error;
  }
  if (!FindListedModel(name)) return ModelNotFound(name);  // it went while it was loaded
  return {.kind = ErrorKind::kInternal,
          .message = "model '" + name + "' cannot be loaded: " + status.ToString(),
          .param = "model",
          .code = "model_load_failed"};
}

}  // namespace

std::string ModelPool::Core::FullName(std::string_view name) const {
  if (name.empty() && !pinned_.empty()) return std::string(BareModelName(pinned_[0].name));
  return std::string(BareModelName(name));
}

void ModelPool::Core::AddPinned(ServedModel model) {
  const auto held = std::make_shared<Held>();
  const std::string path = model.engine->info().path;
  held->known = {model.name, path, model.created_seconds, true};
  if (!path.empty()) {
    if (const auto facts = options.catalog->Facts(path); facts.ok())
      held->file_bytes = Add(facts->mapped_bytes, facts->own_bytes);
    held->stamp = FilesStamp(path);
  }
  held->engine = std::move(model.engine);
  const std::lock_guard<std::mutex> lock(mutex_);
  held->last_used = options.now();
  pinned_.push_back(held->known);
  held_.insert_or_assign(std::string(BareModelName(held->known.name)), held);
  all_.insert(held);
}

// A pinned model's time is up only where somebody says so.
KeepAlive ModelPool::Core::Stay(const Known& known, std::optional<KeepAlive> asked) const {
  if (known.pinned) return asked == KeepAlive(0) ? KeepAlive(0) : kKeepForever;
  return asked.value_or(options.keep_alive);
}

std::shared_ptr<Engine> ModelPool::Core::Lend(const SharedHeld& held, Use use) {
  ++(use == Use::kAsk ? held->uses : held->looks);
  return {held->engine.get(),
          [core = shared_from_this(), held, use](Engine*) { core->Return(held, use); }};
}

ServedModel ModelPool::Core::Serve(const SharedHeld& held) {
  return {.name = held->known.name,
          .engine = Lend(held, Use::kAsk),
          .created_seconds = held->known.created_seconds};
}

void ModelPool::Core::Return(const SharedHeld& held, Use use) {
  std::shared_ptr<Engine> last;  // freed here only once the pool has ended
  const std::lock_guard<std::mutex> lock(mutex_);
  --(use == Use::kAsk ? held->uses : held->looks);
  if (use == Use::kAsk && held->uses == 0) held->last_used = options.now();
  if (held->leaving && held->uses + held->looks == 0) {
    if (ended_) {
      last = std::move(held->engine);
      all_.erase(held);
    } else {
      dead_.push_back(held);
    }
  }
  work_.notify_all();
  settled_.notify_all();
}

std::optional<ServedModel> ModelPool::Core::TakeLoaded(const std::string& name,
                                                       std::optional<KeepAlive> keep_alive) {
  const auto held = held_.find(name);
  if (held == held_.end()) return std::nullopt;
  held->second->keep_alive = Stay(held->second->known, keep_alive);
  return Serve(held->second);
}

std::shared_ptr<ModelPool::Core::Load> ModelPool::Core::FindLoad(const std::string& name) const {
  const auto wanted = [&name](const std::shared_ptr<Load>& load) {
    return !load->forgotten && BareModelName(load->known.name) == name;
  };
  if (current_ != nullptr && wanted(current_)) return current_;
  const auto load = std::find_if(loads_.begin(), loads_.end(), wanted);
  return load == loads_.end() ? nullptr : *load;
}

std::optional<ModelPool::Core::Known> ModelPool::Core::FindPinned(std::string_view name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Known& known : pinned_)
    if (name.empty() || BareModelName(known.name) == BareModelName(name)) return known;
  return std::nullopt;
}

// Whose files are others now is not the model of that name any more.
void ModelPool::Core::DropIfReplaced(std::string_view name) {
  SharedHeld held;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = held_.find(FullName(name));
    if (found == held_.end() || found->second->known.pinned) return;
    held = found->second;
  }
  if (FilesStamp(held->known.path) == held->stamp) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!held->leaving) Leave(held);
}

ModelPool::Taken ModelPool::Core::Take(std::string_view name, std::optional<KeepAlive> keep_alive,
                                       Taker taker) {
  DropIfReplaced(name);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (auto model = TakeLoaded(FullName(name), keep_alive)) return {.now = *std::move(model)};
  }
  std::optional<Known> known = FindPinned(name);
  if (!known)
    if (const auto listed = FindListedModel(name))
      known = Known{listed->name, listed->path, ChangedSeconds(listed->path)};
  if (!known || !options.open) return {.now = ModelNotFound(name)};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) return {.now = ShuttingDownError()};
  const std::string bare(BareModelName(known->name));
  if (auto model = TakeLoaded(bare, keep_alive)) return {.now = *std::move(model)};
  if (waiting_ >= options.most_waiting)
    return {.now = ApiError{.kind = ErrorKind::kRateLimited,
                            .message = "too many requests wait for models that are being loaded",
                            .code = "queue_full",
                            .retry_after_seconds = kFullComeBackSeconds}};
  auto load = FindLoad(bare);
  if (load == nullptr) {
    load = std::make_shared<Load>(Load{.known = *std::move(known)});
    loads_.push_back(load);
    work_.notify_all();
  }
  load->keep_alive = keep_alive;
  load->waiters.push_back({++next_waiter_, std::move(taker)});
  ++waiting_;
  return {.now = std::nullopt, .waiting = next_waiter_};
}

void ModelPool::Core::Cancel(std::uint64_t waiting) {
  Taker taker;  // goes without the lock: an exchange may hang on it
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto cancel = [&](Load* load) {
    const auto waiter = std::find_if(load->waiters.begin(), load->waiters.end(),
                                     [waiting](const Waiter& w) { return w.id == waiting; });
    if (waiter == load->waiters.end()) return false;
    taker = std::move(waiter->taker);
    load->waiters.erase(waiter);
    --waiting_;
    return true;
  };
  if (current_ != nullptr && cancel(current_.get())) return;
  for (auto load = loads_.begin(); load != loads_.end(); ++load) {
    if (!cancel(load->get())) continue;
    if ((*load)->waiters.empty()) loads_.erase(load);
    settled_.notify_all();
    return;
  }
}

void ModelPool::Core::Leave(SharedHeld held) {
  held->leaving = true;
  const auto named = held_.find(std::string(BareModelName(held->known.name)));
  if (named != held_.end() && named->second == held) held_.erase(named);
  if (held->uses + held->looks == 0) dead_.push_back(std::move(held));
  work_.notify_all();
}

bool ModelPool::Core::Unload(std::string_view name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string full = FullName(name);
  if (const auto load = FindLoad(full)) load->keep_alive = KeepAlive(0);
  const auto found = held_.find(full);
  if (found == held_.end()) return false;
  const SharedHeld held = found->second;
  held->keep_alive = KeepAlive(0);
  if (held->uses == 0) Leave(held);
  return true;
}

void ModelPool::Core::Forget(std::string_view name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string full = FullName(name);
  if (const auto load = FindLoad(full)) load->forgotten = true;
  if (const auto found = held_.find(full); found != held_.end()) Leave(SharedHeld(found->second));
}

KeepAlive ModelPool::Core::ExpiresIn(const Held& held, Time now) const {
  if (held.keep_alive == kKeepForever) return kKeepForever;
  const auto idle = held.uses > 0 ? KeepAlive(0) : KeepAlive(now - held.last_used);
  return std::max(KeepAlive(0), held.keep_alive - idle);
}

bool ModelPool::Core::Expired(const Held& held, Time now) const {
  return held.uses == 0 && ExpiresIn(held, now) == KeepAlive(0);
}

ModelPool::Row ModelPool::Core::RowOf(const SharedHeld& held) {
  return {.name = held->known.name,
          .path = held->known.path,
          .created_seconds = held->known.created_seconds,
          .pinned = held->known.pinned,
          .engine = Lend(held, Use::kLook),
          .expires_in = ExpiresIn(*held, options.now()),
          .memory_bytes = held->file_bytes};
}

std::vector<ModelPool::Row> ModelPool::Core::LoadedRows() {
  std::vector<Row> rows;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [name, held] : held_) rows.push_back(RowOf(held));
  }
  for (Row& row : rows)
    row.memory_bytes = Add(row.memory_bytes, row.engine->counters().cache_allocated_bytes);
  return rows;
}

std::vector<ModelPool::Row> ModelPool::Core::KnownRows() {
  std::vector<Row> loaded = LoadedRows();
  std::vector<Row> rows;
  const auto take = [&loaded](const std::string& name) -> std::optional<Row> {
    const auto row = std::find_if(loaded.begin(), loaded.end(),
                                  [&name](const Row& other) { return other.name == name; });
    if (row == loaded.end()) return std::nullopt;
    Row taken = std::move(*row);
    loaded.erase(row);
    return taken;
  };
  const auto describe = [](const Known& known) {
    return Row{.name = known.name,
               .path = known.path,
               .created_seconds = known.created_seconds,
               .pinned = known.pinned};
  };
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Known& known : pinned_) {
    auto row = take(known.name);
    rows.push_back(row ? *std::move(row) : describe(known));
  }
  for (Row& row : loaded) rows.push_back(std::move(row));
  std::vector<std::shared_ptr<Load>> loads(loads_.begin(), loads_.end());
  if (current_ != nullptr) loads.push_back(current_);
  for (const auto& load : loads) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&load](const Row& other) {
      return other.name == load->known.name;
    });
    (row == rows.end() ? rows.emplace_back(describe(load->known)) : *row).loading = true;
  }
  return rows;
}

ModelPool::Counts ModelPool::Core::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Counts counts = counts_;
  counts.loaded = std::ssize(held_);
  counts.waiting = static_cast<std::int64_t>(waiting_);
  return counts;
}

void ModelPool::Core::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  work_.notify_all();
}

bool ModelPool::Core::Settled() const {
  if (!loads_.empty() || current_ != nullptr || !dead_.empty() || freeing_) return false;
  const Time now = options.now();
  return std::none_of(held_.begin(), held_.end(),
                      [&](const auto& held) { return Expired(*held.second, now); });
}

bool ModelPool::Core::Settle(std::chrono::seconds most) {
  std::unique_lock<std::mutex> lock(mutex_);
  return settled_.wait_for(lock, most, [this] { return Settled(); });
}

void ModelPool::Core::Stop() {
  Calls calls;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (current_ != nullptr) loads_.push_back(current_);
    for (const auto& load : loads_)
      for (Waiter& waiter : load->waiters)
        calls.emplace_back(std::move(waiter.taker), ShuttingDownError());
    for (const auto& load : loads_) load->waiters.clear();
    loads_.clear();
    waiting_ = 0;
    while (!held_.empty()) Leave(SharedHeld(held_.begin()->second));
    work_.notify_all();
  }
  for (auto& [taker, result] : calls) taker(std::move(result));
  keeper_.join();
}

// The keeper.

void ModelPool::Core::Keep() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    if (FreeDead(&lock) || ExpireSome()) continue;
    if (stopping_) break;
    if (!loads_.empty()) {
      LoadNext(&lock);
      continue;
    }
    settled_.notify_all();
    WaitForWork(&lock);
  }
  ended_ = true;
  settled_.notify_all();
}

bool ModelPool::Core::FreeDead(std::unique_lock<std::mutex>* lock) {
  if (dead_.empty()) return false;
  std::vector<SharedHeld> dead;
  dead.swap(dead_);
  freeing_ = true;
  lock->unlock();
  for (const SharedHeld& held : dead) held->engine.reset();
  lock->lock();
  for (const SharedHeld& held : dead) all_.erase(held);
  counts_.unloads += std::ssize(dead);
  freeing_ = false;
  settled_.notify_all();
  return true;
}

bool ModelPool::Core::ExpireSome() {
  const Time now = options.now();
  std::vector<SharedHeld> expired;
  for (const auto& [name, held] : held_)
    if (Expired(*held, now)) expired.push_back(held);
  for (const SharedHeld& held : expired) Leave(held);
  return !expired.empty();
}

void ModelPool::Core::WaitForWork(std::unique_lock<std::mutex>* lock) {
  const Time now = options.now();
  KeepAlive next = std::chrono::hours(1);
  for (const auto& [name, held] : held_)
    if (held->uses == 0) next = std::min(next, ExpiresIn(*held, now));
  work_.wait_for(*lock, next);
}

void ModelPool::Core::LoadNext(std::unique_lock<std::mutex>* lock) {
  const std::shared_ptr<Load> load = current_ = loads_.front();
  loads_.pop_front();
  lock->unlock();
  const Time begin = std::chrono::steady_clock::now();
  auto opened = OpenModel(load->known);
  const ApiError failure =
      opened.ok() ? ApiError() : LoadFailure(opened.status(), load->known.name);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  lock->lock();
  counts_.load_seconds += seconds.count();
  ++(opened.ok() ? counts_.loads : counts_.failed_loads);
  Calls calls = Finish(load.get(), std::move(opened), failure);
  current_ = nullptr;
  lock->unlock();
  for (auto& [taker, result] : calls) taker(std::move(result));
  calls.clear();
  lock->lock();
}

ModelPool::Core::Calls ModelPool::Core::Finish(Load* load, Result<Opened> opened,
                                               const ApiError& failure) {
  SharedHeld held;
  if (opened.ok()) {
    held = std::make_shared<Held>();
    held->known = load->known;
    held->engine = std::move(opened->engine);
    held->stamp = opened->stamp;
    held->file_bytes = opened->file_bytes;
    held->keep_alive = Stay(load->known, load->keep_alive);
    held->last_used = options.now();
    all_.insert(held);
    if (!load->forgotten && !stopping_)
      held_.insert_or_assign(std::string(BareModelName(held->known.name)), held);
  }
  Calls calls;
  for (Waiter& waiter : load->waiters) {
    ApiResult<ServedModel> result = failure;
    if (load->forgotten)
      result = ModelNotFound(load->known.name);
    else if (stopping_)
      result = ShuttingDownError();
    else if (held != nullptr)
      result = Serve(held);
    calls.emplace_back(std::move(waiter.taker), std::move(result));
  }
  waiting_ -= load->waiters.size();
  load->waiters.clear();
  if (held != nullptr && (load->forgotten || stopping_)) Leave(held);
  return calls;
}

Result<ModelPool::Core::Opened> ModelPool::Core::OpenModel(const Known& known) {
  Opened opened;
  opened.stamp = FilesStamp(known.path);
  HADAL_ASSIGN_OR_RETURN(const ModelFacts facts, options.catalog->Facts(known.path));
  opened.file_bytes = Add(facts.mapped_bytes, facts.own_bytes);
  HADAL_RETURN_IF_ERROR(MakeRoom(known, facts));
  HADAL_ASSIGN_OR_RETURN(opened.engine, options.open(known.name, known.path));
  return opened;
}

Status ModelPool::Core::MakeRoom(const Known& known, const ModelFacts& facts) {
  if (options.memory_bytes == 0) return {};
  const std::uint64_t needed = Add(Add(facts.mapped_bytes, facts.own_bytes), facts.cache_bytes);
  std::uint64_t used = 0;
  while (const auto leaving = ChooseLeaving(needed, &used))
    if (FreeChosen(*leaving)) return {};
  // What somebody named when the server began was not measured then, and is not refused now.
  if (known.pinned) return {};
  return NoRoom("model '" + known.name + "'",
                Megabytes(options.memory_bytes - std::min(options.memory_bytes, used)) +
                    " free of " + Megabytes(options.memory_bytes) +
                    " for models, and not enough that is idle",
                Megabytes(needed),
                "try again when answers of other models have ended, or serve with more "
                "(--memory-mb)");
}

std::optional<std::vector<ModelPool::Core::SharedHeld>> ModelPool::Core::ChooseLeaving(
    std::uint64_t needed, std::uint64_t* used) {
  std::vector<SharedHeld> holders;
  std::vector<std::shared_ptr<Engine>> engines;
  std::vector<RoomRow> rows;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const SharedHeld& held : all_) {
      holders.push_back(held);
      engines.push_back(held->engine);
      const bool may_go = held->uses == 0 && (held->leaving || !held->known.pinned);
      rows.push_back({held->file_bytes, may_go, held->last_used.time_since_epoch().count()});
    }
  }
  *used = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (engines[i] != nullptr)
      rows[i].bytes = Add(rows[i].bytes, engines[i]->counters().cache_allocated_bytes);
    *used = Add(*used, rows[i].bytes);
  }
  const auto chosen = ChooseToUnload(options.memory_bytes, needed, rows);
  if (!chosen) return std::nullopt;
  std::vector<SharedHeld> leaving;
  for (const std::size_t i : *chosen) leaving.push_back(holders[i]);
  return leaving;
}

// False where somebody has begun to use one of them: it stays.
bool ModelPool::Core::FreeChosen(const std::vector<SharedHeld>& leaving) {
  std::unique_lock<std::mutex> lock(mutex_);
  bool all = true;
  for (const SharedHeld& held : leaving) {
    if (held->uses > 0)
      all = false;
    else if (!held->leaving)
      Leave(held);
  }
  // Who only looks at one that goes is done in a moment.
  work_.wait_for(lock, kMostLookTime, [&] {
    while (FreeDead(&lock)) {
    }
    return std::none_of(leaving.begin(), leaving.end(), [this](const SharedHeld& held) {
      return held->uses == 0 && all_.contains(held);
    });
  });
  return all;
}

}  // namespace hadal
