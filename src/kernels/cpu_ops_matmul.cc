// Products: which kernel, which form of the activations, and how outputs are cut into tasks.
#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "kernels/cpu_ops_class.h"
#include "kernels/host_view.h"
#include "kernels/thread_scratch.h"

namespace hadal {
namespace {

// Of a plain weight tensor: the bytes between its rows.
std::int64_t RowStrideBytes(const View& view) {
  const auto bytes = RowBytes(view.dtype, static_cast<std::uint64_t>(view.strides[0]));
  HADAL_CHECK(bytes.has_value(), "weight rows that are no whole number of blocks");
  return static_cast<std::int64_t>(*bytes);
}

WeightRows WeightOf(const Linear& linear) {
  WeightRows weight;
  weight.format = linear.format;
  weight.data = Address<const std::byte>(linear.data);
  weight.row_stride_bytes = RowStrideBytes(linear.data);
  weight.rows = linear.stored_rows;
  weight.columns = linear.stored_columns;
  weight.first_row = linear.first_row;
  weight.block = linear.block;
  weight.block_rows = linear.block_rows;
  weight.global_scale = linear.global_scale;
  if (!linear.scale.empty()) {
    weight.scale = Address<const std::byte>(linear.scale);
    weight.scale_row_stride_bytes = RowStrideBytes(linear.scale);
    weight.scale_dtype = linear.scale.dtype;
  }
  return weight;
}

// Rows [first, first + count) of prepared activations.
PreparedActivations RowsOf(const PreparedActivations& x, std::int64_t first, std::int64_t count) {
  PreparedActivations part = x;
  part.rows = count;
  const std::int64_t code_bytes = x.form == ActivationForm::kF32    ? 4
                                  : x.form == ActivationForm::kBF16 ? 2
                                                                    : 1;
  part.codes = static_cast<std::byte*>(x.codes) + first * x.code_stride * code_bytes;
  if (x.scales == nullptr) return part;
  const std::int64_t block = x.form == ActivationForm::kInt8x256 ? 256 : 32;
  part.scales = x.scales + first * (x.columns / block);
  part.sums = x.sums + first * (x.columns / 16);
  return part;
}

int IndexOf(WeightFormat format) { return static_cast<int>(format); }

}  // namespace

ActivationForm CpuOps::FormOf(const Linear& weight) const {
  const bool plain = profile_ != Profile::kFast || weight.transposed || weight.exact;
  return plain ? ActivationForm::kF32 : Info(weight.format).activation;
}

MatMulKernel CpuOps::KernelOf(const Linear& weight) const {
  const MatMulTable& table = kernels_.matmul;
  if (weight.transposed) return table.transposed[IndexOf(weight.format)];
  if (profile_ != Profile::kFast || weight.exact) return table.exact[IndexOf(weight.format)];
  return table.fast[IndexOf(weight.format)];
}

void CpuOps::CollectProducts(std::span<const MatMul> calls) {
  products_.clear();
  for (const MatMul& call : calls) {
    const Linear& linear = *call.weight;
    const HostRows x = RowsOf(call.x), y = RowsOf(call.y);
    HADAL_CHECK(x.columns == linear.inputs() && y.columns == linear.outputs() && x.rows == y.rows,
                "a product of shapes that do not fit");
    HADAL_CHECK(linear.format != WeightFormat::kFp8Block || linear.block_rows == linear.block,
                "a product with scales that a square block does not share");
    Product product;
    product.kernel = KernelOf(linear);
    product.weight = WeightOf(linear);
    product.x = {.form = ActivationForm::kF32,
                 .rows = x.rows,
                 .columns = x.columns,
                 .codes = x.data,
                 .code_stride = x.stride};
    product.y = y.data;
    product.y_stride = y.stride;
    product.bias = linear.bias.empty() ? nullptr : Address<const float>(linear.bias);
    product.outputs = linear.outputs();
    products_.push_back(product);
    if (x.rows > 0) weight_bytes_read_ += StoredBytes(linear);
  }
}

void CpuOps::PrepareActivations(std::span<const MatMul> calls) {
  preparations_.clear();
  preparation_of_.assign(products_.size(), std::size_t(-1));
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < products_.size(); ++i) {
    const PreparedActivations& x = products_[i].x;
    const ActivationForm form = FormOf(*calls[i].weight);
    if (form == ActivationForm::kF32 || x.rows == 0) continue;
    const auto same = [&](const Preparation& p) {
      return p.x == x.codes && p.x_stride == x.code_stride && p.out.form == form &&
             p.out.rows == x.rows && p.out.columns == x.columns;
    };
    const auto found = std::find_if(preparations_.begin(), preparations_.end(), same);
    preparation_of_[i] = static_cast<std::size_t>(found - preparations_.begin());
    if (found != preparations_.end()) continue;
    Preparation made;
    made.x = static_cast<const float*>(x.codes);
    made.x_stride = x.code_stride;
    made.out.form = form;
    made.out.rows = x.rows;
    made.out.columns = x.columns;
    preparations_.push_back(made);
    bytes += RoundUp(PreparedBytes(form, x.rows, x.columns), 64);
  }
  if (preparations_.empty()) return;

