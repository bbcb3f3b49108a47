// RopeSpec: rotary position embedding as a config states it, and the frequencies that follow.
//
// Plain frequencies f_i = theta^(-2i/width) (Su et al. 2021); scaled by position interpolation
// (linear), by wavelength bands (llama3, Meta's Llama 3.1 release) or by YaRN (Peng et al. 2023,
// architectures.md 0.6). They are computed in single precision in the order in which the reference
// modules do it, since angles at long positions show every bit; powers and logarithms are ours
// (numeric/precise.h), so that no system's library decides a frequency.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hadal {

// Which components turn together.
enum class RopePairing : std::uint8_t {
  kHalf = 0,         // (x[i], x[i + width/2])
  kInterleaved = 1,  // (x[2i], x[2i+1])
};

enum class RopeScaling : std::uint8_t { kNone = 0, kLinear = 1, kLlama3 = 2, kYarn = 3 };
std::string_view Name(RopeScaling scaling);

struct RopeSpec {
  double theta = 10000.0;
  std::int64_t width = 0;  // rotated components of a head, even
  RopePairing pairing = RopePairing::kHalf;

  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;                                             // every scaling
  double original_context = 0.0;                                   // yarn, llama3
  double beta_fast = 32.0, beta_slow = 1.0;                        // yarn
  bool whole_range = true;                                         // yarn: ramp between whole i
  double mscale = 1.0, mscale_all_dim = 0.0;                       // yarn
  double attention_factor = 0.0;                                   // yarn; 0: follows from mscale
  double low_frequency_factor = 1.0, high_frequency_factor = 4.0;  // llama3

  // What follows from the above (Derive).
  std::vector<float> frequencies;  // [width / 2], radians per position
  float magnitude = 1.0f;          // multiplies cos and sin
  // Multiplies the softmax scale: m^2 with m = 0.1 * mscale_all_dim * ln(factor) + 1 for latent
  // attention, 1 elsewhere.
  double softmax_factor = 1.0;
};

// YaRN's magnitude 0.1 * scale * ln(factor) + 1; 1 where factor <= 1.
double YarnMagnitude(double factor, double scale);

// Fills frequencies, magnitude and softmax_factor. `latent_attention` says whether the softmax
// takes m^2 (multi-head latent attention of V2, V3, V3.2).
void Derive(RopeSpec* rope, bool latent_attention);

// The frequencies divided by the factors of a GGUF tensor `rope_freqs.weight` [width / 2], in which
// converters store llama3 scaling. The caller has checked the length. kUnusable for a divisor that
// is not positive and finite; the frequencies are then as they were.
Status DivideFrequencies(RopeSpec* rope, std::span<const float> divisors);

}  // namespace hadal
