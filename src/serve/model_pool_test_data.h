// A model folder of a test's own, whose models are fakes that answer with their name; and a clock
// that is moved by hand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "serve/dialect_test_data.h"
#include "serve/model_pool.h"

namespace hadal {

// $HADAL_HOME, until it goes.
class ModelHome {
 public:
  explicit ModelHome(const std::vector<std::string>& names = {"a", "b", "c"}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hadal_pool_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    setenv("HADAL_HOME", path_.c_str(), 1);
    for (const std::string& name : names) Write(name);
  }
  ~ModelHome() {
    unsetenv("HADAL_HOME");
    std::filesystem::remove_all(path_);
  }
  void Write(const std::string& name, const std::string& text = "{}") {
    std::filesystem::create_directories(path_ / "models" / name);
    std::ofstream(path_ / "models" / name / "config.json") << text;
  }
  void Remove(const std::string& name) { std::filesystem::remove_all(path_ / "models" / name); }

 private:
  std::filesystem::path path_;
};

class FakeClock {
 public:
  std::chrono::steady_clock::time_point Now() const {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(now_.load()));
  }
  void Advance(std::chrono::nanoseconds span) { now_ += span.count(); }

 private:
  std::atomic<std::int64_t> now_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
};

// Opens fakes, counts them, and can be made to wait.
class FakeOpener {
 public:
  static constexpr std::uint64_t kModelBytes = 1000;

  Result<std::shared_ptr<Engine>> Open(const std::string& name) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      opened_.push_back(name);
      changed_.notify_all();
      changed_.wait(lock, [this] { return !closed_; });
      if (broken_.contains(name))
        return Failed(name, "it is broken", "one that is whole", "mend it");
    }
    EngineFixture fixture(true, "qwen3");
    fixture.model->script = DialectDesk::ScriptOf("I am " + name + ".");
    const std::lock_guard<std::mutex> lock(mutex_);
    engines_.push_back(fixture.engine);
    return fixture.engine;
  }
  // Opening waits until Let.
  void Hold() { Set(true); }
  void Let() { Set(false); }
  // Waits until so many models were asked for.
  void AwaitOpened(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return opened_.size() >= count; });
  }
  void Break(const std::string& name, bool broken) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (broken)
      broken_.insert(name);
    else
      broken_.erase(name);
  }
  std::vector<std::string> opened() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return opened_;
  }
  // Engines that are in memory.
  int living() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    int living = 0;
    for (const auto& engine : engines_) living += !engine.expired();
    return living;
  }

 private:
  void Set(bool closed) {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = closed;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::vector<std::string> opened_;
  std::set<std::string> broken_;
  std::vector<std::weak_ptr<Engine>> engines_;
};

// The options of a pool of such models: each takes kModelBytes.
inline ModelPoolOptions FakePoolOptions(const std::shared_ptr<FakeOpener>& opener,
                                        const std::shared_ptr<FakeClock>& clock) {
  ModelPoolOptions options;
  options.open = [opener](const std::string& name, const std::string&) {
    return opener->Open(name);
  };
  options.catalog = std::make_shared<ModelCatalog>([](const std::string& path) {
    return Result<ModelFacts>(ModelFacts{.architecture = "fake",
                                         .parameters = 134'515'008,
                                         .quantization = "Q4_1",
                                         .vocabulary = 97,
                                         .context_tokens = path.ends_with("/c") ? 64 : 4096,
                                         .mapped_bytes = FakeOpener::kModelBytes});
  });
  options.now = [clock] { return clock->Now(); };
  return options;
}

}  // namespace hadal
