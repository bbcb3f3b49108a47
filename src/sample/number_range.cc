#include "sample/number_range.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <string>

#include "sample/json_grammar.h"

namespace hadal {
namespace {

constexpr std::size_t kIntegerDigits = JsonGrammar::kIntegerDigits;
constexpr std::size_t kFractionDigits = JsonGrammar::kFractionDigits;
constexpr std::int64_t kLargest = 999'999'999'999'999'999;  // kIntegerDigits nines
constexpr std::int64_t kMostListed = 5000, kMostDivisor = 100;
constexpr std::size_t kMultipleDigits = 12;

// A bound that is not negative: kIntegerDigits digits before the point, kFractionDigits after it.
struct Decimal {
  std::array<char, kIntegerDigits + kFractionDigits> digits{};
  bool excluded = false;

  // Digits of numbers whose integer part has `size` of them.
  char At(std::size_t at, std::size_t size) const { return digits[kIntegerDigits - size + at]; }
  std::size_t size() const {  // of the integer part, at least 1
    std::size_t zeros = 0;
    while (zeros + 1 < kIntegerDigits && digits[zeros] == '0') ++zeros;
    return kIntegerDigits - zeros;
  }
  bool zero() const {
    for (const char digit : digits)
      if (digit != '0') return false;
    return true;
  }
};

std::optional<Decimal> DecimalOf(double value, bool excluded) {
  Decimal decimal;
  decimal.excluded = excluded;
  decimal.digits.fill('0');
  char text[400];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed).ptr;
  const std::string_view all(text, static_cast<std::size_t>(end - text));
  const std::string_view integer = all.substr(0, all.find('.'));
  const std::string_view fraction =
      integer.size() < all.size() ? all.substr(integer.size() + 1) : std::string_view();
  if (integer.size() > kIntegerDigits || fraction.size() > kFractionDigits) return std::nullopt;
  std::copy(integer.begin(), integer.end(),
            decimal.digits.begin() + static_cast<std::ptrdiff_t>(kIntegerDigits - integer.size()));
  std::copy(fraction.begin(), fraction.end(), decimal.digits.begin() + kIntegerDigits);
  return decimal;
}

Decimal Largest() {
  Decimal decimal;
  decimal.digits.fill('9');
  return decimal;
}

// Magnitudes from `low` to `high`.
class MagnitudeRange {
 public:
  MagnitudeRange(const Decimal& low, const Decimal& high, std::size_t decimals, GrammarNodeId next,
                 GrammarBuilder* builder)
      : low_(low), high_(high), decimals_(decimals), next_(next), builder_(builder) {}

  GrammarNodeId Build() {
    std::vector<GrammarNodeId> choices;
    for (std::size_t size = low_.size(); size <= high_.size(); ++size) {
      known_.clear();
      size_ = size;
      choices.push_back(At(0, size == low_.size(), size == high_.size()));
    }
    if (choices.empty()) return builder_->Match({});
    return builder_->Fork(std::move(choices));
  }

 private:
  // Whether the number may end before digit `at`: what is missing are zeros.
  bool MayEnd(std::size_t at, bool on_low, bool on_high) const {
    bool low_rest = false, high_rest = false;  // a digit that is not zero remains
    for (; at < size_ + kFractionDigits; ++at) {
      low_rest |= low_.At(at, size_) != '0';
      high_rest |= high_.At(at, size_) != '0';
    }
    if (on_low && (low_rest || low_.excluded)) return false;
    return !on_high || high_rest || !high_.excluded;
  }

  // The rest of the number from digit `at` on, where all digits before were those of a bound or
  // not.
  GrammarNodeId At(std::size_t at, bool on_low, bool on_high) {
    const auto key = std::tuple(at, on_low, on_high);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    std::vector<GrammarNodeId> choices;
    if (at >= size_ && at != size_) {
      if (MayEnd(at, on_low, on_high)) choices.push_back(next_);
      if (at < size_ + decimals_) choices.push_back(Digit(at, on_low, on_high));
    } else if (at == size_) {
      if (MayEnd(at, on_low, on_high)) choices.push_back(next_);
      if (decimals_ > 0) choices.push_back(builder_->Byte('.', Digit(at, on_low, on_high)));
    } else {
      choices.push_back(Digit(at, on_low, on_high));
    }
    const GrammarNodeId node = choices.empty() ? builder_->Match({}) : builder_->Fork(choices);
    known_[key] = node;
    return node;
  }

  GrammarNodeId Digit(std::size_t at, bool on_low, bool on_high) {
    const char least = on_low ? low_.At(at, size_) : (at == 0 && size_ > 1 ? '1' : '0');
    const char most = on_high ? high_.At(at, size_) : '9';
    std::vector<GrammarEdge> edges;
    for (char digit = least; digit <= most; ++digit) {
      const auto byte = static_cast<unsigned char>(digit);
      edges.push_back({byte, byte, At(at + 1, on_low && digit == least, on_high && digit == most)});
    }
    return builder_->Match(std::move(edges));
  }

