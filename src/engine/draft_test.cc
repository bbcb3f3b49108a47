#include "engine/draft.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/random.h"
#include "engine/draft_pace.h"
#include "engine/engine_impl.h"
#include "engine/fake_model.h"
#include "engine/ngram_draft.h"
#include "engine/replay_draft.h"
#include "engine/wrong_draft.h"
#include "hadal/engine.h"

namespace hadal {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(NgramDraft, GuessesWhatFollowedTheLongestMatch) {
  const Ids tokens = {1, 2, 3, 9, 5, 2, 3, 7, 5, 6, 1, 2, 3};
  EXPECT_EQ(NgramDraft::After(tokens, 4), (Ids{9, 5, 2, 3}));  // 1 2 3 beats the later 2 3
  EXPECT_EQ(NgramDraft::After(Ids{8, 2, 3, 4, 2, 3, 5, 7, 2, 3}, 1), Ids{5}) << "the later of two";
}

TEST(NgramDraft, OneTokenAloneSaysNothing) {
  EXPECT_TRUE(NgramDraft::After(Ids{1, 2, 3, 2}, 4).empty());
  EXPECT_TRUE(NgramDraft::After(Ids{5, 5}, 4).empty());
  EXPECT_TRUE(NgramDraft::After(Ids{5}, 4).empty());
  EXPECT_TRUE(NgramDraft::After(Ids{}, 4).empty());
}

TEST(NgramDraft, ARepetitionGoesOnRepeating) {
  EXPECT_EQ(NgramDraft::After(Ids{7, 1, 2, 1, 2, 1}, 5), (Ids{2, 1, 2, 1, 2}));
  EXPECT_EQ(NgramDraft::After(Ids(40, 3), 4), Ids(4, 3));
}

TEST(DraftPace, FollowsHowGuessesGo) {
  DraftPace pace(4);
  pace.Note(0, 0);  // the first token
  for (int plain = 0; plain < 2; ++plain) {
    EXPECT_EQ(pace.Wanted(), 0) << "a plain step, to compare with";
    pace.Note(0, 0);
  }
  EXPECT_EQ(pace.Wanted(), 4);
  pace.Note(4, 1);
  EXPECT_EQ(pace.Wanted(), 2);
  pace.Note(2, 2);
  EXPECT_EQ(pace.Wanted(), 3);
  pace.Note(3, 3);
  pace.Note(4, 4);
  EXPECT_EQ(pace.Wanted(), 4);
}

TEST(DraftPace, PausesLongerWithEveryMissAndNotForEver) {
  DraftPace pace(4);
  for (int i = 0; i < 3; ++i) pace.Note(0, 0);
  int guessed_steps = 0;
  for (int step = 0; step < 1700; ++step) {
    const std::int64_t wanted = pace.Wanted();
    guessed_steps += wanted > 0;
    pace.Note(wanted, 0);
  }
  EXPECT_GT(guessed_steps, 95);
  EXPECT_LT(guessed_steps, 115);
  while (pace.Wanted() == 0) pace.Note(0, 0);
  EXPECT_EQ(pace.Wanted(), 1);
  pace.Note(1, 1);
  EXPECT_EQ(pace.Wanted(), 2);
}

// Right for some tokens and wrong for others, as chance has it.
class MixedDraft : public Draft {
 public:
  explicit MixedDraft(std::vector<Ids> timelines) : right_(std::move(timelines)) {}
  void Guess(std::span<DraftRequest> requests) override {
    right_.Guess(requests);
    for (DraftRequest& request : requests)
      for (std::int32_t& guess : request.guesses)
        if (random_.Below(4) == 0)
          guess = static_cast<std::int32_t>(random_.Below(FakeModel::kVocabulary));
  }

