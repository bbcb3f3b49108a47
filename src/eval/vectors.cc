#include "eval/vectors.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"

namespace hadal {

Result<std::vector<MetadataDocument>> ReadVectors(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(const std::string text, ReadMaybeGzipped(path));
  std::vector<MetadataDocument> rows;
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const std::string where = path + ":" + std::to_string(++line_number);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    HADAL_ASSIGN_OR_RETURN(MetadataDocument row, ParseJson(line, where));
    if (!row.root().is_object())
      return Unusable(where, row.root().Describe(), "an object", "one vector a line");
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::string> VectorFormat(const std::string& path, std::string_view prefix) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  while (name.extension() == ".gz" || name.extension() == ".jsonl") name = name.stem();
  const std::string stem = name.string();
  if (!stem.starts_with(prefix) || stem.size() == prefix.size())
    return UsageError(path, "the name " + stem, "a name that begins with " + std::string(prefix),
                      "say which format these are with --format NAME");
  return stem.substr(prefix.size());
}

bool JsonEqual(const Metadata& a, const Metadata& b) {
  if (a.is_number() && b.is_number()) {
    if (a.integer() && b.integer()) return a.integer() == b.integer();
    if (a.unsigned_integer() && b.unsigned_integer())
      return a.unsigned_integer() == b.unsigned_integer();
    return a.real() == b.real();
  }
  if (a.is_object() && b.is_object())
    return a.members().size() == b.members().size() &&
           std::ranges::all_of(a.members(), [&b](const Metadata::Member& member) {
             const Metadata* other = b.Find(member.key);
             return other != nullptr && JsonEqual(member.value, *other);
           });
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.items(), b.items(), JsonEqual);
  if (a.is_string() && b.is_string()) return a.string() == b.string();
  if (a.is_bool() && b.is_bool()) return a.boolean() == b.boolean();
  return a.is_null() && b.is_null();
}

std::string_view RowString(const Metadata& row, std::string_view key, std::string_view otherwise) {
  const Metadata* value = row.FindNonNull(key);
  return value == nullptr ? otherwise : value->string().value_or(otherwise);
}

bool RowFlag(const Metadata& row, std::string_view key, bool otherwise) {
  const Metadata* value = row.FindNonNull(key);
  return value == nullptr ? otherwise : value->boolean().value_or(otherwise);
}

}  // namespace hadal
