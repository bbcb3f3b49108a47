#include "kernels/simd/test_tile_case.h"
#include "kernels/simd/tile_amx.h"

namespace hadal {

void RunOnAmxTiles(const TileCase& tiles) { RunCase<AmxTiles>(tiles); }

}  // namespace hadal
