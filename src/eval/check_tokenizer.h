// `hadal check tokenizer`: runs a file of tokenizer vectors (docs/cli.md; the form of the rows is
// in the shared goldens' golden/text/README.md sections 2 and 3).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "eval/check_report.h"
#include "text/tokenizer.h"

namespace hadal {

// From a tokenizer.json (also gzipped), a tiktoken.model, a model's folder or a GGUF file, by what
// the file is. `overlay` names a JSON file that renames added tokens.
Result<std::shared_ptr<const Tokenizer>> OpenTokenizer(
    const std::string& path, const std::optional<std::string>& overlay = std::nullopt);

// Rows with `pieces` are streams: what each token gives out, the flush, and that together they are
// the decoded ids. All others are texts: their ids, and what the ids decode to with and without
// special tokens; `gen` rows hold a repeated unit and checks of the ids. Fails where a file or a
// row is unusable; vectors that differ are in the report.
Result<CheckReport> CheckTokenizer(const std::string& tokenizer_path,
                                   const std::string& vectors_path,
                                   const std::optional<std::string>& overlay = std::nullopt);

}  // namespace hadal
