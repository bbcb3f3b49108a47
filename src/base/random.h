// Our own counter-based random numbers: the same key gives the same number on every machine, in any
// order, from any thread. No std:: distribution is used where a result is stored or compared.
//
// Philox 4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011.
#pragma once

#include <array>
#include <cstdint>

namespace hadal {

// Ten rounds of Philox over a 128-bit counter with a 64-bit key.
std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter, std::uint64_t key);

// The number in [0, 1), a multiple of 2^-53, that belongs to (seed, stream, position). A sampler
// uses stream = index of the choice within the request and position = position of the token.
double UniformAt(std::uint64_t seed, std::uint64_t stream, std::uint64_t position);

// A sequence for tests, synthetic weights and shuffles: one key, a running counter.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}
  std::uint32_t Next32();
  std::uint64_t Below(std::uint64_t bound);  // uniform in [0, bound), without bias; bound > 0
  double Uniform();                          // [0, 1)
  float Normal();                            // mean 0, deviation 1: sum of 12 uniforms less 6

 private:
  std::uint64_t seed_, stream_, counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int left_ = 0;
};

}  // namespace hadal
