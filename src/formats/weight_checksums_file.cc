// The record of checksums as a file: a line with the digest of the rest, then JSON.
#include <charconv>
#include <string_view>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/hash.h"
#include "formats/weight_checksums.h"

namespace hadal {
namespace {

constexpr std::string_view kFirstWords = "hadal checksums 1 ";
constexpr std::size_t kDigits = 32;  // of a piece

std::string SpanText(const ChecksumSpan& span) {
  std::string text = "{\"name\":";
  AppendJsonString(&text, span.name);
  text += span.is_tensor ? ",\"tensor\":true" : ",\"tensor\":false";
  text += ",\"offset\":" + std::to_string(span.offset_bytes) +
          ",\"bytes\":" + std::to_string(span.size_bytes) + ",\"digests\":\"";
  for (const auto& digest : span.digests) text += Hex(digest);
  return text + "\"}";
}

Status Damaged(const std::string& path) {
  return Unusable(path, "a damaged record of checksums", "one that is whole",
                  "record anew: hadal check weights MODEL --record");
}

bool ReadDigests(std::string_view digits, ChecksumSpan* span) {
  const std::uint64_t pieces =
      span->size_bytes / kChecksumPieceBytes + (span->size_bytes % kChecksumPieceBytes > 0);
  if (digits.size() % kDigits != 0 || digits.size() / kDigits != pieces) return false;
  span->digests.resize(digits.size() / kDigits);
  for (std::size_t i = 0; i < digits.size() / 2; ++i) {
    unsigned value = 0;
    const char* end = digits.data() + 2 * i + 2;
    if (std::from_chars(end - 2, end, value, 16).ptr != end) return false;
    span->digests[i / 16][i % 16] = static_cast<std::byte>(value);
  }
  return true;
}

bool ReadSpan(const Metadata& item, std::uint64_t file_bytes, ChecksumSpan* span) {
  const Metadata *name = item.FindNonNull("name"), *tensor = item.FindNonNull("tensor"),
                 *offset = item.FindNonNull("offset"), *bytes = item.FindNonNull("bytes"),
                 *digests = item.FindNonNull("digests");
  if (name == nullptr || !name->string() || tensor == nullptr || !tensor->boolean() ||
      offset == nullptr || !offset->integer() || bytes == nullptr || !bytes->integer() ||
      digests == nullptr || !digests->string() || *offset->integer() < 0 || *bytes->integer() < 0)
    return false;
  span->name = *name->string();
  span->is_tensor = *tensor->boolean();
  span->offset_bytes = static_cast<std::uint64_t>(*offset->integer());
  span->size_bytes = static_cast<std::uint64_t>(*bytes->integer());
  return span->offset_bytes <= file_bytes && span->size_bytes <= file_bytes - span->offset_bytes &&
         ReadDigests(*digests->string(), span);
}

bool ReadFileOf(const Metadata& item, WeightChecksums::File* file) {
  const Metadata *path = item.FindNonNull("path"), *bytes = item.FindNonNull("bytes"),
                 *spans = item.FindNonNull("spans");
  if (path == nullptr || !path->string() || bytes == nullptr || !bytes->integer() ||
      *bytes->integer() < 0 || spans == nullptr || !spans->is_array())
    return false;
  file->path = *path->string();
  file->size_bytes = static_cast<std::uint64_t>(*bytes->integer());
  for (const Metadata& span : spans->items())
    if (!ReadSpan(span, file->size_bytes, &file->spans.emplace_back())) return false;
  return true;
}

}  // namespace

Status WriteChecksums(const WeightChecksums& checksums, const std::string& path) {
  std::string text;
  for (const WeightChecksums::File& file : checksums.files) {
    text += text.empty() ? "{\"files\":[\n{\"path\":" : ",\n{\"path\":";
    AppendJsonString(&text, file.path);
    text += ",\"bytes\":" + std::to_string(file.size_bytes) + ",\"spans\":[";
    for (std::size_t i = 0; i < file.spans.size(); ++i)
      text += (i > 0 ? ",\n" : "\n") + SpanText(file.spans[i]);
    text += "]}";
  }
  text += "]}\n";
  const std::string digest = Hex(Sha256Digest(text));
  return WriteFileAtomically(path, std::string(kFirstWords) + digest + "\n" + text);
}

Result<WeightChecksums> ReadChecksums(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  const std::size_t line = content.find('\n');
  if (!content.starts_with(kFirstWords) || line == std::string::npos) return Damaged(path);
  const std::string_view text = std::string_view(content).substr(line + 1);
  if (content.substr(kFirstWords.size(), line - kFirstWords.size()) != Hex(Sha256Digest(text)))
    return Damaged(path);
  HADAL_ASSIGN_OR_RETURN(const MetadataDocument document, ParseJson(text, path));
  const Metadata* files = document.root().FindNonNull("files");
  if (files == nullptr || !files->is_array()) return Damaged(path);
  WeightChecksums checksums;
  for (const Metadata& file : files->items())
    if (!ReadFileOf(file, &checksums.files.emplace_back())) return Damaged(path);
  return checksums;
}

}  // namespace hadal
