// A model for tests of the engine: logits are a hash of the tokens that the CACHE holds, so that a
// page that was lost, shared wrongly or not forgotten shows up as another token. With a window it
// also keeps a chain over the tokens, of which only the last rows are held, and a wrong row of
// those shows up in the same way.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "model/model.h"
#include "spec/model_spec.h"

namespace hadal {

class FakeMemory : public Memory {
 public:
  View Allocate(std::uint64_t bytes) noexcept override {
    if (left_bytes_ < bytes) return {};
    left_bytes_ -= bytes;
    void* at = std::calloc(1, bytes);
    return at == nullptr ? View{} : HostView(at, DType::kU8, {static_cast<std::int64_t>(bytes)});
  }
  void Free(const View& view) noexcept override {
    std::free(reinterpret_cast<void*>(view.handle));  // NOLINT: a handle is an address here
  }
  const void* Fetch(const View& view) noexcept override {
    return reinterpret_cast<const void*>(view.handle + view.offset_bytes);
  }
  void Put(const View& view, const void* from, std::uint64_t bytes) noexcept override {
    std::memcpy(reinterpret_cast<void*>(view.handle + view.offset_bytes), from, bytes);
  }
  void set_left_bytes(std::uint64_t bytes) { left_bytes_ = bytes; }

 private:
  std::uint64_t left_bytes_ = 1ull << 40;
};

class FakeModel : public Model {
 public:
  static constexpr std::int64_t kVocabulary = 97;
  static constexpr std::int32_t kEnd = 3;

  enum class Kind : std::uint8_t { kPlain, kWindow };

  explicit FakeModel(const ModelOptions& options, Kind kind = Kind::kPlain)
      : options_(options), pool_(&memory_, options.cache_budget_bytes) {
    spec_.vocabulary = kVocabulary;
    spec_.context = 4096;
    spec_.eos = {kEnd};
    CacheLayout layout{{{DType::kF32, 1}}};
    if (kind == Kind::kWindow) {
      layout.parts.push_back({DType::kF32, 1});
      layout.parts.back().window = kWindow;
      layout.rollback_tokens = 8;
      layout.snapshot_alignment = kPageTokens;
      layout.snapshot_tokens = 4 * kPageTokens;
    }
    layout_ = std::make_shared<const CacheLayout>(std::move(layout));
  }

  const ModelSpec& spec() const override { return spec_; }
  const ModelOptions& options() const override { return options_; }
  Ops& ops() override {
    CheckFailed(__FILE__, __LINE__, "ops", "the fake model has no operations");
  }
  ModelMemory memory() const override { return {0, 0, 0, pool_.allocated_bytes()}; }
  const CacheLayout& cache_layout() const override { return *layout_; }
  CacheCost cache_cost() const override {
    CacheCost cost = CostOf(*layout_, options_.step_tokens);
    if (bytes_per_token > 0) cost.row_bytes_per_token = bytes_per_token;
    return cost;
  }
  ActivationForm coarsest_activation() const override { return ActivationForm::kF32; }
  std::unique_ptr<SequenceCache> NewSequence() override {
    return std::make_unique<SequenceCache>(&pool_, layout_);
  }
  PagePool& pages() override { return pool_; }
  FakeMemory& fake_memory() { return memory_; }

  // Logits after `tokens`.
  static std::vector<float> LogitsAfter(const std::vector<std::int32_t>& tokens) {
    std::uint64_t hash = 1469598103934665603ull;
    for (const std::int32_t token : tokens)
      hash = (hash ^ static_cast<std::uint64_t>(token)) * 1099511628211ull;
    std::vector<float> logits;
    for (std::int64_t i = 0; i < kVocabulary; ++i) {
      hash = hash * 6364136223846793005ull + 1442695040888963407ull;
      logits.push_back(static_cast<float>(hash >> 40) * 0x1p-22f);
    }
    return logits;
  }

  // What a greedy answer without an end is.
  static std::vector<std::int32_t> Greedy(std::vector<std::int32_t> tokens, std::size_t count) {
    std::vector<std::int32_t> answer;
    while (answer.size() < count) {
      const std::vector<float> logits = LogitsAfter(tokens);
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      answer.push_back(static_cast<std::int32_t>(best));
      tokens.push_back(answer.back());
    }
    return answer;
  }

  // The experts of layer 1: two of eight for each row.
  static std::vector<std::int32_t> ExpertsOf(std::int32_t token) {
    return {token % 4, 4 + token % 3};
  }

