// The tiles of tile.h in plain code, register by register as the manual defines them, so that the
// kernels written on tiles run on any processor. What the instructions refuse fails a check here.
//
// Thread contract: the registers belong to the thread, as the processor's do.
#pragma once

#include "kernels/simd/tile.h"

namespace hadal {

namespace emulated_tile {
void Configure(const TileConfig& config);
void Release();
void Zero(int tile);
void Load(int tile, const void* from, std::int64_t stride);
void Store(int tile, void* to, std::int64_t stride);
void DotInt8(int c, int a, int b);
void DotBf16(int c, int a, int b);
}  // namespace emulated_tile

namespace {

struct EmulatedTiles {
  static void Configure(const TileConfig& config) { emulated_tile::Configure(config); }
  static void Release() { emulated_tile::Release(); }
  template <int kTile>
  static void Zero() {
    emulated_tile::Zero(kTile);
  }
  template <int kTile>
  static void Load(const void* from, std::int64_t stride) {
    emulated_tile::Load(kTile, from, stride);
  }
  template <int kTile>
  static void Store(void* to, std::int64_t stride) {
    emulated_tile::Store(kTile, to, stride);
  }
  template <int kC, int kA, int kB>
  static void DotInt8() {
    emulated_tile::DotInt8(kC, kA, kB);
  }
  template <int kC, int kA, int kB>
  static void DotBf16() {
    emulated_tile::DotBf16(kC, kA, kB);
  }
};

}  // namespace
}  // namespace hadal
