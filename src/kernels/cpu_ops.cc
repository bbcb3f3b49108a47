#include "kernels/cpu_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "base/bytes.h"
#include "base/zeroed_pages.h"
#include "kernels/cpu_ops_class.h"
#include "kernels/host_view.h"
#include "kernels/reference/reference_ops.h"
#include "kernels/thread_scratch.h"
#include "numeric/math.h"

namespace hadal {
namespace {

constexpr std::align_val_t kLine{64};

}  // namespace

Result<std::unique_ptr<Ops>> MakeCpuOps(const CpuOpsOptions& options) {
  HADAL_ASSIGN_OR_RETURN(const CpuLevel level, ChooseCpuLevel(DetectCpuFeatures(), options.isa));
  if (options.profile == Profile::kReference)
    return std::unique_ptr<Ops>(new ReferenceOps(level, options.threads));
  return std::unique_ptr<Ops>(new CpuOps(level, options.profile, options.threads));
}

CpuOps::CpuOps(CpuLevel level, Profile profile, int threads)
    : kernels_(MakeKernelTable(level)), level_(level), profile_(profile), pool_(threads) {}

View CpuOps::Allocate(std::uint64_t bytes) noexcept {
  const std::uint64_t size = RoundUp(std::max<std::uint64_t>(bytes, 1), 64);
  if (size < bytes) return View{};
  void* memory = nullptr;
  if (bytes >= kLargeBlockBytes) {
    memory = TakeZeroedPages(bytes);
  } else {
    memory = ::operator new(size, kLine, std::nothrow);
    if (memory != nullptr) std::memset(memory, 0, size);
  }
  if (memory == nullptr) return View{};
  return HostView(memory, DType::kU8, {static_cast<std::int64_t>(bytes)});
}

void CpuOps::Free(const View& view) noexcept {
  if (view.empty()) return;
  HADAL_CHECK(view.dtype == DType::kU8 && view.rank == 1, "a view that Allocate did not make");
  const auto bytes = static_cast<std::uint64_t>(view.shape[0]);
  if (bytes >= kLargeBlockBytes)
    FreeZeroedPages(Address<void>(view), bytes);
  else
    ::operator delete(Address<void>(view), kLine);
}

const void* CpuOps::Fetch(const View& view) noexcept { return Address<const void>(view); }

void CpuOps::Put(const View& view, const void* from, std::uint64_t bytes) noexcept {
  if (bytes > 0) std::memcpy(Address<void>(view), from, bytes);
}

void CpuOps::ForParts(std::int64_t count, std::int64_t work,
                      const std::function<void(std::int64_t first, std::int64_t last)>& fn) {
  constexpr std::int64_t kWorthATask = 16384;  // values; below, waking a thread costs more
  if (count <= 0) return;
  const std::int64_t most =
      std::max<std::int64_t>(1, count * std::max<std::int64_t>(work, 1) / kWorthATask);
  const std::int64_t parts =
      std::min({count, most, static_cast<std::int64_t>(4 * pool_.threads())});
  if (parts <= 1 || pool_.threads() == 1) return fn(0, count);
  pool_.Run(parts,
            [&](std::int64_t part) { fn(part * count / parts, (part + 1) * count / parts); });
}

void CpuOps::Run(const RmsNorm& call) noexcept {
  const HostRows x = RowsOf(call.x), y = RowsOf(call.y);
  const float* weight = call.weight.empty() ? nullptr : Address<const float>(call.weight);
  ForParts(x.rows, x.columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      kernels_.rows.rms_norm({x.Row(r), weight, call.epsilon, x.columns, y.Row(r)});
  });
}

void CpuOps::Run(const LayerNorm& call) noexcept {
  const HostRows x = RowsOf(call.x), y = RowsOf(call.y);
  const float* weight = Address<const float>(call.weight);
  const float* bias = Address<const float>(call.bias);
  ForParts(x.rows, x.columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      kernels_.rows.layer_norm({x.Row(r), weight, bias, call.epsilon, x.columns, y.Row(r)});
  });
}

void CpuOps::Run(const SiluMul& call) noexcept {
  const HostRows gate = RowsOf(call.gate), up = RowsOf(call.up), y = RowsOf(call.y);
  const float limit = call.limit == 0.0f ? std::numeric_limits<float>::infinity() : call.limit;
  const std::span<const float> weights = call.row_weights;
  HADAL_CHECK(weights.empty() || std::ssize(weights) == y.rows, "a weight for each row");
  ForParts(y.rows, 4 * y.columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      kernels_.rows.silu_mul({gate.Row(r), up.Row(r), y.columns, y.Row(r), limit,
                              weights.empty() ? 1.0f : weights[static_cast<std::size_t>(r)]});
  });
}

void CpuOps::Run(const AddRows& call) noexcept {
  const HostRows x = RowsOf(call.x), y = RowsOf(call.y);
  ForParts(y.rows, y.columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) kernels_.rows.add(x.Row(r), y.columns, y.Row(r));
  });
}

void CpuOps::Zero(const View& view) noexcept {
  const HostRows y = RowsOf(view);
  for (std::int64_t r = 0; r < y.rows; ++r) std::fill_n(y.Row(r), y.columns, 0.0f);
}