 private:
  ReplayDraft right_;
  Random random_{11};
};

enum class Kind { kNone, kNgram, kReplay, kWrong, kMixed };
constexpr Kind kDrafting[] = {Kind::kNgram, Kind::kReplay, Kind::kWrong, Kind::kMixed};

std::unique_ptr<Draft> MakeDraft(Kind kind, std::vector<Ids> timelines) {
  auto replay = std::make_unique<ReplayDraft>(timelines);
  if (kind == Kind::kNgram) return std::make_unique<NgramDraft>();
  if (kind == Kind::kReplay) return replay;
  if (kind == Kind::kMixed) return std::make_unique<MixedDraft>(std::move(timelines));
  if (kind == Kind::kWrong)
    return std::make_unique<WrongDraft>(std::move(replay), FakeModel::kVocabulary);
  return nullptr;
}

struct Running {
  FakeModel* model;
  std::shared_ptr<Engine> engine;
};

Running Start(Kind kind, std::vector<Ids> timelines = {}, std::int64_t draft_tokens = 4,
              std::int64_t step_tokens = 64, std::uint64_t cache_pages = 0,
              FakeModel::Kind cache = FakeModel::Kind::kPlain) {
  ModelOptions options;
  options.step_tokens = step_tokens;
  options.cache_budget_bytes = cache_pages * sizeof(float) * kPageTokens;
  auto model = std::make_unique<FakeModel>(options, cache);
  FakeModel* raw = model.get();
  StepLoopOptions loop;
  loop.draft_tokens = draft_tokens;
  return {raw, MakeEngine(std::move(model), {}, {}, loop, MakeDraft(kind, std::move(timelines)))};
}

GenerateResult Answer(const Running& running, const GenerateRequest& request) {
  Session session(running.engine);
  const auto result = session.Generate(request);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return *result;
}

Ids Prompt(Random* random, std::size_t tokens) {
  Ids prompt(tokens);
  for (std::int32_t& id : prompt)
    id = static_cast<std::int32_t>(random->Below(FakeModel::kVocabulary));
  return prompt;
}

Ids Timeline(const GenerateRequest& request, const GenerateResult& result) {
  Ids all = std::get<TokenIds>(request.prompt).ids;
  all.insert(all.end(), result.ids.begin(), result.ids.end());
  return all;
}

// Options of every kind, as chance has it; each is at its neutral value as often as not.
GenerateRequest SomeRequest(std::uint64_t seed) {
  Random random(seed, 5);
  const auto chance = [&random] { return random.Below(2) == 0; };
  GenerateRequest request;
  SamplingOptions& sampling = request.sampling;
  sampling.temperature = std::vector<float>{0.0f, 0.4f, 1.0f, 1.7f}[random.Below(4)];
  if (chance()) sampling.top_k = static_cast<std::int32_t>(1 + random.Below(20));
  if (chance()) sampling.top_p = 0.8f;
  if (chance()) sampling.min_p = 0.05f;
  if (chance()) sampling.repetition_penalty = 1.3f;
  if (chance()) sampling.presence_penalty = 0.7f;
  if (chance()) sampling.frequency_penalty = 0.4f;
  if (chance()) sampling.logit_bias = {{5, 3.0f}, {9, -2.0f}};
  if (chance()) sampling.log_probabilities = 2;
  sampling.seed = seed;
  sampling.choice = random.Below(3);
  request.max_tokens = static_cast<std::int64_t>(1 + random.Below(60));
  if (chance()) request.stop_tokens = {static_cast<std::int32_t>(random.Below(97)), 5};
  request.ignore_end = chance();
  request.prompt = TokenIds{Prompt(&random, 1 + random.Below(130))};
  return request;
}

void ExpectSame(const GenerateResult& a, const GenerateResult& b) {
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.finish_reason, b.finish_reason);
  EXPECT_EQ(a.usage.generated_tokens, b.usage.generated_tokens);
  ASSERT_EQ(a.log_probabilities.size(), b.log_probabilities.size());
  for (std::size_t i = 0; i < a.log_probabilities.size(); ++i)
    EXPECT_EQ(a.log_probabilities[i].log_probability, b.log_probabilities[i].log_probability);
}

