// The products with bf16 activations; see bf16.h. After tile.h and scales.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

constexpr int kTileOutputs = 32;
constexpr int kTileParts = kTileOutputs / kPartLanes;
constexpr std::int64_t kTileColumns = 128;
constexpr std::int64_t kSharedRows = 128;    // of activations, per loaded tile
constexpr std::int64_t kLongestRow = 16384;  // of columns, that one row is kept of
constexpr std::int64_t kLongestStep = StepColumns<Fp8Codes>();
static_assert(kTileColumns % kLongestStep == 0);

// Columns 2i and 2i + 1 of every output of a tile, as f32.
struct PairOfColumns {
  float even[kTileOutputs];
  float odd[kTileOutputs];
};
struct Sums {
  float output[kTileOutputs];
};

// What a job keeps in its scratch.
struct Work {
  PairOfColumns pair[kTileColumns / 2];
  PaddedRows padded;
  float x[kSharedRows][kTileColumns];  // a piece of the activations as f32, padded to whole groups
  Sums partial[kSharedRows];           // of the scale block in progress
  Sums total[kSharedRows];
  float scale[kTileOutputs];
  float row[kLongestRow];  // one row of activations, multiplied for the bits of FP8 codes
};
static_assert(sizeof(Work) <= kMatMulScratchBytes);

// The columns in pieces that end with their scale block, or after kTileColumns. Scale blocks of
// one group (V4.1's), where a step of the codes has several, come several to a piece.
struct Piece {
  std::int64_t begin, end;
  std::int64_t block, block_end;  // the scale block that holds them, or the first of several
};
HADAL_INLINE bool HasShortBlocks(const WeightRows& weight) {
  return kLongestStep > kGroup && weight.format == WeightFormat::kFp8Block &&
         weight.block == kGroup;
}
HADAL_INLINE std::int64_t BlockColumns(const WeightRows& weight) {
  if (HasShortBlocks(weight)) return kTileColumns;
  return weight.format == WeightFormat::kFp8Block ? weight.block : weight.columns;
}
HADAL_INLINE Piece FirstPiece(const WeightRows& weight) {
  const std::int64_t block_end = Smaller(BlockColumns(weight), weight.columns);
  return {0, Smaller(block_end, kTileColumns), 0, block_end};
}
HADAL_INLINE Piece NextPiece(const WeightRows& weight, const Piece& piece) {
  Piece next = piece;
  next.begin = piece.end;
  if (piece.end == piece.block_end) {
    next.block += 1;
    next.block_end = Smaller(piece.block_end + BlockColumns(weight), weight.columns);
  }
  next.end = Smaller(next.block_end, next.begin + kTileColumns);
  return next;
}
HADAL_INLINE bool EndsScaleBlock(const WeightRows& weight, const Piece& piece) {
  return weight.format == WeightFormat::kFp8Block && piece.end == piece.block_end;
}

HADAL_INLINE Part ScalesAt(const WeightRows& weight, const ScaleRows<kPartLanes>& rows,
                           std::int64_t block, Work* work) {
  if (rows.same) return Same(ReadScale(weight, rows.row[0], block));
  ReadScales(weight, rows, block, work->scale);
  return Load(work->scale);
}

