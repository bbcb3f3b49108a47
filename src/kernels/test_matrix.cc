#include "kernels/test_matrix.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/bytes.h"
#include "kernels/cpu_level.h"
#include "kernels/test_emulated.h"
#include "numeric/formats.h"

namespace hadal::kernel_test {
namespace {

// Blocks that no encoder makes are random bytes with the halves at these offsets set to scales.
struct RandomBlock {
  WeightFormat format;
  DType dtype;
  std::vector<std::size_t> scale_offsets;
  float scale;
};
const RandomBlock kRandomBlocks[] = {
    {WeightFormat::kQ4_1, DType::kQ4_1, {0, 2}, 0.02f},
    {WeightFormat::kQ5_0, DType::kQ5_0, {0}, 0.01f},
    {WeightFormat::kQ5_1, DType::kQ5_1, {0, 2}, 0.01f},
    {WeightFormat::kQ4_K, DType::kQ4_K, {0, 2}, 0.0005f},
    {WeightFormat::kQ5_K, DType::kQ5_K, {0, 2}, 0.0003f},
    {WeightFormat::kQ6_K, DType::kQ6_K, {208}, 0.0002f},
};

struct Encoded {
  WeightFormat format;
  DType dtype;
};
constexpr Encoded kEncoded[] = {
    {WeightFormat::kF32, DType::kF32},   {WeightFormat::kF16, DType::kF16},
    {WeightFormat::kBF16, DType::kBF16}, {WeightFormat::kQ8_0, DType::kQ8_0},
    {WeightFormat::kQ4_0, DType::kQ4_0}, {WeightFormat::kGgufMxfp4, DType::kMXFP4},
};

std::vector<float> RandomRow(Random* random, std::int64_t columns) {
  std::vector<float> row(static_cast<std::size_t>(columns));
  const float scale = 1.0f / std::sqrt(static_cast<float>(columns));
  for (float& value : row) value = random->Normal() * scale;
  return row;
}

void SetData(Matrix* matrix, DType dtype, std::int64_t columns, std::int64_t skew) {
  matrix->linear.data =
      HostView(matrix->codes.data() + skew, dtype, {matrix->linear.stored_rows, columns});
}

void FillEncoded(Matrix* matrix, DType dtype, std::int64_t skew, Random* random) {
  const Linear& linear = matrix->linear;
  const auto row_bytes = static_cast<std::int64_t>(
      *RowBytes(dtype, static_cast<std::uint64_t>(linear.stored_columns)));
  matrix->codes.resize(static_cast<std::size_t>(row_bytes * linear.stored_rows + skew));
  for (std::int64_t r = 0; r < linear.stored_rows; ++r)
    EncodeRow(dtype, RandomRow(random, linear.stored_columns).data(), linear.stored_columns,
              matrix->codes.data() + skew + r * row_bytes);
  SetData(matrix, dtype, linear.stored_columns, skew);
}

void FillRandomBlocks(Matrix* matrix, const RandomBlock& kind, std::int64_t skew, Random* random) {
  const Linear& linear = matrix->linear;
  const DTypeInfo& info = Info(kind.dtype);
  const std::int64_t blocks = linear.stored_rows * linear.stored_columns / info.block_values;
  matrix->codes.resize(static_cast<std::size_t>(blocks * info.block_bytes + skew));
  for (std::byte& byte : matrix->codes) byte = static_cast<std::byte>(random->Next32() & 0xFFu);
  for (std::int64_t b = 0; b < blocks; ++b)
    for (const std::size_t offset : kind.scale_offsets) {
      const float scale = kind.scale * (0.5f + static_cast<float>(random->Uniform()));
      StoreUnaligned(matrix->codes.data() + skew + b * info.block_bytes + offset, F32ToF16(scale));
    }
  SetData(matrix, kind.dtype, linear.stored_columns, skew);
}

void FillFp8(Matrix* matrix, const MatrixShape& shape, Random* random) {
  std::vector<float> values;
  for (std::int64_t r = 0; r < shape.rows; ++r)
    for (const float value : RandomRow(random, shape.columns)) values.push_back(value);
  matrix->codes.resize(static_cast<std::size_t>(shape.rows * shape.columns + shape.skew));
  const int edge_rows = shape.block_rows > 0 ? shape.block_rows : shape.block;
  const std::int64_t block_rows = CeilDiv(shape.rows, edge_rows);
  const std::int64_t block_columns = CeilDiv(shape.columns, shape.block);
  const std::int64_t bytes = shape.e8m0 ? 1 : 4;
  matrix->scales.resize(static_cast<std::size_t>(block_rows * block_columns * bytes));
  for (std::int64_t br = 0; br < block_rows; ++br)
    for (std::int64_t bc = 0; bc < block_columns; ++bc) {
      const std::int64_t r = br * edge_rows, c = bc * shape.block;
      Fp8Tile tile;
      tile.values = values.data() + r * shape.columns + c;
      tile.value_stride = shape.columns;
      tile.rows = std::min<std::int64_t>(edge_rows, shape.rows - r);
      tile.columns = std::min<std::int64_t>(shape.block, shape.columns - c);
      tile.codes = matrix->codes.data() + shape.skew + r * shape.columns + c;
      tile.code_stride = shape.columns;
      const float scale = EncodeFp8Tile(tile, shape.e8m0);
      std::byte* at = matrix->scales.data() + (br * block_columns + bc) * bytes;
      if (shape.e8m0)
        *at = static_cast<std::byte>(F32ToE8m0Up(scale));
      else
        StoreUnaligned(at, scale);
    }
  matrix->linear.block = shape.block;
  matrix->linear.block_rows = edge_rows;
  matrix->linear.scale = HostView(matrix->scales.data(), shape.e8m0 ? DType::kF8E8M0 : DType::kF32,
                                  {block_rows, block_columns});
  SetData(matrix, DType::kF8E4M3, shape.columns, shape.skew);
}

void FillFp4(Matrix* matrix, const MatrixShape& shape, Random* random) {
  const bool nv = shape.format == WeightFormat::kNvfp4;
  const std::int64_t row_bytes = shape.columns / 2;
  const std::int64_t row_scales = shape.columns / (nv ? 16 : 32);
  matrix->codes.resize(static_cast<std::size_t>(shape.rows * row_bytes + shape.skew));
  matrix->scales.resize(static_cast<std::size_t>(shape.rows * row_scales));
  const float global =
      nv ? Nvfp4GlobalScale(6.0f / std::sqrt(static_cast<float>(shape.columns))) : 1.0f;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    const std::vector<float> row = RandomRow(random, shape.columns);
    std::byte* codes = matrix->codes.data() + shape.skew + r * row_bytes;
    std::byte* scales = matrix->scales.data() + r * row_scales;
    if (nv)
      EncodeNvfp4Row(row.data(), shape.columns, global, codes, scales);
    else
      EncodeMxfp4Row(row.data(), shape.columns, codes, scales);
  }
  matrix->linear.global_scale = global;
  matrix->linear.scale = HostView(matrix->scales.data(), nv ? DType::kF8E4M3 : DType::kF8E8M0,
                                  {shape.rows, row_scales});
  SetData(matrix, nv ? DType::kU8 : DType::kI8, row_bytes, shape.skew);
}

}  // namespace

