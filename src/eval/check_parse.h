// `hadal check parse`: runs a file of answers with what they parse to (docs/cli.md; the form of the
// rows is in the shared goldens' golden/text/README.md section 5).
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "eval/check_report.h"

namespace hadal {

// Feeds every row whole and byte by byte; both must give the same. Rows with `expected` must equal
// it, arguments compared as JSON. Rows marked `open` (expected null) pass with that alone. Rows
// marked `partial` are unfinished streams: what has been given out so far is compared.
//
// `format` names the syntax ("v31", ...); without it, the file's name after "parse_" does.
// Fails where the file, a row or the format is unusable; vectors that differ are in the report.
Result<CheckReport> CheckParse(const std::string& path,
                               const std::optional<std::string>& format = std::nullopt);

}  // namespace hadal