// Columns [k, k + n) of a row of activations as f32, denormals as zero; zeros to the end of the
// last group and as far as a step may read.
HADAL_INLINE void ReadActivations(const PreparedActivations& x, std::int64_t row, std::int64_t k,
                                  std::int64_t n, float* to) {
  const auto* from = static_cast<const std::uint16_t*>(x.codes) + row * x.code_stride + k;
  const std::int64_t padded = (n + kLongestStep - 1) / kLongestStep * kLongestStep;
  std::int64_t i = 0;
  for (; i + kPartLanes <= n; i += kPartLanes) {
    const Part value = FromBf16(from + i);
    const Part magnitude = Larger(value, Subtract(ZeroPart(), value));
    Store(to + i, IfLess(magnitude, Same(0x1p-126f), WithSign(ZeroPart(), value), value));
  }
  for (; i < padded; ++i) {
    unsigned bits = i < n ? static_cast<unsigned>(from[i]) << 16 : 0u;
    if ((bits & 0x7F80'0000u) == 0) bits &= 0x8000'0000u;
    __builtin_memcpy(to + i, &bits, sizeof(bits));
  }
}

// --- Few rows of activations: weights are used as they are transposed -------------------------

// The chains of one step: pairs come ascending within each group, kGroupPairs to a group.
template <int kRows, int kGroups>
struct FewRows {
  const float* x[kRows];  // of the step
  Part even[kGroups][kRows], odd[kGroups][kRows];

  HADAL_INLINE void Begin(const Work& work, std::int64_t column) {
    for (int r = 0; r < kRows; ++r) {
      x[r] = work.x[r] + column;
      for (int g = 0; g < kGroups; ++g) even[g][r] = odd[g][r] = ZeroPart();
    }
  }
  HADAL_INLINE void Take(int i, Part w_even, Part w_odd) {
    const int g = i / kGroupPairs;
    for (int r = 0; r < kRows; ++r) {
      even[g][r] = MultiplyAdd(Same(x[r][2 * i]), w_even, even[g][r]);
      odd[g][r] = MultiplyAdd(Same(x[r][2 * i + 1]), w_odd, odd[g][r]);
    }
  }
  HADAL_INLINE void AddGroup(int g, Part* sums) const {
    for (int r = 0; r < kRows; ++r) sums[r] = Add(sums[r], Add(even[g][r], odd[g][r]));
  }
};

// sums[r] + the columns [k, k + n) of kPartLanes outputs, for kRows rows of x.
template <int kRows, typename Codes>
HADAL_INLINE void AddColumns(Codes& codes, const WeightRows& weight, const OutputRows& rows,
                             const Piece& piece, Work* work, Part* sums) {
  constexpr int kStep = StepColumns<Codes>();
  const std::int64_t k = piece.begin, n = piece.end - piece.begin;
  FewRows<kRows, kStep / kGroup> few;
  const auto take = [&](int pair, Part even, Part odd) { few.Take(pair, even, odd); };
  std::int64_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    few.Begin(*work, i);
    AskAhead(weight, rows, (k + i) * Codes::kBytes, kPartLanes);
    EachPair<kRows <= 4>(codes, rows, (k + i) * Codes::kBytes, take);
    for (int g = 0; g < kStep / kGroup; ++g) few.AddGroup(g, sums);
  }
  if (i == n) return;
  few.Begin(*work, i);
  EachPair(codes, Pad<Codes>(rows, k + i, n - i, &work->padded), 0, take);
  // A group that is all padding is no group.
  for (int g = 0; g < kStep / kGroup; ++g)
    if (i + g * kGroup < n) few.AddGroup(g, sums);
}

// total + the columns of a piece whose every group is a scale block. The chain of a block begins
// from zero, as where a block is a piece.
template <int kRows, typename Codes>
HADAL_INLINE void AddShortBlocks(Codes& codes, const WeightRows& weight, const OutputRows& rows,
                                 const ScaleRows<kPartLanes>& scales, const Piece& piece,
                                 Work* work, Part* total) {
  constexpr int kStep = StepColumns<Codes>();
  FewRows<kRows, kStep / kGroup> few;
  const auto take = [&](int pair, Part even, Part odd) { few.Take(pair, even, odd); };
  for (std::int64_t k = piece.begin; k < piece.end; k += kStep) {
    few.Begin(*work, k - piece.begin);
    AskAhead(weight, rows, k * Codes::kBytes, kPartLanes);
    if (k + kStep <= piece.end)
      EachPair<kRows <= 4>(codes, rows, k * Codes::kBytes, take);
    else
      EachPair(codes, Pad<Codes>(rows, k, piece.end - k, &work->padded), 0, take);
    for (int g = 0; g < kStep / kGroup && k + g * kGroup < piece.end; ++g) {
      Part partial[kRows];
      for (int r = 0; r < kRows; ++r) partial[r] = ZeroPart();
      few.AddGroup(g, partial);
      const Part scale = ScalesAt(weight, scales, k / kGroup + g, work);
      for (int r = 0; r < kRows; ++r) total[r] = MultiplyAdd(partial[r], scale, total[r]);
    }
  }
}

template <int kRows, typename Codes>
HADAL_INLINE void FewRowsOutputs(const MatMulJob& job, std::int64_t output, Work* work) {
  const WeightRows& weight = job.weight;
  const OutputRows outputs = RowsFrom(weight, output, job.last_output);
  const auto scales = ScalesFrom<kPartLanes>(weight, output, job.last_output);
  Codes codes;
  Part partial[kRows], total[kRows];
  for (int r = 0; r < kRows; ++r) partial[r] = total[r] = ZeroPart();
  for (Piece piece = FirstPiece(weight); piece.begin < weight.columns;
       piece = NextPiece(weight, piece)) {
    for (int r = 0; r < kRows; ++r)
      ReadActivations(job.x, r, piece.begin, piece.end - piece.begin, work->x[r]);
    if constexpr (StepColumns<Codes>() > kGroup)
      if (HasShortBlocks(weight)) {
        AddShortBlocks<kRows>(codes, weight, outputs, scales, piece, work, total);
        continue;
      }
    AddColumns<kRows>(codes, weight, outputs, piece, work, partial);
    if (!EndsScaleBlock(weight, piece)) continue;
    ReadScales(weight, scales, piece.block, work->scale);
    for (int r = 0; r < kRows; ++r) {
      total[r] = MultiplyAdd(partial[r], Load(work->scale), total[r]);
      partial[r] = ZeroPart();
    }
  }
  const Part* sums = weight.format == WeightFormat::kFp8Block ? total : partial;
  for (int r = 0; r < kRows; ++r)
    StoreFirst(job.y + r * job.y_stride + output, codes.Finish(sums[r]), job.last_output - output);
}

// --- One row of activations and FP8 ----------------------------------------------------------

// Four groups go side by side, so that their chains need not wait, and the factor between the bits
// of a code and its value is in the activations: a product of two exact numbers is the same.
constexpr int kSideBySide = kTileColumns / kGroup;

// The activations times kBitsToValue in work->row, if each of them is small enough.
HADAL_INLINE bool ReadRowForBits(const MatMulJob& job, Work* work) {
  const WeightRows& weight = job.weight;
  const std::int64_t columns = weight.columns;
  if (columns > kLongestRow || columns % kTileColumns != 0) return false;
  if (weight.block != kTileColumns && weight.block != kGroup) return false;
  ReadActivations(job.x, 0, 0, columns, work->row);
  Part large = ZeroPart();
  for (std::int64_t i = 0; i < columns; i += kPartLanes) {
    const Part value = Load(work->row + i);
    const Part magnitude = Larger(value, Subtract(ZeroPart(), value));
    large = Larger(large, IfLess(magnitude, Same(0x1p8f), ZeroPart(), Same(1.0f)));
    Store(work->row + i, Multiply(value, Same(Fp8Codes::kBitsToValue)));
  }
  return LargestLane(large) == 0.0f;
}

// The sums of the groups from column k on, each even and odd chain added.
HADAL_INLINE void GroupsFromBits(Fp8Codes& codes, const OutputRows& rows, std::int64_t k,
                                 const float* x, Part (&group)[kSideBySide]) {
  constexpr int kBlocks = kTileColumns / 4 / kPartLanes;
  constexpr int kLanes = kGroup / 4;  // registers of a group
  Pairs column[kBlocks][kPartLanes];
  for (int b = 0; b < kBlocks; ++b) TransposeBlock(rows.row, k + b * kPartLanes * 4, column[b]);
  const Pairs* of_group = column[0];
  Part even[kSideBySide], odd[kSideBySide];
  for (int g = 0; g < kSideBySide; ++g) even[g] = odd[g] = ZeroPart();
#pragma GCC unroll 1
  for (int i = 0; i < kLanes; ++i)
    for (int g = 0; g < kSideBySide; ++g) {
      const float* at = x + g * kGroup + 4 * i;
      Part bits[4];
      codes.Bits(of_group[g * kLanes + i], bits);
      even[g] = MultiplyAdd(Same(at[0]), bits[0], even[g]);
      odd[g] = MultiplyAdd(Same(at[1]), bits[1], odd[g]);
      even[g] = MultiplyAdd(Same(at[2]), bits[2], even[g]);
      odd[g] = MultiplyAdd(Same(at[3]), bits[3], odd[g]);
    }
  for (int g = 0; g < kSideBySide; ++g) group[g] = Add(even[g], odd[g]);
}

// work->row times the rows of kPartLanes outputs.
HADAL_INLINE void OneRowOutputs(const MatMulJob& job, std::int64_t output, Work* work) {
  const WeightRows& weight = job.weight;
  const OutputRows rows = RowsFrom(weight, output, job.last_output);
  const auto scales = ScalesFrom<kPartLanes>(weight, output, job.last_output);
  const bool short_blocks = weight.block == kGroup;
  Fp8Codes codes;
  Part total = ZeroPart();
  for (std::int64_t k = 0; k < weight.columns; k += kTileColumns) {
    for (std::int64_t i = 0; i < kTileColumns; i += 64) AskAhead(weight, rows, k + i, kPartLanes);
    Part group[kSideBySide];
    GroupsFromBits(codes, rows, k, work->row + k, group);
    Part partial = ZeroPart();
    for (int g = 0; g < kSideBySide; ++g) {
      partial = Add(partial, group[g]);
      if (!short_blocks) continue;
      total = MultiplyAdd(partial, ScalesAt(weight, scales, k / kGroup + g, work), total);
      partial = ZeroPart();
    }
    if (short_blocks) continue;
    total = MultiplyAdd(partial, ScalesAt(weight, scales, k / kTileColumns, work), total);
  }
  StoreFirst(job.y + output, codes.Finish(total), job.last_output - output);
}

// job.x.rows rows, at most kStreamedRows.
template <int kRows, typename Codes>
HADAL_INLINE void StreamRows(const MatMulJob& job, Work* work) {
  if constexpr (kRows > 1)
    if (job.x.rows < kRows) return StreamRows<kRows - 1, Codes>(job, work);
  if constexpr (kRows == 1 && Codes::kBytes == 1)
    if (ReadRowForBits(job, work)) {
      for (std::int64_t o = job.first_output; o < job.last_output; o += kPartLanes)
        OneRowOutputs(job, o, work);
      return;
    }
  for (std::int64_t o = job.first_output; o < job.last_output; o += kPartLanes)
    FewRowsOutputs<kRows, Codes>(job, o, work);
}

// --- Many rows: a tile is kept as f32 while they pass ----------------------------------------

template <typename Codes>
HADAL_INLINE void LoadTile(const WeightRows& weight, Codes* codes_of, std::int64_t output,
                           std::int64_t last, std::int64_t k, std::int64_t n, Work* work) {
  constexpr int kStep = StepColumns<Codes>();
  for (int lane = 0; lane < kTileOutputs && output + lane < last; lane += kPartLanes) {
    const OutputRows rows = RowsFrom(weight, output + lane, last);
    Codes& codes = codes_of[lane / kPartLanes];
    for (std::int64_t i = 0; i < n; i += kStep) {
      AskAhead(weight, rows, (k + i) * Codes::kBytes, kTileOutputs);
      PairOfColumns* pairs = work->pair + i / 2;
      const auto keep = [&](int pair, Part even, Part odd) {
        Store(pairs[pair].even + lane, even);
        Store(pairs[pair].odd + lane, odd);
      };
      if (i + kStep <= n)
        EachPair(codes, rows, (k + i) * Codes::kBytes, keep);
      else
        EachPair(codes, Pad<Codes>(rows, k + i, n - i, &work->padded), 0, keep);
    }
  }
}

// One step of the chains of kRows rows and kCount registers of outputs: column k of x times w.
template <int kRows, int kCount>
HADAL_INLINE void AddColumn(const float (*x)[kTileColumns], std::int64_t k, const float* w,
                            Part (&chain)[kRows][kCount]) {
  Part column[kCount];
  for (int p = 0; p < kCount; ++p) column[p] = Load(w + p * kPartLanes);
  for (int r = 0; r < kRows; ++r) {
    const Part value = Same(x[r][k]);
    for (int p = 0; p < kCount; ++p) chain[r][p] = MultiplyAdd(value, column[p], chain[r][p]);
  }
}

// Adds the groups of a chunk to the sums of kRows rows and kCount registers of outputs.
template <int kRows, int kCount>
HADAL_INLINE void AddGroups(const PairOfColumns* pair, const float (*x)[kTileColumns],
                            std::int64_t begin, std::int64_t end, int lane, Sums* sums) {
  pair += begin / 2;
  for (std::int64_t g = begin; g < end; g += kGroup, pair += kGroupPairs) {
    Part even[kRows][kCount], odd[kRows][kCount];
    for (int r = 0; r < kRows; ++r)
      for (int p = 0; p < kCount; ++p) even[r][p] = odd[r][p] = ZeroPart();
    for (int i = 0; i < kGroupPairs; ++i) {
      AddColumn<kRows, kCount>(x, g + 2 * i, pair[i].even + lane, even);
      AddColumn<kRows, kCount>(x, g + 2 * i + 1, pair[i].odd + lane, odd);
    }
    for (int r = 0; r < kRows; ++r)
      for (int p = 0; p < kCount; ++p) {
        float* sum = sums[r].output + lane + p * kPartLanes;
        Store(sum, Add(Load(sum), Add(even[r][p], odd[r][p])));
      }
  }
}

template <int kRows>
HADAL_INLINE void AddRowsOf(const Work& work, std::int64_t row, std::int64_t begin,
                            std::int64_t end, Sums* sums) {
  for (int part = 0; part < kTileParts; part += kChainParts)
    AddGroups<kRows, kChainParts>(work.pair, work.x + row, begin, end, part * kPartLanes,
                                  sums + row);
}

// Columns [begin, end) of a piece, `begin` at a group.
HADAL_INLINE void AddChunk(const Work& work, std::int64_t rows, std::int64_t begin,
                           std::int64_t end, Sums* sums) {
  std::int64_t r = 0;
  for (; r + kChainRows <= rows; r += kChainRows) AddRowsOf<kChainRows>(work, r, begin, end, sums);
  if (rows - r == 3) {
    if constexpr (kChainRows > 3) AddRowsOf<3>(work, r, begin, end, sums);
  } else if (rows - r == 2) {
    AddRowsOf<2>(work, r, begin, end, sums);
  } else if (rows - r == 1) {
    AddRowsOf<1>(work, r, begin, end, sums);
  }
}

// total = fma(partial, scale, total), and the next scale block begins from zero.
HADAL_INLINE void EndScaleBlock(std::int64_t rows, Work* work) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (int i = 0; i < kTileOutputs; i += kPartLanes) {
      float* partial = work->partial[r].output + i;
      float* total = work->total[r].output + i;
      Store(total, MultiplyAdd(Load(partial), Load(work->scale + i), Load(total)));
      Store(partial, ZeroPart());
    }
}

