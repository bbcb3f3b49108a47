// `hadal check encode`: prompt encodings against a file of vectors (the shared goldens'
// golden/text/README.md, section 4).
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "eval/check_report.h"

namespace hadal {

// Encodes every row of VECTORS.jsonl and compares with its `prompt`, byte by byte; a row with
// `error` passes when the encoder refuses. The format is `format`, else the row's `generation`,
// else the part of the file's name after "encode_". Rows marked `disputed` are counted apart. Fails
// where the file cannot be read or the format is unknown; a row that cannot be understood is a
// failure in the report.
Result<CheckReport> CheckEncode(const std::string& path, const std::optional<std::string>& format);

}  // namespace hadal