  Status Step(const Batch& batch, std::span<const float>* logits, StepObserver* observer) override {
    if (before_step) HADAL_RETURN_IF_ERROR(before_step(batch));
    std::int64_t rows = 0;
    for (const Segment& segment : batch.segments) {
      rows += static_cast<std::int64_t>(segment.tokens.size());
      HADAL_RETURN_IF_ERROR(
          segment.sequence->Reserve(static_cast<std::int64_t>(segment.tokens.size())));
    }
    HADAL_CHECK(rows > 0 && rows <= options_.step_tokens, "rows of a step");
    ++steps;
    most_segments = std::max(most_segments, batch.segments.size());
    logits_.clear();
    for (const Segment& segment : batch.segments) RunSegment(segment);
    for (const Segment& segment : batch.segments)
      for (const std::int32_t token : segment.tokens)
        if (observer != nullptr) observer->Experts(1, 1, 2, ExpertsOf(token).data());
    for (const Segment& segment : batch.segments) segment.sequence->Advance(segment.tokens);
    *logits = logits_;
    return {};
  }

  // Where set, the token that gets nearly all of the probability, whatever LogitsAfter says; below
  // 0: a row of NaN.
  std::function<std::int32_t(const std::vector<std::int32_t>& tokens)> script;

  // Where set: may refuse a step, or throw; and may change a row of logits.
  std::function<Status(const Batch& batch)> before_step;
  std::function<void(const std::vector<std::int32_t>& tokens, std::vector<float>* logits)> spoil;

  double bytes_per_token = 0.0;  // where set, what it says instead of the truth
  int steps = 0;
  std::int64_t rows_computed = 0;
  std::size_t most_segments = 0;

 private:
  static std::vector<float> Scripted(std::int32_t token) {
    std::vector<float> logits(kVocabulary, token < 0 ? std::nanf("") : 0.0f);
    if (token >= 0) logits[static_cast<std::size_t>(token)] = 40.0f;
    return logits;
  }
  static constexpr CacheWindow kWindow{24, 1};

  // Number `row` of the chain, which is exact in f32.
  static float Chain(float last, std::int32_t token) {
    return std::fmod(last * 31.0f + static_cast<float>(token + 1), 65521.0f);
  }
  static bool ChainHolds(const PagedRows& part, const std::vector<std::int32_t>& tokens) {
    const std::int64_t from = kWindow.NeedFrom(static_cast<std::int64_t>(tokens.size()));
    float chain = 0.0f;
    for (std::int64_t row = 0; row < static_cast<std::int64_t>(tokens.size()); ++row) {
      chain = Chain(chain, tokens[static_cast<std::size_t>(row)]);
      if (row >= from && *Row(part, row) != chain) return false;
    }
    return true;
  }
  static float* Row(const PagedRows& part, std::int64_t row) {
    return reinterpret_cast<float*>(
               part.pages[static_cast<std::size_t>(row / kPageTokens - part.first_page)]) +
           row % kPageTokens;
  }
  void RunSegment(const Segment& segment) {
    const PagedRows part = segment.sequence->Part(0);
    const auto at = [&part](std::int64_t row) { return Row(part, row); };
    const bool windowed = layout_->parts.size() > 1;
    const PagedRows chain = windowed ? segment.sequence->Part(1) : PagedRows{};
    for (std::size_t i = 0; i < segment.tokens.size(); ++i) {
      const std::int64_t row = segment.sequence->length() + static_cast<std::int64_t>(i);
      *at(row) = static_cast<float>(segment.tokens[i]);
      if (windowed)
        *Row(chain, row) = Chain(row > 0 ? *Row(chain, row - 1) : 0.0f, segment.tokens[i]);
      ++rows_computed;
      if (segment.wanted[i] != Wanted::kLogits) continue;
      std::vector<std::int32_t> tokens;
      for (std::int64_t t = 0; t <= row; ++t) tokens.push_back(static_cast<std::int32_t>(*at(t)));
      if (windowed && !ChainHolds(chain, tokens)) tokens.push_back(-1);  // other logits
      std::vector<float> logits = script ? Scripted(script(tokens)) : LogitsAfter(tokens);
      if (spoil) spoil(tokens, &logits);
      logits_.insert(logits_.end(), logits.begin(), logits.end());
    }
  }

  ModelOptions options_;
  ModelSpec spec_;
  FakeMemory memory_;
  PagePool pool_;
  std::shared_ptr<const CacheLayout> layout_;
  std::vector<float> logits_;
};

}  // namespace hadal
