// What the tests of the loop share: requests whose answers are collected, on a FakeModel.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "engine/channel.h"
#include "engine/fake_model.h"
#include "engine/step_loop.h"

namespace hadal {

// Collects a greedy answer; the test waits for its end.
class Collector : public StepTask {
 public:
  bool cancelled() const override {
    return given_up || (cancel_after >= 0 && chosen() >= cancel_after);
  }
  void Resume(std::int64_t cached, std::int64_t replayed) override {
    cached_tokens = cached;
    replayed_tokens = replayed;
  }
  void Progress(std::int64_t done, std::int64_t total) override {
    EXPECT_LE(done, total);
    if (first_known < 0) first_known = done;
  }
  Result<Choice> Choose(std::span<const float> logits, std::int64_t position) override {
    positions.push_back(position);
    if (broken_at == chosen()) return Failed("logits", "broken", "sound ones", "none: a test");
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    tokens.push_back(static_cast<std::int32_t>(best));
    return Choice{tokens.back(), chosen() == last_after};
  }
  void End(const Status& status) override { end.Push(status); }

  int chosen() const { return static_cast<int>(tokens.size()); }
  int last_after = -1, cancel_after = -1, broken_at = -1;
  std::int64_t first_known = -1, cached_tokens = -1, replayed_tokens = -1;
  std::atomic<bool> given_up{false};
  std::vector<std::int32_t> tokens;
  std::vector<std::int64_t> positions;
  Channel<Status> end;
};

struct LoopFixture {
  explicit LoopFixture(std::int64_t step_tokens = 64, std::uint64_t cache_pages = 0,
                       FakeModel::Kind kind = FakeModel::Kind::kPlain,
                       const StepLoopOptions& settings = {}) {
    ModelOptions options;
    options.step_tokens = step_tokens;
    options.cache_budget_bytes = cache_pages * sizeof(float) * kPageTokens;
    auto owned = std::make_unique<FakeModel>(options, kind);
    model = owned.get();
    loop = std::make_unique<StepLoop>(std::move(owned), settings);
  }
  std::shared_ptr<Collector> Start(
      std::uint64_t sequence, std::vector<std::int32_t> prompt, std::int64_t max_tokens,
      std::shared_ptr<Collector> task = std::make_shared<Collector>()) {
    EXPECT_TRUE(loop->Submit({sequence, std::move(prompt), max_tokens, task}).ok());
    return task;
  }
  // One with a timeline of its own.
  std::shared_ptr<Collector> Ask(std::vector<std::int32_t> prompt, std::int64_t max_tokens,
                                 std::string space = "",
                                 std::shared_ptr<Collector> task = std::make_shared<Collector>()) {
    StepLoop::Request request;
    request.prompt = std::move(prompt);
    request.max_tokens = max_tokens;
    request.task = task;
    request.space = std::move(space);
    EXPECT_TRUE(loop->Submit(std::move(request)).ok());
    return task;
  }
  FakeModel* model;
  std::unique_ptr<StepLoop> loop;
};

inline std::vector<std::int32_t> RandomPrompt(std::uint64_t seed, std::size_t tokens) {
  Random random(seed);
  std::vector<std::int32_t> prompt(tokens);
  for (std::int32_t& id : prompt)
    id = static_cast<std::int32_t>(random.Below(FakeModel::kVocabulary));
  return prompt;
}

}  // namespace hadal