  const Decimal low_, high_;
  const std::size_t decimals_;
  const GrammarNodeId next_;
  GrammarBuilder* builder_;
  std::size_t size_ = 0;
  std::map<std::tuple<std::size_t, bool, bool>, GrammarNodeId> known_;
};

std::optional<GrammarNodeId> Range(const NumberLimits& limits, std::size_t decimals,
                                   GrammarNodeId next, GrammarBuilder* builder) {
  const double low = limits.low.value_or(-1e18), high = limits.high.value_or(1e18);
  const auto bound = [](double value, bool excluded) {
    return value >= 1e18 ? std::optional(Largest()) : DecimalOf(value, excluded);
  };
  std::vector<GrammarNodeId> choices;
  if (high >= 0) {
    const auto from = bound(std::max(low, 0.0), limits.low_excluded && low >= 0);
    const auto to = bound(high, limits.high_excluded);
    if (!from || !to) return std::nullopt;
    choices.push_back(MagnitudeRange(*from, *to, decimals, next, builder).Build());
  }
  if (low < 0) {
    auto from = bound(std::max(-high, 0.0), limits.high_excluded && high < 0);
    const auto to = bound(-low, limits.low_excluded);
    if (!from || !to) return std::nullopt;
    from->excluded |= from->zero();  // there is no negative zero
    choices.push_back(
        builder->Byte('-', MagnitudeRange(*from, *to, decimals, next, builder).Build()));
  }
  return builder->Fork(std::move(choices));
}

// The bounds as integers.
struct Integers {
  std::int64_t low = -kLargest, high = kLargest;
};
Integers IntegersIn(const NumberLimits& limits) {
  Integers in;
  if (limits.low && *limits.low > -1e18) {
    const double low = std::ceil(std::min(*limits.low, 1e18));
    in.low = static_cast<std::int64_t>(low) + (limits.low_excluded && low == *limits.low);
  }
  if (limits.high && *limits.high < 1e18) {
    const double high = std::floor(std::max(*limits.high, -1e18));
    in.high = static_cast<std::int64_t>(high) - (limits.high_excluded && high == *limits.high);
  }
  return in;
}

// Digits of a multiple of `divisor` that is not zero, by their remainder.
GrammarNodeId PositiveMultiple(std::int64_t divisor, GrammarNodeId next, GrammarBuilder* builder) {
  const auto count = static_cast<std::size_t>(divisor);
  std::vector<GrammarNodeId> later;  // by remainder, with one digit less to come
  for (std::size_t digits = 0; digits < kMultipleDigits; ++digits) {
    std::vector<GrammarNodeId> nodes;
    for (std::size_t rest = 0; rest < count; ++rest) {
      std::vector<GrammarNodeId> choices;
      if (rest == 0) choices.push_back(next);
      std::vector<GrammarEdge> edges;
      for (std::size_t digit = 0; digit < 10 && digits > 0; ++digit) {
        const auto byte = static_cast<std::uint16_t>('0' + digit);
        edges.push_back({byte, byte, later[(rest * 10 + digit) % count]});
      }
      choices.push_back(builder->Match(std::move(edges)));
      nodes.push_back(builder->Fork(std::move(choices)));
    }
    later = std::move(nodes);
  }
  std::vector<GrammarEdge> edges;
  for (std::size_t digit = 1; digit < 10; ++digit) {
    const auto byte = static_cast<std::uint16_t>('0' + digit);
    edges.push_back({byte, byte, later[digit % count]});
  }
  return builder->Match(std::move(edges));
}

std::optional<GrammarNodeId> IntegerMultiple(const NumberLimits& limits, std::int64_t divisor,
                                             GrammarNodeId next, GrammarBuilder* builder) {
  const Integers in = IntegersIn(limits);
  const std::int64_t first = in.low / divisor - (in.low % divisor < 0) + (in.low % divisor != 0);
  const std::int64_t last = in.high / divisor - (in.high % divisor < 0);
  if (last - first < kMostListed) {
    std::vector<GrammarBuilder::Branch> branches;
    for (std::int64_t i = first; i <= last; ++i)
      branches.push_back({std::to_string(i * divisor), next});
    return builder->Branches(std::move(branches));
  }
  const bool high_open = in.high == kLargest;
  if (!high_open || divisor > kMostDivisor || (in.low != -kLargest && (in.low > 1 || in.low < 0)))
    return std::nullopt;
  const GrammarNodeId positive = PositiveMultiple(divisor, next, builder);
  std::vector<GrammarNodeId> choices = {positive};
  if (in.low <= 0) choices.push_back(builder->Byte('0', next));
  if (in.low < 0) choices.push_back(builder->Byte('-', positive));
  return builder->Fork(std::move(choices));
}

}  // namespace

std::optional<GrammarNodeId> LimitedNumber(const NumberLimits& limits, GrammarNodeId next,
                                           GrammarBuilder* builder) {
  std::size_t decimals = limits.integer ? 0 : kFractionDigits;
  if (limits.multiple_of) {
    const double step = *limits.multiple_of;
    if (!(step > 0)) return std::nullopt;
    if (std::floor(step) == step && step < 1e15) {
      const auto divisor = static_cast<std::int64_t>(step);
      if (divisor > 1) return IntegerMultiple(limits, divisor, next, builder);
      decimals = 0;
    } else {
      char text[64];
      const auto end = std::to_chars(text, text + sizeof(text), step, std::chars_format::fixed).ptr;
      const std::string_view all(text, static_cast<std::size_t>(end - text));
      decimals = all.size() - 2;  // "0.01" has two
      if (!all.starts_with("0.") || all.find_first_not_of("0.") != all.size() - 1 ||
          all.back() != '1' || decimals > kFractionDigits)
        return std::nullopt;
      if (limits.integer) decimals = 0;
    }
  }
  if (decimals > 0) return Range(limits, decimals, next, builder);
  const Integers in = IntegersIn(limits);
  NumberLimits whole;
  whole.low = static_cast<double>(in.low);
  whole.high = static_cast<double>(in.high);
  // Beyond 2^53 a double is not every integer; the bounds of schemas are.
  if (static_cast<std::int64_t>(*whole.low) != in.low && in.low != -kLargest) return std::nullopt;
  if (static_cast<std::int64_t>(*whole.high) != in.high && in.high != kLargest) return std::nullopt;
  if (in.low > in.high) return builder->Match({});
  return Range(whole, 0, next, builder);
}

}  // namespace hadal