// One tile of outputs for rows [first, first + rows) of activations.
template <typename Codes>
HADAL_INLINE void TileOutputs(const MatMulJob& job, std::int64_t output, std::int64_t first,
                              std::int64_t rows, Work* work) {
  const WeightRows& weight = job.weight;
  const auto scales = ScalesFrom<kTileOutputs>(weight, output, job.last_output);
  Codes codes[kTileParts];
  const auto bytes = static_cast<std::size_t>(rows) * sizeof(Sums);
  __builtin_memset(work->partial, 0, bytes);
  __builtin_memset(work->total, 0, bytes);
  for (Piece piece = FirstPiece(weight); piece.begin < weight.columns;
       piece = NextPiece(weight, piece)) {
    const std::int64_t k = piece.begin, n = piece.end - piece.begin;
    LoadTile(weight, codes, output, job.last_output, k, n, work);
    for (std::int64_t r = 0; r < rows; ++r) ReadActivations(job.x, first + r, k, n, work->x[r]);
    const std::int64_t block = HasShortBlocks(weight) ? kGroup : n;
    for (std::int64_t at = 0; at < n; at += block) {
      const std::int64_t end = Smaller(at + block, n);
      AddChunk(*work, rows, at, end, work->partial);
      if (!EndsScaleBlock(weight, piece)) continue;
      const std::int64_t index = HasShortBlocks(weight) ? (k + at) / kGroup : piece.block;
      ReadScales(weight, scales, index, work->scale);
      EndScaleBlock(rows, work);
    }
  }
  const Sums* sums = weight.format == WeightFormat::kFp8Block ? work->total : work->partial;
  for (std::int64_t r = 0; r < rows; ++r)
    for (int part = 0; part < kTileParts; ++part) {
      const int lane = part * kPartLanes;
      const std::int64_t left = job.last_output - output - lane;
      StoreFirst(job.y + (first + r) * job.y_stride + output + lane,
                 codes[part].Finish(Load(sums[r].output + lane)), left);
    }
}

