// The instructions of tile.h. Included by files of the level `amx` only; see part_avx2.h for why
// nothing in here has a name that others see.
//
// Written as assembly, since gcc's intrinsics paste a register's number into text and so take
// literals alone, no template argument.
#pragma once

#include "kernels/simd/tile.h"

#define HADAL_INLINE_TILE static inline __attribute__((always_inline))

namespace hadal {
namespace {

struct AmxTiles {
  HADAL_INLINE_TILE void Configure(const TileConfig& config) {
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
  }
  HADAL_INLINE_TILE void Release() { __asm__ volatile("tilerelease" : : : "memory"); }
  template <int kTile>
  HADAL_INLINE_TILE void Zero() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  HADAL_INLINE_TILE void Load(const void* from, std::int64_t stride) {
    __asm__ volatile("tileloadd (%1,%2,1), %%tmm%c0"
                     :
                     : "i"(kTile), "r"(from), "r"(stride)
                     : "memory");
  }
  template <int kTile>
  HADAL_INLINE_TILE void Store(void* to, std::int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c0, (%1,%2,1)"
                     :
                     : "i"(kTile), "r"(to), "r"(stride)
                     : "memory");
  }
  // AT&T order: the last operand is the sum.
  template <int kC, int kA, int kB>
  HADAL_INLINE_TILE void DotInt8() {
    __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }
  template <int kC, int kA, int kB>
  HADAL_INLINE_TILE void DotBf16() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }
};

}  // namespace
}  // namespace hadal

#undef HADAL_INLINE_TILE
