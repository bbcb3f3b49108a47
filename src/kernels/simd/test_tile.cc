#include "kernels/simd/test_tile.h"

#include <xmmintrin.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace hadal::emulated_tile {
namespace {

struct Tile {
  int rows = 0, row_bytes = 0;
  std::uint8_t row[kMostTileRows][kMostTileRowBytes] = {};
};
struct Registers {
  bool configured = false;
  Tile tile[kTileRegisters];
};
thread_local Registers registers;

Tile& Configured(int tile) {
  HADAL_CHECK(registers.configured && tile >= 0 && tile < kTileRegisters, "a tile without shapes");
  HADAL_CHECK(registers.tile[tile].rows > 0, "a tile without a shape");
  return registers.tile[tile];
}

// The three tiles of a dot, whose shapes fit.
struct Operands {
  Tile& c;
  const Tile& a;
  const Tile& b;
};
Operands OperandsOf(int c, int a, int b) {
  HADAL_CHECK(c != a && a != b && b != c, "a dot of a tile with itself");
  const Operands tiles{Configured(c), Configured(a), Configured(b)};
  HADAL_CHECK(tiles.a.rows == tiles.c.rows && tiles.b.row_bytes == tiles.c.row_bytes &&
                  tiles.a.row_bytes == 4 * tiles.b.rows && tiles.c.row_bytes % 4 == 0,
              "a dot of tiles whose shapes do not fit");
  return tiles;
}

// The processor's usual mode while it lives: tiles do not look at this thread's.
class UsualMode {
 public:
  UsualMode() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~UsualMode() { _mm_setcsr(before_); }
  UsualMode(const UsualMode&) = delete;
  UsualMode& operator=(const UsualMode&) = delete;

 private:
  unsigned before_;
};

float DenormalIsZero(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}
float FromBf16(std::uint16_t code) {
  return DenormalIsZero(std::bit_cast<float>(static_cast<std::uint32_t>(code) << 16));
}

// x * w + sum of numbers that are not denormal, rounded once; zero where that is below the normal
// numbers. What counts is the result
// rounded to 24 bits with any exponent, so that numbers from 2^-126 - 2^-151 on are 2^-126. Below
// 2^-125 the double next to the exact sum lies on the same side of that limit.
float FusedStep(float x, float w, float sum) {
  const float rounded = std::fma(x, w, sum);
  if (!(std::fabs(rounded) <= 0x1p-126f)) return rounded;
  const double exact =
      std::fma(static_cast<double>(x), static_cast<double>(w), static_cast<double>(sum));
  return std::fabs(exact) < 0x1p-126 - 0x1p-151 ? std::copysign(0.0f, rounded) : rounded;
}
float Sum(float a, float b) { return DenormalIsZero(DenormalIsZero(a) + DenormalIsZero(b)); }

// Never inlined: no arithmetic may leave the mode that its caller sets.
[[gnu::noinline]] void AddBf16(const Operands& tiles) {
  constexpr int kPairs = kMostTileRowBytes / 4, kColumns = kMostTileRowBytes / 4;
  float weights[kPairs][2][kColumns];
  for (int k = 0; k < tiles.b.rows; ++k)
    for (int n = 0; n < kColumns; ++n)
      for (int side = 0; side < 2; ++side) {
        std::uint16_t code;
        std::memcpy(&code, tiles.b.row[k] + 4 * n + 2 * side, 2);
        weights[k][side][n] = FromBf16(code);
      }
  for (int m = 0; m < tiles.c.rows; ++m) {
    float chain[2][kColumns] = {};
    for (int k = 0; k < tiles.b.rows; ++k)
      for (int side = 0; side < 2; ++side) {
        std::uint16_t code;
        std::memcpy(&code, tiles.a.row[m] + 4 * k + 2 * side, 2);
        const float x = FromBf16(code);
        for (int n = 0; n < tiles.c.row_bytes / 4; ++n)
          chain[side][n] = FusedStep(x, weights[k][side][n], chain[side][n]);
      }
    for (int n = 0; n < tiles.c.row_bytes / 4; ++n) {
      float sum;
      std::memcpy(&sum, tiles.c.row[m] + 4 * n, 4);
      sum = Sum(sum, Sum(chain[0][n], chain[1][n]));
      std::memcpy(tiles.c.row[m] + 4 * n, &sum, 4);
    }
  }
}

}  // namespace

void Configure(const TileConfig& config) {
  HADAL_CHECK(config.palette == 1 && config.start_row == 0, "tiles of another palette");
  for (const std::uint8_t byte : config.reserved) HADAL_CHECK(byte == 0, "tiles of another kind");
  for (int i = 0; i < 16; ++i) {
    const int rows = config.rows[i], row_bytes = config.row_bytes[i];
    HADAL_CHECK(rows <= kMostTileRows && row_bytes <= kMostTileRowBytes, "a tile too large");
    HADAL_CHECK((rows == 0) == (row_bytes == 0), "a tile with rows of nothing");
    HADAL_CHECK(i < kTileRegisters || rows == 0, "a ninth tile");
  }
  registers = {};
  registers.configured = true;
  for (int i = 0; i < kTileRegisters; ++i) {
    registers.tile[i].rows = config.rows[i];
    registers.tile[i].row_bytes = config.row_bytes[i];
  }
}

void Release() { registers = {}; }

void Zero(int tile) {
  Tile& to = Configured(tile);
  std::memset(to.row, 0, sizeof(to.row));
}

void Load(int tile, const void* from, std::int64_t stride) {
  Tile& to = Configured(tile);
  std::memset(to.row, 0, sizeof(to.row));
  for (int r = 0; r < to.rows; ++r)
    std::memcpy(to.row[r], static_cast<const std::byte*>(from) + r * stride,
                static_cast<std::size_t>(to.row_bytes));
}

void Store(int tile, void* to, std::int64_t stride) {
  const Tile& from = Configured(tile);
  for (int r = 0; r < from.rows; ++r)
    std::memcpy(static_cast<std::byte*>(to) + r * stride, from.row[r],
                static_cast<std::size_t>(from.row_bytes));
}

void DotInt8(int c, int a, int b) {
  constexpr int kColumns = kMostTileRowBytes / 4;
  const Operands tiles = OperandsOf(c, a, b);
  std::int16_t weights[kMostTileRowBytes][kColumns];  // side by side, as compilers want them
  for (int k = 0; k < tiles.a.row_bytes; ++k)
    for (int n = 0; n < kColumns; ++n)
      weights[k][n] = static_cast<std::int8_t>(tiles.b.row[k / 4][4 * n + k % 4]);
  for (int m = 0; m < tiles.c.rows; ++m) {
    std::uint32_t sums[kColumns];  // wrap around, as the instruction's do
    std::memcpy(sums, tiles.c.row[m], sizeof(sums));
    for (int k = 0; k < tiles.a.row_bytes; ++k) {
      const std::int16_t value = static_cast<std::int8_t>(tiles.a.row[m][k]);
      for (int n = 0; n < kColumns; ++n)
        sums[n] += static_cast<std::uint32_t>(value * weights[k][n]);
    }
    std::memcpy(tiles.c.row[m], sums, static_cast<std::size_t>(tiles.c.row_bytes));
  }
}

void DotBf16(int c, int a, int b) {
  const Operands tiles = OperandsOf(c, a, b);
  const UsualMode mode;
  AddBf16(tiles);
}

}  // namespace hadal::emulated_tile