// Never inlined: the compiler may move arithmetic within a function across the change of mode.
template <typename Codes>
__attribute__((noinline)) void DotAll(const MatMulJob& job) noexcept {
  auto* work = reinterpret_cast<Work*>(job.scratch);
  if (job.x.rows <= kStreamedRows) return StreamRows<kStreamedRows, Codes>(job, work);
  for (std::int64_t r = 0; r < job.x.rows; r += kSharedRows) {
    const std::int64_t rows = Smaller(job.x.rows - r, kSharedRows);
    for (std::int64_t o = job.first_output; o < job.last_output; o += kTileOutputs)
      TileOutputs<Codes>(job, o, r, rows, work);
  }
}

template <typename Codes>
void Bf16DotWide(const MatMulJob& job) noexcept {
  const typename Codes::Mode mode;
  DotAll<Codes>(job);
}

void PrepareBf16Wide(const PrepareJob& job) noexcept {
  for (std::int64_t r = job.first_row; r < job.last_row; ++r) {
    const float* x = job.x + r * job.x_stride;
    auto* codes = static_cast<std::uint16_t*>(job.out.codes) + r * job.out.code_stride;
    std::int64_t k = 0;
    for (; k + kPartLanes <= job.out.columns; k += kPartLanes) ToBf16(codes + k, Load(x + k));
    if (k == job.out.columns) continue;
    std::uint16_t last[kPartLanes];
    ToBf16(last, LoadFirst(x + k, job.out.columns - k));
    __builtin_memcpy(codes + k, last, 2 * static_cast<std::size_t>(job.out.columns - k));
  }
}

void FillBf16Wide(MatMulTable* table) {
  table->fast[static_cast<int>(WeightFormat::kBF16)] = Bf16DotWide<Bf16Codes>;
  table->fast[static_cast<int>(WeightFormat::kFp8Block)] = Bf16DotWide<Fp8Codes>;
  table->prepare[static_cast<int>(ActivationForm::kBF16)] = PrepareBf16Wide;
}

}  // namespace
}  // namespace hadal
