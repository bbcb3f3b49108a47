// Matrix tiles as Intel's AMX has them: eight registers of up to 16 rows of up to 64 bytes, whose
// shapes are set all together. Kernels are templates on one of two wrappers with the same names:
//   AmxTiles       the instructions (tile_amx.h), in files compiled for the level `amx`
//   EmulatedTiles  their definition in plain code (test_tile.h), for tests on any processor
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1 chapter 18 and the
// pages of LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TDPBSSD and TDPBF16PS in volume 2.
//
//   Configure(config)   the shapes, all tiles zero; of this thread, until Release
//   Release()           no shapes: from here on the system need not save tiles of this thread
//   Zero<t>()
//   Load<t>(from, stride), Store<t>(to, stride)   the tile's rows, `stride` bytes apart
//   DotInt8<c, a, b>()  c[m][n] += sum over k of a[m][k] * b[k / 4][4 n + k % 4]: signed bytes,
//                       32-bit sums, exact
//   DotBf16<c, a, b>()  for each m, n: an even and an odd chain of fused steps from zero over the
//                       pairs k, a[m][2 k] * b[k][2 n] and a[m][2 k + 1] * b[k][2 n + 1]; then
//                       c[m][n] += even + odd; to nearest even, denormals are zero, whatever MXCSR
//                       says. Of 16 pairs: the group of 32 columns of ops/matmul.h
// a has as many rows as c, b's rows have as many bytes as c's, and a row of a as many groups of
// four bytes as b has rows.
#pragma once

#include <cstdint>

namespace hadal {

inline constexpr int kTileRegisters = 8;
inline constexpr int kMostTileRows = 16;
inline constexpr int kMostTileRowBytes = 64;

// Products with fewer rows of activations leave tiles alone: a dot takes the same time however few
// of its sixteen rows are used.
inline constexpr std::int64_t kFewestTileRows = 8;

// What LDTILECFG reads. A tile that is not used has no rows and no bytes.
struct TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

}  // namespace hadal
