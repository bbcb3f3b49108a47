#include "ops/scratch.h"

#include <utility>

#include "base/bytes.h"

namespace hadal {
namespace {

constexpr std::uint64_t kAlignBytes = 64;

}  // namespace

Result<Scratch> Scratch::Create(Memory* memory, std::uint64_t bytes) {
  const View whole = memory->Allocate(bytes);
  if (whole.empty())
    return NoRoom("scratch memory of a step", "no memory left", std::to_string(bytes) + " bytes",
                  "fewer rows a step need less");
  return Scratch(memory, whole, bytes);
}

Scratch::Scratch(Scratch&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      whole_(other.whole_),
      bytes_(other.bytes_),
      used_bytes_(other.used_bytes_) {}

Scratch& Scratch::operator=(Scratch&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(whole_, other.whole_);
  std::swap(bytes_, other.bytes_);
  std::swap(used_bytes_, other.used_bytes_);
  return *this;
}

Scratch::~Scratch() {
  if (memory_ != nullptr) memory_->Free(whole_);
}

std::uint64_t Scratch::Bytes(std::int64_t rows, std::int64_t columns, DType dtype) {
  const std::uint64_t row_bytes = *RowBytes(dtype, static_cast<std::uint64_t>(columns));
  return RoundUp(static_cast<std::uint64_t>(rows) * row_bytes, kAlignBytes);
}

View Scratch::Take(std::int64_t rows, std::int64_t columns, DType dtype) {
  const std::uint64_t bytes = Bytes(rows, columns, dtype);
  HADAL_CHECK(used_bytes_ + bytes <= bytes_, "a step needs more scratch memory than was computed");
  View view = whole_;
  view.offset_bytes += used_bytes_;
  view.dtype = dtype;
  view.rank = 2;
  view.shape = {rows, columns};
  view.strides = {columns, 1};
  used_bytes_ += bytes;
  return view;
}

}  // namespace hadal