  if (prepared_.size() < bytes + 64) prepared_.resize(bytes + 64);
  auto address = RoundUp(reinterpret_cast<std::uint64_t>(prepared_.data()), 64);
  std::int64_t rows = 0, values = 0;
  for (Preparation& p : preparations_) {
    const std::size_t size = PreparedBytes(p.out.form, p.out.rows, p.out.columns);
    p.out =
        PlacePrepared(p.out.form, p.out.rows, p.out.columns, reinterpret_cast<std::byte*>(address));
    address += RoundUp(size, 64);
    rows += p.out.rows;
    values += p.out.rows * p.out.columns;
  }
  // Rows of all preparations, counted through.
  ForParts(rows, values / rows, [&](std::int64_t first, std::int64_t last) {
    std::int64_t begin = 0;
    for (const Preparation& p : preparations_) {
      const std::int64_t from = std::max(first - begin, std::int64_t{0});
      const std::int64_t to = std::min(last - begin, p.out.rows);
      begin += p.out.rows;
      if (from >= to) continue;
      kernels_.matmul.prepare[static_cast<int>(p.out.form)]({p.x, p.x_stride, p.out, from, to});
    }
  });
  for (std::size_t i = 0; i < products_.size(); ++i)
    if (preparation_of_[i] < preparations_.size())
      products_[i].x = preparations_[preparation_of_[i]].out;
}

// Gives every product its tiles and says how many tasks there are: several a thread, so that the
// last ones even out. Outputs are cut first, since a task reads its weights for all of its rows;
// rows only where there are more threads than tiles of outputs.
std::int64_t CpuOps::CutProducts() {
  constexpr std::int64_t kTasksPerThread = 16;
  constexpr std::int64_t kDecodeWork = 4;  // reading a weight costs about as much as four rows
  constexpr std::int64_t kRowTile = 64;
  const auto work = [](const Product& p) {
    return (p.x.rows + kDecodeWork) * std::max<std::int64_t>(p.x.columns, 1);
  };
  std::int64_t total = 0;
  for (const Product& p : products_) total += work(p) * p.outputs;
  const std::int64_t wanted = total / (kTasksPerThread * pool_.threads()) + 1;
  std::int64_t tasks = 0;
  for (Product& p : products_) {
    p.tile = CeilDiv(CeilDiv(wanted, work(p)), kOutputTile) * kOutputTile;
    p.row_tile = std::max<std::int64_t>(p.x.rows, 1);
    const std::int64_t smallest = work(p) * kOutputTile;
    if (pool_.threads() > 1 && smallest > wanted)
      p.row_tile = CeilDiv(CeilDiv(p.x.rows, CeilDiv(smallest, wanted)), kRowTile) * kRowTile;
    p.first_task = tasks;
    tasks += CeilDiv(p.outputs, p.tile) * CeilDiv(p.x.rows, p.row_tile);
  }
  return tasks;
}

void CpuOps::RunProductTask(std::int64_t task) const {
  const auto after =
      std::upper_bound(products_.begin(), products_.end(), task,
                       [](std::int64_t value, const Product& p) { return value < p.first_task; });
  const Product& p = *(after - 1);
  const std::int64_t row_cuts = CeilDiv(p.x.rows, p.row_tile);
  const std::int64_t row = (task - p.first_task) % row_cuts * p.row_tile;
  MatMulJob job;
  job.weight = p.weight;
  job.x = RowsOf(p.x, row, std::min(p.row_tile, p.x.rows - row));
  job.y = p.y + row * p.y_stride;
  job.y_stride = p.y_stride;
  job.first_output = (task - p.first_task) / row_cuts * p.tile;
  job.last_output = std::min(job.first_output + p.tile, p.outputs);
  job.scratch = ThreadScratch(kMatMulScratchBytes);
  p.kernel(job);
  if (p.bias == nullptr) return;
  for (std::int64_t r = 0; r < job.x.rows; ++r)
    kernels_.rows.add(p.bias + job.first_output, job.last_output - job.first_output,
                      job.y + r * p.y_stride + job.first_output);
}

void CpuOps::Run(std::span<const MatMul> calls) noexcept {
  CollectProducts(calls);
  PrepareActivations(calls);
  const std::int64_t tasks = CutProducts();
  pool_.Run(tasks, [this](std::int64_t task) { RunProductTask(task); });
}

void CpuOps::Run(const GatherRows& call) noexcept {
  const WeightRows weight = WeightOf(*call.table);
  const HostRows y = RowsOf(call.y);
  const DecodeKernel decode = kernels_.decoder(weight.format);
  ForParts(std::ssize(call.ids), weight.columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      decode(weight, call.ids[static_cast<std::size_t>(r)], 0, weight.columns, y.Row(r));
  });
}

}  // namespace hadal
