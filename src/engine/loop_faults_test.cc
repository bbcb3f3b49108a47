// What goes wrong in one request ends that request alone; its neighbours' bits do not change.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <stdexcept>

#include "engine/loop_test_data.h"
#include "sample/sampler.h"

namespace hadal {
namespace {

using Fixture = LoopFixture;
using Ids = std::vector<std::int32_t>;

StepLoopOptions Keeping() {
  StepLoopOptions options;
  options.prefixes.memory_bytes = 1 << 20;
  return options;
}

// Samples as answers do, and keeps the bits of the logits.
class Sampling : public Collector {
 public:
  Result<Choice> Choose(std::span<const float> logits, std::int64_t position) override {
    HADAL_ASSIGN_OR_RETURN(const SampledToken sampled, sampler_.Next(logits, position));
    bits.insert(bits.end(), logits.begin(), logits.end());
    tokens.push_back(sampled.token);
    return Choice{sampled.token, false};
  }
  std::vector<float> bits;

 private:
  Sampler sampler_{SamplingOptions{}, {}};
};

bool BeginsWith(const Ids& tokens, const Ids& prompt) {
  return tokens.size() >= prompt.size() && std::equal(prompt.begin(), prompt.end(), tokens.begin());
}

// D-21: one slot of a batch gets NaN or infinity at its sixth token.
TEST(Faults, LogitsThatAreNoNumbersAbortTheirRequestAlone) {
  std::vector<Ids> prompts;
  for (std::uint64_t i = 0; i < 5; ++i) prompts.push_back(RandomPrompt(i, 40 + 30 * i));
  std::vector<std::vector<float>> alone;
  for (const Ids& prompt : prompts) {
    Fixture fixture;
    auto task = std::make_shared<Sampling>();
    fixture.Ask(prompt, 20, "", task);
    ASSERT_TRUE(task->end.Pop().ok());
    alone.push_back(task->bits);
  }
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Fixture fixture(64, 0, FakeModel::Kind::kPlain, Keeping());
    fixture.model->spoil = [&](const Ids& tokens, std::vector<float>* logits) {
      if (BeginsWith(tokens, prompts[2]) && tokens.size() >= prompts[2].size() + 5)
        (*logits)[50] = bad;
    };
    std::vector<std::shared_ptr<Sampling>> tasks;
    for (const Ids& prompt : prompts) {
      tasks.push_back(std::make_shared<Sampling>());
      fixture.Ask(prompt, 20, prompt == prompts[2] ? "its own" : "", tasks.back());
    }
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const Status status = tasks[i]->end.Pop();
      if (i == 2) {
        EXPECT_EQ(status.code(), Code::kFailed);
        EXPECT_EQ(status.where(), "nan_logits");
        EXPECT_EQ(tasks[i]->chosen(), 5);
      } else {
        EXPECT_TRUE(status.ok());
        EXPECT_EQ(tasks[i]->bits, alone[i]) << "request " << i;
      }
    }
    EXPECT_EQ(fixture.loop->counters().nan_logits, 1);
    fixture.model->spoil = nullptr;
    auto again = fixture.Ask(prompts[2], 4, "its own");
    ASSERT_TRUE(again->end.Pop().ok());
    EXPECT_EQ(again->cached_tokens, 0) << "nothing of it is kept";
  }
}

// D-13: the step that holds one certain request throws, whoever else is in it.
TEST(Faults, AStepThatThrowsEndsTheRequestThatItIsAbout) {
  for (const bool throws : {true, false}) {
    Fixture fixture;
    const Ids poison = RandomPrompt(77, 30);
    fixture.model->before_step = [&](const Batch& batch) -> Status {
      for (const Segment& segment : batch.segments)
        if (segment.tokens.front() == poison.front() && segment.tokens.size() == poison.size()) {
          if (throws) throw std::runtime_error("a fault of the model");
          return Failed("model", "a fault");
        }
      return {};
    };
    std::vector<Ids> prompts;
    std::vector<std::shared_ptr<Collector>> tasks;
    for (std::uint64_t i = 0; i < 4; ++i) {
      prompts.push_back(i == 1 ? poison : RandomPrompt(i, 5 + i));
      tasks.push_back(fixture.Ask(prompts.back(), 15));
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const Status status = tasks[i]->end.Pop();
      EXPECT_EQ(status.ok(), i != 1) << i;
      if (i != 1) {
        EXPECT_EQ(tasks[i]->tokens, FakeModel::Greedy(prompts[i], 15));
      }
    }
    auto later = fixture.Ask({1, 2}, 3);
    EXPECT_TRUE(later->end.Pop().ok());
  }
}

TEST(Faults, AChoiceThatThrowsEndsItsRequestAlone) {
  class Throwing : public Collector {
   public:
    Result<Choice> Choose(std::span<const float>, std::int64_t) override {
      throw std::runtime_error("a fault of the sampler");
    }
  };
  Fixture fixture;
  auto bad = std::make_shared<Throwing>();
  const Ids prompt = RandomPrompt(3, 20);
  fixture.Ask({4, 5}, 10, "", bad);
  auto good = fixture.Ask(prompt, 10);
  EXPECT_EQ(bad->end.Pop().code(), Code::kFailed);
  ASSERT_TRUE(good->end.Pop().ok());
  EXPECT_EQ(good->tokens, FakeModel::Greedy(prompt, 10));
}

// D-11: the memory shrinks while requests run. Nobody fails who could have been served alone.
TEST(Faults, ShrinkingMemoryPreemptsAndLosesNothing) {
  for (const bool keeps : {false, true}) {
    Fixture fixture(512, 0, FakeModel::Kind::kPlain, keeps ? Keeping() : StepLoopOptions{});
    std::vector<Ids> prompts;
    std::vector<std::shared_ptr<Collector>> tasks;
    // Once all six have read their prompts: what they hold together is enough for one of them.
    std::promise<void> asked;
    fixture.model->before_step = [&fixture, all = asked.get_future().share(),
                                  shrunk = false](const Batch& batch) mutable {
      all.wait();
      const bool all_answer =
          batch.segments.size() == 6 && std::ranges::all_of(batch.segments, [](const Segment& one) {
            return one.tokens.size() == 1;
          });
      if (!shrunk && all_answer) {
        shrunk = true;
        fixture.model->fake_memory().set_left_bytes(0);
      }
      return Status();
    };
    for (std::uint64_t i = 0; i < 6; ++i) {
      prompts.push_back(RandomPrompt(i, 60));
      tasks.push_back(fixture.Ask(prompts.back(), 200));
    }
    asked.set_value();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      ASSERT_TRUE(tasks[i]->end.Pop().ok()) << i;
      ASSERT_EQ(tasks[i]->tokens, FakeModel::Greedy(prompts[i], 200)) << i;
    }
    EXPECT_GT(fixture.loop->counters().preemptions, 0);
    EXPECT_GT(fixture.loop->counters().recomputed_tokens, 0);
  }
}

TEST(Faults, WhatNeverFitsFailsAloneAndLater) {
  Fixture fixture(512);
  fixture.model->fake_memory().set_left_bytes(4 * sizeof(float) * kPageTokens);
  const Ids small = RandomPrompt(1, 20), large = RandomPrompt(2, 400);
  auto failing = fixture.Ask(large, 5);
  auto fine = fixture.Ask(small, 20);
  EXPECT_EQ(failing->end.Pop().code(), Code::kNoRoom);
  ASSERT_TRUE(fine->end.Pop().ok());
  EXPECT_EQ(fine->tokens, FakeModel::Greedy(small, 20));
}

}  // namespace
}  // namespace hadal
