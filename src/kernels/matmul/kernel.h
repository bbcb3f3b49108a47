// The contract between the CPU's Ops (cpu_ops) and the matmul kernels: one job is a range of
// outputs of one product, for all rows of activations. Kernels see addresses and strides, never
// Views, and all of them that share a row of the table below give the same bits on every level
// (ops/matmul.h states the orders).
//
// Thread contract: a job owns y[*, first_output .. last_output) and its scratch; everything else is
// read only. A job neither allocates nor fails; HADAL_CHECKs belong to the caller.
//
// Per-ISA files include this header and intrinsics only, and export nothing but a function that
// fills its entries in: so no inline code that was compiled with wide instructions can be the copy
// that the linker keeps. The structs below are plain for the same reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numeric/weight_format.h"

namespace hadal {

// Stored rows of a weight in host memory. No address needs any alignment.
struct WeightRows {
  WeightFormat format = WeightFormat::kF32;
  const std::byte* data = nullptr;  // row 0 of this weight
  std::int64_t row_stride_bytes = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;  // values, a multiple of Info(format).block_values

  // kFp8Block, kMxfp4, kNvfp4: the scales of the WHOLE stored matrix; row r of this weight is the
  // stored row first_row + r.
  const std::byte* scale = nullptr;
  std::int64_t scale_row_stride_bytes = 0;
  DType scale_dtype = DType::kF32;  // kFp8Block: F32 or E8M0; kMxfp4: E8M0; kNvfp4: E4M3
  std::int64_t first_row = 0;
  int block = 128;            // kFp8Block: columns of a scale block
  int block_rows = 128;       // kFp8Block: its rows; `block` in every product
  float global_scale = 1.0f;  // kNvfp4
};

// A kernel that works on sixteen rows at once may read as many in any case.
inline constexpr std::int64_t kRowsBehind = 15;

// Rows of activations, turned into the form that a weight wants.
struct PreparedActivations {
  ActivationForm form = ActivationForm::kF32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;

  // f32 (kF32), bf16 bits (kBF16), int8 (kInt8x32, kInt8x256). But for kF32, kRowsBehind rows more
  // may be read, whatever is in them.
  void* codes = nullptr;
  std::int64_t code_stride = 0;  // values from row to row

  // The int8 forms only.
  float* scales = nullptr;       // [rows, columns / 32 or / 256], dense: d of each block
  std::int16_t* sums = nullptr;  // [rows, columns / 16], dense: sum of the codes of 16 columns
};

struct MatMulJob {
  WeightRows weight;
  PreparedActivations x;  // the form of the kernel; rows >= 1
  float* y = nullptr;     // [rows, outputs] of the whole product, overwritten; no bias
  std::int64_t y_stride = 0;
  std::int64_t first_output = 0;  // plain: stored rows; transposed: stored columns
  std::int64_t last_output = 0;   // one past the end
  std::byte* scratch = nullptr;   // kMatMulScratchBytes, 64-byte aligned, this thread's own
};

using MatMulKernel = void (*)(const MatMulJob& job) noexcept;

// Turns rows [first_row, last_row) of x, `columns` f32 values each, into out's form.
struct PrepareJob {
  const float* x = nullptr;
  std::int64_t x_stride = 0;  // values from row to row
  PreparedActivations out;
  std::int64_t first_row = 0;
  std::int64_t last_row = 0;
};

using PrepareKernel = void (*)(const PrepareJob& job) noexcept;

inline constexpr int kWeightFormats = 15;   // values of WeightFormat
inline constexpr int kActivationForms = 4;  // values of ActivationForm

// Outputs of one job are best a multiple of this (whole vector tiles of every level); any count is
// right.
inline constexpr std::int64_t kOutputTile = 32;
inline constexpr std::size_t kMatMulScratchBytes = 192 * 1024;

// The kernels of one level, by WeightFormat and by ActivationForm.
struct MatMulTable {
  MatMulKernel fast[kWeightFormats];        // x in Info(format).activation
  MatMulKernel exact[kWeightFormats];       // profile `float`: x in kF32
  MatMulKernel transposed[kWeightFormats];  // both profiles: x in kF32
  PrepareKernel prepare[kActivationForms];  // kF32: null, x is used where it lies
};

// Memory for the form (codes, then scales, then sums; each part 64-byte aligned; kRowsBehind rows
// of codes end in it too), and the struct with its addresses set into such memory (64-byte
// aligned).
std::size_t PreparedBytes(ActivationForm form, std::int64_t rows, std::int64_t columns);
PreparedActivations PlacePrepared(ActivationForm form, std::int64_t rows, std::int64_t columns,
                                  std::byte* memory);

}  // namespace hadal
