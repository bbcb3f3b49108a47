// Bytes from outside: spans, little-endian loads, and arithmetic that cannot overflow unseen.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace hadal {

using ByteSpan = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little,
              "the file formats are little-endian and are read in place");

// a * b or a + b; nothing if the result does not fit 64 bits.
inline std::optional<std::uint64_t> CheckedMul(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}
inline std::optional<std::uint64_t> CheckedAdd(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

// Unaligned load of a trivially copyable value. The caller has checked the length.
template <typename T>
T LoadUnaligned(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <typename T>
void StoreUnaligned(void* to, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof(T));
}

// Rounds up to a multiple of `unit`, which is not zero; the sum must fit.
constexpr std::uint64_t RoundUp(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}
constexpr std::int64_t CeilDiv(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit;
}

inline std::span<const char> AsChars(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace hadal
