#include "base/metadata.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <numeric>

namespace hadal {

// Most objects are small or never asked by key (a vocabulary is read from end to end), so the order
// of the keys is made when the first question comes, by whichever thread brings it.
struct Metadata::Index {
  Object members;

  explicit Index(Object object) : members(std::move(object)) {}

  const Metadata* Find(std::string_view key) const {
    if (members.size() <= kFewMembers) {
      for (auto member = members.rbegin(); member != members.rend(); ++member)
        if (member->key == key) return &member->value;
      return nullptr;
    }
    std::call_once(sorted_, [this] { Sort(); });
    // upper_bound, then one back: the last of equal keys.
    auto after = std::upper_bound(
        by_key_.begin(), by_key_.end(), key,
        [this](std::string_view wanted, std::uint32_t at) { return wanted < members[at].key; });
    if (after == by_key_.begin()) return nullptr;
    const Member& member = members[*(after - 1)];
    return member.key == key ? &member.value : nullptr;
  }

 private:
  static constexpr std::size_t kFewMembers = 16;

  // By key, then by place: std::stable_sort's order without its deprecated buffer.
  void Sort() const {
    by_key_.resize(members.size());
    std::iota(by_key_.begin(), by_key_.end(), 0u);
    std::sort(by_key_.begin(), by_key_.end(), [this](std::uint32_t a, std::uint32_t b) {
      const int order = members[a].key.compare(members[b].key);
      return order != 0 ? order < 0 : a < b;
    });
  }

  mutable std::once_flag sorted_;
  mutable std::vector<std::uint32_t> by_key_;  // positions in `members`
};

Metadata::Metadata(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    value_ = static_cast<std::int64_t>(value);
  else
    value_ = value;
}
Metadata::Metadata(Array value) : value_(std::make_shared<const Array>(std::move(value))) {}
Metadata::Metadata(Object value) : value_(std::make_shared<const Index>(std::move(value))) {}

std::optional<bool> Metadata::boolean() const {
  if (const bool* value = std::get_if<bool>(&value_)) return *value;
  return std::nullopt;
}

std::optional<std::int64_t> Metadata::integer() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  if (const auto* value = std::get_if<double>(&value_)) {
    constexpr double kExactBound = 9007199254740992.0;  // 2^53: every integer below is exact
    if (std::trunc(*value) == *value && std::fabs(*value) <= kExactBound)
      return static_cast<std::int64_t>(*value);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Metadata::unsigned_integer() const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
  const std::optional<std::int64_t> value = integer();
  if (value && *value >= 0) return static_cast<std::uint64_t>(*value);
  return std::nullopt;
}

std::optional<double> Metadata::real() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::string_view> Metadata::string() const {
  if (const auto* value = std::get_if<std::string_view>(&value_)) return *value;
  return std::nullopt;
}

std::span<const Metadata> Metadata::items() const {
  if (const auto* value = std::get_if<std::shared_ptr<const Array>>(&value_)) return **value;
  return {};
}

std::span<const Metadata::Member> Metadata::members() const {
  if (const auto* value = std::get_if<std::shared_ptr<const Index>>(&value_))
    return (*value)->members;
  return {};
}

const Metadata* Metadata::Find(std::string_view key) const {
  if (const auto* value = std::get_if<std::shared_ptr<const Index>>(&value_))
    return (*value)->Find(key);
  return nullptr;
}

const Metadata* Metadata::FindNonNull(std::string_view key) const {
  const Metadata* found = Find(key);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

namespace {

// The shortest text that reads back as the same number, and not as an integer.
std::string RealText(double value) {
  constexpr std::size_t kMostChars = 32;  // the longest is -2.2250738585072014e-308
  char text[kMostChars];
  const auto end = std::to_chars(text, text + kMostChars, value);
  std::string shortest(text, end.ptr);
  const bool whole = shortest.find_first_not_of("-0123456789") == std::string::npos;
  return whole ? shortest + ".0" : shortest;
}

}  // namespace

std::string Metadata::Describe() const {
  if (is_null()) return "null";
  if (const auto value = boolean()) return *value ? "true" : "false";
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return std::to_string(*value);
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return std::to_string(*value);
  if (is_real()) return RealText(*real());
  if (const auto value = string()) {
    constexpr std::size_t kShown = 60;
    return "the string \"" + std::string(value->substr(0, kShown)) +
           (value->size() > kShown ? "...\"" : "\"");
  }
  if (is_array()) return "an array of " + std::to_string(items().size());
  return "an object";
}

std::string_view StringArena::Add(std::string_view text) {
  if (text.empty()) return {};
  constexpr std::size_t kBlockBytes = 1 << 16;
  if (text.size() > left_bytes_) {
    const std::size_t size = std::max(kBlockBytes, text.size());
    blocks_.push_back(std::make_unique<char[]>(size));
    next_ = blocks_.back().get();
    left_bytes_ = size;
  }
  std::memcpy(next_, text.data(), text.size());
  const std::string_view stored(next_, text.size());
  next_ += text.size();
  left_bytes_ -= text.size();
  return stored;
}

}  // namespace hadal
