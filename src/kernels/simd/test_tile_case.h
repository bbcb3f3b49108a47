// One dot on tiles, by a wrapper of simd/tile.h.
#pragma once

#include "kernels/simd/tile.h"

namespace hadal {

// Tile 0 += tile 1 * tile 2, which lie at c, a and b with rows of 64 bytes.
struct TileCase {
  TileConfig config;
  bool bf16 = false;
  void* c = nullptr;
  const void* a = nullptr;
  const void* b = nullptr;
};
void RunOnEmulatedTiles(const TileCase& tiles);
void RunOnAmxTiles(const TileCase& tiles);  // where the processor has them

namespace {

template <typename Tiles>
void RunCase(const TileCase& tiles) {
  Tiles::Configure(tiles.config);
  Tiles::template Load<0>(tiles.c, 64);
  Tiles::template Load<1>(tiles.a, 64);
  Tiles::template Load<2>(tiles.b, 64);
  if (tiles.bf16)
    Tiles::template DotBf16<0, 1, 2>();
  else
    Tiles::template DotInt8<0, 1, 2>();
  Tiles::template Store<0>(tiles.c, 64);
  Tiles::Release();
}

}  // namespace
}  // namespace hadal
