#include "serve/number_limits.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace hadal {
namespace {

constexpr std::int64_t kAnyInteger = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;

constexpr NumberLimit kNumbers[] = {
    {"frequency_penalty", -2, 2},
    {"min_p", 0, 1},
    {"mirostat", 0, 2},
    {"presence_penalty", -2, 2},
    {"repeat_penalty", 0.01, 10},
    {"repetition_penalty", 0.01, 10},
    {"temperature", 0, 2},
    {"tfs_z", 0, 1},
    {"top_p", 0, 1},
    {"typical_p", 0, 1},
};

constexpr IntegerLimit kIntegers[] = {
    {"best_of", 1, 20},
    {"budget_tokens", 1024, kMostTokens},
    {"dimensions", 1, 65536},
    {"limit", 1, 1000},
    {"logprobs", 0, 20},
    {"max_completion_tokens", 1, kMostTokens},
    {"max_output_tokens", 16, kMostTokens},
    {"max_tokens", 0, kMostTokens},
    {"max_tool_calls", 1, kMostTokens},
    {"n", 1, 16},
    {"n_predict", -1, kMostTokens},
    {"n_probs", 0, 20},
    {"num_predict", -2, kMostTokens},
    {"repeat_last_n", -1, kMostTokens},
    {"seed", -kAnyInteger, kAnyInteger},
    {"top_k", -1, kMostTokens},
    {"top_logprobs", 0, 20},
};

template <typename Row, std::size_t kSize>
const Row& RowOf(const Row (&rows)[kSize], std::string_view field) {
  const auto row = std::ranges::find(rows, field, &Row::field);
  HADAL_CHECK(row != std::end(rows), "a number of a request without bounds");
  return *row;
}

}  // namespace

std::span<const NumberLimit> NumberLimits() { return kNumbers; }
std::span<const IntegerLimit> IntegerLimits() { return kIntegers; }

std::optional<double> ReadNumber(Fields* fields, std::string_view key) {
  const NumberLimit& row = RowOf(kNumbers, key);
  return fields->Number(key, row.least, row.most);
}

std::optional<std::int64_t> ReadInteger(Fields* fields, std::string_view key) {
  const IntegerLimit& row = RowOf(kIntegers, key);
  return fields->Integer(key, row.least, row.most);
}

void ReadNumber(Fields* fields, std::string_view key, float* target) {
  if (const auto value = ReadNumber(fields, key)) *target = static_cast<float>(*value);
}

}  // namespace hadal
