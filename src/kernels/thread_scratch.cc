#include "kernels/thread_scratch.h"

#include <memory>
#include <new>

namespace hadal {
namespace {

constexpr std::align_val_t kLine{64};

struct Piece {
  std::byte* data = nullptr;
  std::size_t size = 0;

  Piece() = default;
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  ~Piece() { ::operator delete(data, kLine); }
};

}  // namespace

std::byte* ThreadScratch(std::size_t bytes) noexcept {
  thread_local Piece piece;
  if (bytes > piece.size) {
    ::operator delete(piece.data, kLine);
    piece.data = static_cast<std::byte*>(::operator new(bytes, kLine));
    piece.size = bytes;
  }
  return piece.data;
}

}  // namespace hadal
