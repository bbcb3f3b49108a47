// Scratch: one allocation, handed out front to back within a step and taken back by scope, so that
// a step allocates nothing and its memory is known before it runs.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "ops/memory.h"

namespace hadal {

class Scratch {
 public:
  static Result<Scratch> Create(Memory* memory, std::uint64_t bytes);
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&& other) noexcept;
  ~Scratch();

  // A dense view of rows x columns; its content is whatever was there. Exceeding the size is a
  // broken invariant: the size is computed from the same shapes (Bytes below).
  View Take(std::int64_t rows, std::int64_t columns, DType dtype = DType::kF32);
  // What one such view takes of the size.
  static std::uint64_t Bytes(std::int64_t rows, std::int64_t columns, DType dtype = DType::kF32);

  // Gives back, when it goes, what was taken after it was made.
  class Scope {
   public:
    explicit Scope(Scratch* scratch) : scratch_(scratch), mark_(scratch->used_bytes_) {}
    ~Scope() { scratch_->used_bytes_ = mark_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Scratch* scratch_;
    std::uint64_t mark_;
  };

  std::uint64_t bytes() const { return bytes_; }

 private:
  Scratch(Memory* memory, View whole, std::uint64_t bytes)
      : memory_(memory), whole_(whole), bytes_(bytes) {}
  Memory* memory_ = nullptr;
  View whole_;
  std::uint64_t bytes_ = 0, used_bytes_ = 0;
};

}  // namespace hadal