std::vector<std::string> Levels() {
  std::vector<std::string> names;
  for (const CpuLevelInfo& info : AllCpuLevels())
    if (Supports(DetectCpuFeatures(), info.level)) names.emplace_back(info.name);
  return names;
}

std::vector<std::string> LevelsOfProducts() {
  std::vector<std::string> names = Levels();
  for (const EmulatedLevel& level : EmulatedLevels()) names.emplace_back(level.name);
  return names;
}

std::unique_ptr<Ops> OpsAt(const std::string& level, Profile profile, int threads) {
  if (auto emulated = MakeEmulatedOps(level, profile, threads)) return emulated;
  return MakeCpuOps({.profile = profile, .isa = level, .threads = threads}).value();
}

Rows::Rows(std::int64_t rows, std::int64_t columns, std::uint64_t seed, std::int64_t skew,
           std::int64_t extra_stride)
    : rows_(rows),
      columns_(columns),
      stride_(columns + extra_stride),
      memory_(std::make_shared<std::vector<float>>(
          static_cast<std::size_t>(rows * stride_ + skew + 16))) {
  const auto address = reinterpret_cast<std::uint64_t>(memory_->data());
  first_ = static_cast<std::int64_t>((RoundUp(address, 64) - address) / sizeof(float)) + skew;
  Random random(seed);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) row(r)[c] = random.Normal();
}

