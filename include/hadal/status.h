// Status and Result<T>: how input and environment problems travel, inside the library and out of
// it.
//
// A failure says four things: where (file, tensor, field), what was found, what was expected, and
// what to do about it. Plain values; safe to copy between threads.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "hadal/export.h"

namespace hadal {

// Why something failed; programs turn this into an exit code (docs/architecture.md section 6).
enum class Code : unsigned char {
  kOk = 0,
  kFailed = 1,       // the check or the task failed
  kUsage = 2,        // wrong option or argument
  kUnusable = 3,     // the input file is broken, contradictory or of an unknown kind
  kNoRoom = 4,       // not enough memory or disk, said before any work
  kUnsupported = 5,  // well-formed, known by name, and not run by this version
  kCancelled = 6,
  kDeadEnd = 7,   // an answer's form left no token to choose (docs/structured-output.md)
  kBusy = 8,      // too much waits already: the same request may work a moment later
  kDeadline = 9,  // it took longer than the request allows
};

class [[nodiscard]] HADAL_API Status {
 public:
  Status() = default;
  Status(Code code, std::string where, std::string found, std::string expected, std::string hint)
      : code_(code),
        where_(std::move(where)),
        found_(std::move(found)),
        expected_(std::move(expected)),
        hint_(std::move(hint)) {}

  bool ok() const { return code_ == Code::kOk; }
  explicit operator bool() const { return ok(); }
  Code code() const { return code_; }
  const std::string& where() const { return where_; }
  const std::string& found() const { return found_; }
  const std::string& expected() const { return expected_; }
  const std::string& hint() const { return hint_; }

  // Puts an outer place in front of `where`: "model.gguf: blk.3.attn_q.weight".
  Status At(const std::string& outer) const;

  // "where: found FOUND, expected EXPECTED; HINT", leaving out the parts that are empty.
  std::string ToString() const;

  // The exit code of the commands' contract: kUnsupported is 3, those from kCancelled on are 1.
  int ExitCode() const;

 private:
  Code code_ = Code::kOk;
  std::string where_, found_, expected_, hint_;
};

// Ends the process: the caller took the value of a failed Result, or made a failed one of "ok".
[[noreturn]] HADAL_API void ResultMisused(const char* reason) noexcept;

// A value or the Status that explains its absence.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}        // NOLINT: implicit
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT: implicit
    if (std::get<1>(state_).ok()) ResultMisused("a Result without a value needs a reason");
  }

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

  T& value() & {
    Require();
    return std::get<0>(state_);
  }
  const T& value() const& {
    Require();
    return std::get<0>(state_);
  }
  T&& value() && {
    Require();
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void Require() const {
    if (!ok()) ResultMisused("value() of a failed Result");
  }
  std::variant<T, Status> state_;
};

}  // namespace hadal