void CpuOps::Run(const Rope& call) noexcept {
  const HostRows x = RowsOf(call.x.rows), y = RowsOf(call.y.rows);
  const HostRows cos = RowsOf(call.cos), sin = RowsOf(call.sin);
  const auto rotate =
      call.layout == RopeLayout::kHalf ? kernels_.rows.rope_half : kernels_.rows.rope_interleaved;
  ForParts(x.rows, call.heads * call.width, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      for (std::int64_t h = 0; h < call.heads; ++h)
        rotate({x.Row(r) + h * call.x.head_stride + call.x.first_column,
                y.Row(r) + h * call.y.head_stride + call.y.first_column, cos.Row(r), sin.Row(r),
                call.width / 2, call.inverse ? -1.0f : 1.0f});
  });
}

void CpuOps::Run(const RopeAngles& call) noexcept {
  const HostRows cos = RowsOf(call.cos), sin = RowsOf(call.sin);
  const auto half = static_cast<std::int64_t>(call.frequencies.size());
  constexpr std::int64_t kStepsPerAngle = 32;
  ForParts(std::ssize(call.positions), half * kStepsPerAngle,
           [&](std::int64_t first, std::int64_t last) {
             for (std::int64_t r = first; r < last; ++r) {
               const auto position =
                   static_cast<float>(call.positions[static_cast<std::size_t>(r)]);
               for (std::int64_t i = 0; i < half; ++i) {
                 const SineCosine angle =
                     SinCos(position * call.frequencies[static_cast<std::size_t>(i)]);
                 cos.Row(r)[i] = angle.cosine * call.magnitude;
                 sin.Row(r)[i] = angle.sine * call.magnitude;
               }
             }
           });
}

void CpuOps::Run(const StoreRows& call) noexcept {
  const HostRows x = RowsOf(call.x);
  const CachedRows to = CachedRowsOf(call.to);
  HADAL_CHECK(x.columns == call.to.width, "rows of another width than the cache's");
  const CacheRowShape shape{call.to.form, call.to.width, call.to.plain_columns};
  const bool rounded = shape.form != CacheForm::kPlain && to.dtype == DType::kBF16;
  HADAL_CHECK(shape.form == CacheForm::kPlain || to.dtype != DType::kF32,
              "f32 rows of a packed form");
  // A value of a packed form costs about as much as sixteen that are copied.
  const std::int64_t work = x.columns * (shape.form == CacheForm::kPlain ? 1 : 16);
  ForParts(x.rows, work, [&](std::int64_t first, std::int64_t last) {
    auto* scratch = reinterpret_cast<float*>(
        rounded ? ThreadScratch(static_cast<std::size_t>(x.columns) * sizeof(float)) : nullptr);
    for (std::int64_t r = first; r < last; ++r) {
      auto* row = const_cast<std::byte*>(AddressOf(to, call.position + r));
      const float* values = x.Row(r);
      if (to.dtype == DType::kU8) {
        EncodeRow(shape, values, row);
      } else if (to.dtype == DType::kF32) {
        std::memcpy(row, values, to.row_stride_bytes);
      } else {
        if (rounded) RoundRow(shape, values, scratch);
        kernels_.rows.to_bf16(rounded ? scratch : values, x.columns,
                              reinterpret_cast<std::uint16_t*>(row));
      }
    }
  });
}

void CpuOps::Run(const Hadamard& call) noexcept {
  const HostRows x = RowsOf(call.x), y = RowsOf(call.y);
  HADAL_CHECK(x.columns == call.heads * call.width && y.columns == x.columns,
              "heads that do not make up a row");
  HADAL_CHECK(call.width > 0 && (call.width & (call.width - 1)) == 0,
              "a Hadamard width that is no power of two");
  ForParts(x.rows, 8 * x.columns, [&](std::int64_t first, std::int64_t last) {
    auto* scratch = reinterpret_cast<float*>(
        ThreadScratch(static_cast<std::size_t>(call.width) * sizeof(float)));
    for (std::int64_t r = first; r < last; ++r) {
      if (x.Row(r) != y.Row(r)) std::copy_n(x.Row(r), x.columns, y.Row(r));
      for (std::int64_t h = 0; h < call.heads; ++h)
        kernels_.rows.hadamard(y.Row(r) + h * call.width, call.width, scratch);
    }
  });
}

void CpuOps::TakeRows(const View& from, std::span<const std::int32_t> rows,
                      const View& to) noexcept {
  const HostRows x = RowsOf(from), y = RowsOf(to);
  const auto bytes = static_cast<std::size_t>(x.columns) * sizeof(float);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(y.Row(static_cast<std::int64_t>(i)), x.Row(rows[i]), bytes);
}

void CpuOps::AddScaledRows(const View& from, std::span<const std::int32_t> rows,
                           std::span<const float> weights, const View& to) noexcept {
  const HostRows x = RowsOf(from), y = RowsOf(to);
  // Cut by columns: two entries of `rows` may name one row.
  constexpr std::int64_t kColumns = 64;
  ForParts(CeilDiv(x.columns, kColumns), kColumns * std::ssize(rows),
           [&](std::int64_t first, std::int64_t last) {
             const std::int64_t begin = first * kColumns;
             const std::int64_t count = std::min(last * kColumns, x.columns) - begin;
             for (std::size_t i = 0; i < rows.size(); ++i)
               kernels_.rows.add_scaled(x.Row(static_cast<std::int64_t>(i)) + begin, weights[i],
                                        count, y.Row(rows[i]) + begin);
           });
}

}  // namespace hadal