Rows Rows::Copy() const {
  Rows copy = *this;
  copy.memory_ = std::make_shared<std::vector<float>>(*memory_);
  return copy;
}

View Rows::view() const {
  View view = HostView(row(0), DType::kF32, {rows_, columns_});
  view.strides[0] = stride_;
  return view;
}

std::vector<float> Rows::Values() const {
  std::vector<float> values;
  for (std::int64_t r = 0; r < rows_; ++r) values.insert(values.end(), row(r), row(r) + columns_);
  return values;
}

std::unique_ptr<Matrix> MakeMatrix(const MatrixShape& shape, std::uint64_t seed) {
  auto matrix = std::make_unique<Matrix>();
  matrix->linear.format = shape.format;
  matrix->linear.stored_rows = shape.rows;
  matrix->linear.stored_columns = shape.columns;
  Random random(seed);
  for (const Encoded& kind : kEncoded)
    if (kind.format == shape.format) FillEncoded(matrix.get(), kind.dtype, shape.skew, &random);
  for (const RandomBlock& kind : kRandomBlocks)
    if (kind.format == shape.format) FillRandomBlocks(matrix.get(), kind, shape.skew, &random);
  if (shape.format == WeightFormat::kFp8Block) FillFp8(matrix.get(), shape, &random);
  if (shape.format == WeightFormat::kMxfp4 || shape.format == WeightFormat::kNvfp4)
    FillFp4(matrix.get(), shape, &random);
  return matrix;
}

std::vector<float> Decoded(const Linear& linear) {
  std::vector<float> values(static_cast<std::size_t>(linear.stored_rows * linear.stored_columns));
  const auto* data =
      reinterpret_cast<const std::byte*>(linear.data.handle + linear.data.offset_bytes);
  const std::uint64_t row_bytes =
      *RowBytes(linear.data.dtype, static_cast<std::uint64_t>(linear.data.strides[0]));
  for (std::int64_t r = 0; r < linear.stored_rows; ++r) {
    EncodedRow row;
    row.format = linear.format;
    row.codes = data + static_cast<std::uint64_t>(r) * row_bytes;
    row.block = linear.block;
    row.global_scale = linear.global_scale;
    if (!linear.scale.empty()) {
      const std::int64_t edge = linear.format == WeightFormat::kFp8Block ? linear.block_rows : 1;
      row.scale_dtype = linear.scale.dtype;
      row.scales =
          reinterpret_cast<const std::byte*>(linear.scale.handle) +
          (linear.first_row + r) / edge *
              static_cast<std::int64_t>(*RowBytes(
                  linear.scale.dtype, static_cast<std::uint64_t>(linear.scale.strides[0])));
    }
    DecodeRow(row, 0, linear.stored_columns, values.data() + r * linear.stored_columns);
  }
  return values;
}

std::int64_t FirstDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);
    if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]) && !both_nan)
      return static_cast<std::int64_t>(i);
  }
  return -1;
}

}  // namespace hadal::kernel_test
