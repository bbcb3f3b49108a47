#include "base/status.h"

namespace hadal {

Status Status::At(const std::string& outer) const {
  if (ok()) return *this;
  return Status(code_, where_.empty() ? outer : outer + ": " + where_, found_, expected_, hint_);
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  std::string text = where_;
  auto add = [&text](const char* separator, const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += separator;
    text += part;
  };
  add(": ", found_.empty() ? found_ : "found " + found_);
  add(", ", expected_.empty() ? expected_ : "expected " + expected_);
  add("; ", hint_);
  return text;
}

int Status::ExitCode() const {
  switch (code_) {
    case Code::kOk:
      return 0;
    case Code::kFailed:
    case Code::kCancelled:
    case Code::kDeadEnd:
    case Code::kBusy:
    case Code::kDeadline:
      return 1;
    case Code::kUsage:
      return 2;
    case Code::kUnusable:
    case Code::kUnsupported:
      return 3;
    case Code::kNoRoom:
      return 4;
  }
  return 1;
}

void ResultMisused(const char* reason) noexcept { CheckFailed("result", 0, "Result", reason); }

Status Unusable(std::string where, std::string found, std::string expected, std::string hint) {
  return Status(Code::kUnusable, std::move(where), std::move(found), std::move(expected),
                std::move(hint));
}
Status Unsupported(std::string where, std::string found, std::string expected, std::string hint) {
  return Status(Code::kUnsupported, std::move(where), std::move(found), std::move(expected),
                std::move(hint));
}
Status UsageError(std::string where, std::string found, std::string expected, std::string hint) {
  return Status(Code::kUsage, std::move(where), std::move(found), std::move(expected),
                std::move(hint));
}
Status Failed(std::string where, std::string found, std::string expected, std::string hint) {
  return Status(Code::kFailed, std::move(where), std::move(found), std::move(expected),
                std::move(hint));
}
Status NoRoom(std::string where, std::string found, std::string expected, std::string hint) {
  return Status(Code::kNoRoom, std::move(where), std::move(found), std::move(expected),
                std::move(hint));
}

}  // namespace hadal
