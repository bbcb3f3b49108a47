// Files of vectors: one JSON object a line (the shared goldens' golden/text/README.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/status.h"

namespace hadal {

// Every line that is not empty, parsed. Fails with file and line number where one is not an object.
Result<std::vector<MetadataDocument>> ReadVectors(const std::string& path);

// The part of the file's name after `prefix` and before its extension: "v31" for
// ".../parse_v31.jsonl" and "parse_". Fails where the name does not begin so; the hint names
// --format.
Result<std::string> VectorFormat(const std::string& path, std::string_view prefix);

// The same JSON value: numbers by value (1 equals 1.0), objects whatever the order of their keys.
bool JsonEqual(const Metadata& a, const Metadata& b);

// The string, boolean of a row; `otherwise` where it is absent, null or of another kind.
std::string_view RowString(const Metadata& row, std::string_view key,
                           std::string_view otherwise = {});
bool RowFlag(const Metadata& row, std::string_view key, bool otherwise = false);

}  // namespace hadal