TEST(Drafting, TokensAreTheSameWhateverTheOptionsAndTheDraft) {
  std::int64_t accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const GenerateRequest request = SomeRequest(seed);
    const GenerateResult plain = Answer(Start(Kind::kNone), request);
    for (const Kind kind : kDrafting) {
      for (const std::int64_t draft_tokens : {1, 4, 16}) {
        SCOPED_TRACE(testing::Message() << "seed " << seed << ", draft " << static_cast<int>(kind)
                                        << " of " << draft_tokens);
        // Windows have to take wrong rows back as well.
        const auto cache = seed % 2 == 0 ? FakeModel::Kind::kPlain : FakeModel::Kind::kWindow;
        const Running running =
            Start(kind, {Timeline(request, plain)}, draft_tokens, seed % 3 == 0 ? 3 : 64, 0, cache);
        const GenerateResult drafted = Answer(running, request);
        ExpectSame(plain, drafted);
        EXPECT_LE(drafted.usage.accepted_draft_tokens, drafted.usage.draft_tokens);
        if (kind == Kind::kWrong) {
          EXPECT_EQ(drafted.usage.accepted_draft_tokens, 0);
        }
        if (kind == Kind::kReplay) {
          EXPECT_EQ(drafted.usage.accepted_draft_tokens, drafted.usage.draft_tokens);
        }
        accepted += drafted.usage.accepted_draft_tokens;
        refused += drafted.usage.draft_tokens - drafted.usage.accepted_draft_tokens;
      }
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(Drafting, RightGuessesSaveSteps) {
  GenerateRequest request;
  request.prompt = TokenIds{{1, 2, 3}};
  request.sampling.temperature = 0;
  request.ignore_end = true;
  request.max_tokens = 53;
  const Running none = Start(Kind::kNone);
  const GenerateResult plain = Answer(none, request);
  EXPECT_EQ(none.model->steps, 53);
  EXPECT_EQ(plain.usage.draft_tokens, 0);
  const Running replay = Start(Kind::kReplay, {Timeline(request, plain)});
  const GenerateResult fast = Answer(replay, request);
  EXPECT_EQ(replay.model->steps, 1 + 2 + 10);  // the first token, two to compare with, 5 a step
  EXPECT_EQ(fast.usage.accepted_draft_tokens, 40);
  EXPECT_GT(fast.timings.plain_step_seconds, 0);
  const Running wrong = Start(Kind::kWrong, {Timeline(request, plain)});
  const GenerateResult slow = Answer(wrong, request);
  EXPECT_EQ(wrong.model->steps, 53);
  EXPECT_GT(slow.usage.draft_tokens, 4);
}

TEST(Drafting, TextThatRepeatsIsGuessedFromItself) {
  const Running running = Start(Kind::kNgram);
  running.model->script = [](const Ids& tokens) {
    return static_cast<std::int32_t>(10 + tokens.size() % 7);
  };
  GenerateRequest request;
  request.prompt = TokenIds{{1, 2, 3}};
  request.max_tokens = 100;
  const GenerateResult result = Answer(running, request);
  EXPECT_EQ(result.usage.generated_tokens, 100);
  EXPECT_GT(result.usage.accepted_draft_tokens, 60);
  EXPECT_LT(running.model->steps, 40);
}

// What guesses leave behind must not be known to the next turn.
TEST(Drafting, TheNextTurnKnowsOnlyWhatWasChosen) {
  GenerateRequest request;
  request.prompt = TokenIds{{4, 5, 6}};
  request.sampling.temperature = 0;
  request.ignore_end = true;
  request.max_tokens = 30;
  const GenerateResult plain = Answer(Start(Kind::kNone), request);
  for (const Kind kind : kDrafting) {
    const Running running = Start(kind, {Timeline(request, plain)});
    Session session(running.engine);
    ASSERT_EQ(session.Generate(request)->ids, plain.ids);
    GenerateRequest next = request;
    Ids longer = Timeline(request, plain);
    longer.push_back(7);
    next.prompt = TokenIds{longer};
    const auto second = session.Generate(next);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second->usage.cached_tokens, 32);
    EXPECT_EQ(second->ids, FakeModel::Greedy(longer, 30));
  }
}

// Many requests at once, with few pages and short steps: guesses give way, answers stay.
TEST(Drafting, TokensDoNotDependOnCompany) {
  std::vector<GenerateRequest> requests;
  std::vector<GenerateResult> plain;
  std::vector<Ids> timelines;
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    requests.push_back(SomeRequest(seed));
    plain.push_back(Answer(Start(Kind::kNone), requests.back()));
    timelines.push_back(Timeline(requests.back(), plain.back()));
  }
  for (const Kind kind : kDrafting) {
    for (const std::int64_t step_tokens : {1, 5, 64}) {
      for (const std::uint64_t pages : {0, 6}) {
        const Running running = Start(kind, timelines, 4, step_tokens, pages);
        std::vector<GenerateResult> found(requests.size());
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < requests.size(); ++i)
          threads.emplace_back([&, i] { found[i] = Answer(running, requests[i]); });
        for (std::thread& thread : threads) thread.join();
        for (std::size_t i = 0; i < requests.size(); ++i) {
          SCOPED_TRACE(testing::Message() << "draft " << static_cast<int>(kind) << ", step "
                                          << step_tokens << ", pages " << pages << ", " << i);
          ExpectSame(plain[i], found[i]);
        }
      }
    }
  }
}

// A page that only a guess would need is not there: the guess goes and the answer stays.
TEST(Drafting, AGuessWithoutMemoryIsDropped) {
  GenerateRequest request;
  Ids timeline(50, 1);
  request.prompt = TokenIds{timeline};
  request.max_tokens = 200;
  request.stop_tokens = {96};
  while (timeline.size() < 200) timeline.push_back(static_cast<std::int32_t>(timeline.size() % 7));
  const Running running = Start(Kind::kReplay, {timeline}, 16);
  running.model->script = [&](const Ids& tokens) {
    if (tokens.size() == 55) running.model->fake_memory().set_left_bytes(0);
    return tokens.size() < 63 ? timeline[tokens.size()] : 96;  // it ends with its first page
  };
  const GenerateResult drafted = Answer(running, request);
  EXPECT_EQ(drafted.ids.size(), 14u);
  EXPECT_EQ(drafted.finish_reason, FinishReason::kStop);
}

}  // namespace
}  // namespace hadal
