// The house's side of Status and Result<T> (defined in hadal/status.h, so that one type goes all
// the way out): the common failures by name and the macros that hand a failure on.
//
// Broken invariants of our own are HADAL_CHECK (check.h), never a Status.
#pragma once

#include <string>
#include <utility>

#include "base/check.h"
#include "hadal/status.h"

namespace hadal {

// The common failures by name; every part may be empty but `where`.
Status Unusable(std::string where, std::string found, std::string expected, std::string hint = "");
Status Unsupported(std::string where, std::string found, std::string expected,
                   std::string hint = "");
Status UsageError(std::string where, std::string found, std::string expected,
                  std::string hint = "");
Status Failed(std::string where, std::string found, std::string expected = "",
              std::string hint = "");
Status NoRoom(std::string where, std::string found, std::string expected, std::string hint = "");

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
