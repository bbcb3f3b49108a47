// JSON text to Metadata and back. The parser is nlohmann-json's, kept inside json.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/metadata.h"

namespace hadal {

// What a text may come to. Nesting is bounded, since everything that walks the tree does so on the
// stack; the other two are for texts that strangers send.
struct JsonLimits {
  int max_depth = 200;
  std::int64_t max_nodes = std::numeric_limits<std::int64_t>::max();  // values, of any kind
  bool unique_keys = false;  // refuse an object that has a key twice
};

// Parses UTF-8 JSON. `where` names the source in messages.
Result<MetadataDocument> ParseJson(std::string_view text, const std::string& where,
                                   const JsonLimits& limits = {});

// How a tree is written.
struct JsonStyle {
  std::string_view item_separator = ",";  // Python's json.dumps: ", "
  std::string_view key_separator = ":";   // Python's json.dumps: ": "
  bool escape_non_ascii = false;          // Python's ensure_ascii
  int indent = 0;  // Python's indent: 0 is one line, else each item on a line of its own
};

// Writes a tree; reals as the shortest text that reads back the same, with ".0" where
// they are integral (as Python's repr does).
std::string WriteJson(const Metadata& value, const JsonStyle& style = {});

// Appends a quoted JSON string.
void AppendJsonString(std::string* out, std::string_view text, bool escape_non_ascii = false);

}  // namespace hadal
