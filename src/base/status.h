// Status and Result<T>: how input and environment problems travel.
//
// A failure says four things: where (file, tensor, field), what was found, what was expected, and
// what to do about it. Broken invariants of our own are HADAL_CHECK (check.h), never a Status.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace hadal {

// Why something failed; apps turn this into an exit code (docs/architecture.md section 6).
enum class Code : unsigned char {
  kOk = 0,
  kFailed = 1,       // the check or the task failed
  kUsage = 2,        // wrong option or argument
  kUnusable = 3,     // the input file is broken, contradictory or of an unknown kind
  kNoRoom = 4,       // not enough memory or disk, said before any work
  kUnsupported = 5,  // well-formed, known by name, and not run by this version
  kCancelled = 6,
};

class [[nodiscard]] Status {
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

  // The exit code of the commands' contract: kUnsupported is 3, kCancelled is 1.
  int ExitCode() const;

 private:
  Code code_ = Code::kOk;
  std::string where_, found_, expected_, hint_;
};

// The common failures by name; every part may be empty but `where`.
Status Unusable(std::string where, std::string found, std::string expected, std::string hint = "");
Status Unsupported(std::string where, std::string found, std::string expected,
                   std::string hint = "");
Status UsageError(std::string where, std::string found, std::string expected,
                  std::string hint = "");
Status Failed(std::string where, std::string found, std::string expected = "",
              std::string hint = "");
Status NoRoom(std::string where, std::string found, std::string expected, std::string hint = "");

// A value or the Status that explains its absence.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}        // NOLINT: implicit
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT: implicit
    HADAL_CHECK(!std::get<1>(state_).ok(), "a Result without a value needs a reason");
  }

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

  T& value() & {
    HADAL_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(state_);
  }
  const T& value() const& {
    HADAL_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(state_);
  }
  T&& value() && {
    HADAL_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace hadal

#define HADAL_CONCAT_INNER(a, b) a##b
#define HADAL_CONCAT(a, b) HADAL_CONCAT_INNER(a, b)

#define HADAL_RETURN_IF_ERROR(expression)                                                     \
  do {                                                                                        \
    if (::hadal::Status hadal_status = (expression); !hadal_status.ok()) return hadal_status; \
  } while (false)

// HADAL_ASSIGN_OR_RETURN(auto file, OpenFile(path));
#define HADAL_ASSIGN_OR_RETURN(target, expression) \
  HADAL_ASSIGN_OR_RETURN_INNER(HADAL_CONCAT(hadal_result_, __LINE__), target, expression)
#define HADAL_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                    \
  if (!result.ok()) return result.status();                      \
  target = std::move(result).value()
