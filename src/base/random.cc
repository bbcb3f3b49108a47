#include "base/random.h"

namespace hadal {

std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  std::uint32_t key0 = static_cast<std::uint32_t>(key);
  std::uint32_t key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0,
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1,
               static_cast<std::uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

namespace {

std::array<std::uint32_t, 4> Counter(std::uint64_t stream, std::uint64_t position) {
  return {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32),
          static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
}

double ToUnit(std::uint32_t high, std::uint32_t low) {
  constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
  return static_cast<double>((static_cast<std::uint64_t>(high) << 21) ^ (low >> 11)) * kUnit;
}

}  // namespace

double UniformAt(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
  const auto block = Philox(Counter(stream, position), seed);
  return ToUnit(block[0], block[1]);
}

std::uint32_t Random::Next32() {
  if (left_ == 0) {
    block_ = Philox(Counter(stream_, counter_++), seed_);
    left_ = 4;
  }
  return block_[static_cast<std::size_t>(4 - left_--)];
}

std::uint64_t Random::Below(std::uint64_t bound) {
  // Values at or above the largest multiple of `bound` are drawn again.
  const std::uint64_t excess = (0 - bound) % bound;
  while (true) {
    const std::uint64_t high = Next32();
    const std::uint64_t value = (high << 32) | Next32();
    if (value >= excess) return value % bound;
  }
}

double Random::Uniform() {
  const std::uint32_t high = Next32();
  return ToUnit(high, Next32());
}

float Random::Normal() {
  double sum = -6.0;
  for (int i = 0; i < 12; ++i) sum += Uniform();
  return static_cast<float>(sum);
}

}  // namespace hadal
