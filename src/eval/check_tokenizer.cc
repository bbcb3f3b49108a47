#include "eval/check_tokenizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "base/json.h"
#include "eval/vectors.h"
#include "formats/checkpoint.h"
#include "formats/hash.h"
#include "text/base64.h"
#include "text/stream_decoder.h"
#include "text/utf8.h"

namespace hadal {
namespace {

constexpr std::uint64_t kMostGeneratedBytes = 1u << 26;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(&out, text);
  return out;
}

std::string Describe(std::span<const TokenId> ids) {
  return fmt::format("[{}]", fmt::join(ids, ","));
}

// The first difference that a row shows; empty while there is none.
struct Difference {
  std::string found, expected;
  bool none() const { return found.empty() && expected.empty(); }
  void Note(std::string found_text, std::string expected_text) {
    if (!none()) return;
    found = std::move(found_text);
    expected = std::move(expected_text);
  }
  void Compare(std::string_view what, std::string_view got, std::string_view wanted) {
    if (got != wanted)
      Note(fmt::format("{} {}", what, Quoted(got)), fmt::format("{} {}", what, Quoted(wanted)));
  }
};

class RowChecker {
 public:
  RowChecker(std::shared_ptr<const Tokenizer> tokenizer, const Metadata& row, std::string where)
      : tokenizer_(std::move(tokenizer)), row_(row), where_(std::move(where)) {}

  Result<Difference> Run() {
    HADAL_RETURN_IF_ERROR(row_.Find("pieces") != nullptr ? CheckStream() : CheckText());
    return std::move(difference_);
  }

 private:
  Status BadRow(std::string found, std::string expected) const {
    return Unusable(where_, std::move(found), std::move(expected),
                    "see golden/text/README.md sections 2 and 3");
  }

  Result<std::vector<TokenId>> Ids(std::string_view key) const {
    const Metadata* list = row_.Find(key);
    if (list == nullptr || !list->is_array()) return BadRow("no list of ids", "a list of ids");
    std::vector<TokenId> ids;
    for (const Metadata& item : list->items()) {
      const auto id = item.integer();
      if (!id || *id < 0 || *id > INT32_MAX) return BadRow(item.Describe(), "a token id");
      ids.push_back(static_cast<TokenId>(*id));
    }
    return ids;
  }

  Status CheckStream() {
    HADAL_ASSIGN_OR_RETURN(const std::vector<TokenId> ids, Ids("ids"));
    const auto pieces = row_.Find("pieces")->items();
    if (pieces.size() != ids.size())
      return BadRow(fmt::format("{} pieces", pieces.size()), fmt::format("{}", ids.size()));
    StreamDecoder decoder(tokenizer_);
    std::string joined;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string piece = decoder.Push(ids[i]);
      difference_.Compare(fmt::format("piece {}", i), piece, pieces[i].string().value_or(""));
      joined += piece;
    }
    const std::string flush = decoder.Flush();
    difference_.Compare("flush", flush, RowString(row_, "flush"));
    difference_.Compare("pieces joined", joined + flush, tokenizer_->Decode(ids));
    return {};
  }

  Result<AddedTokenUse> Use() const {
    const std::string_view added = RowString(row_, "added", "all");
    if (added == "all") return AddedTokenUse::kAll;
    if (added == "none") return AddedTokenUse::kNone;
    if (added == "special_as_text") return AddedTokenUse::kSpecialAsText;
    return BadRow("added " + Quoted(added), "all, none or special_as_text");
  }

  Status CheckText() {
    HADAL_ASSIGN_OR_RETURN(const AddedTokenUse use, Use());
    if (const Metadata* generated = row_.FindNonNull("gen")) return CheckGenerated(*generated, use);
    HADAL_ASSIGN_OR_RETURN(const std::vector<TokenId> expected, Ids("ids"));
    std::string text(RowString(row_, "text"));
    if (const Metadata* packed = row_.FindNonNull("text_b64")) {
      const std::optional<std::string> bytes = FromBase64(packed->string().value_or("?"));
      if (!bytes) return BadRow("text_b64 " + packed->Describe(), "base64");
      difference_.Compare("text", ReplaceInvalidUtf8(*bytes), text);
      text = *bytes;
    } else if (row_.Find("text") == nullptr) {
      return BadRow("no text", "text, text_b64 or gen");
    }
    const Result<std::vector<TokenId>> ids = tokenizer_->Encode(text, use);
    if (!ids.ok()) {
      difference_.Note(ids.status().ToString(), Describe(expected));
      return {};
    }
    if (*ids != expected) difference_.Note(Describe(*ids), Describe(expected));
    if (row_.FindNonNull("decoded") == nullptr) return {};
    const std::string_view decoded = RowString(row_, "decoded");
    difference_.Compare("decoded", tokenizer_->Decode(*ids), decoded);
    // Written down where it differs from `decoded`; derived rows leave it out.
    if (row_.FindNonNull("decoded_skip_special") == nullptr && RowFlag(row_, "derived")) return {};
    difference_.Compare("decoded without special tokens", tokenizer_->Decode(*ids, true),
                        RowString(row_, "decoded_skip_special", decoded));
    return {};
  }

  // A unit repeated; the ids are given by count, hash and, where short, runs.
  Status CheckGenerated(const Metadata& generated, AddedTokenUse use) {
    const std::string_view unit = RowString(generated, "unit");
    const Metadata* count = generated.Find("count");
    const auto times = count != nullptr ? count->unsigned_integer() : std::nullopt;
    if (unit.empty() || !times || *times > kMostGeneratedBytes / unit.size())
      return BadRow("gen " + generated.Describe(), "a unit, and a count of at most 64 MB together");
    std::string text;
    for (std::uint64_t i = 0; i < *times; ++i) text += unit;
    const Result<std::vector<TokenId>> ids = tokenizer_->Encode(text, use);
    if (!ids.ok()) {
      difference_.Note(ids.status().ToString(), "ids");
      return {};
    }
    if (const Metadata* wanted = row_.FindNonNull("n_ids"))
      difference_.Compare("count", fmt::format("{}", ids->size()), WriteJson(*wanted));
    if (row_.FindNonNull("ids_sha256") != nullptr)  // over little-endian u32, which TokenId is
      difference_.Compare("hash", Sha256(std::as_bytes(std::span(*ids))),
                          RowString(row_, "ids_sha256"));
    if (const Metadata* runs = row_.FindNonNull("ids_rle"))
      difference_.Compare("runs", Runs(*ids), WriteJson(*runs));
    if (RowFlag(row_, "decoded_equals_text")) {
      const bool equal = tokenizer_->Decode(*ids) == text;
      difference_.Compare("decoded", equal ? "equals the text" : "differs", "equals the text");
    }
    return {};
  }

  static std::string Runs(const std::vector<TokenId>& ids) {
    std::vector<std::string> runs;
    for (std::size_t begin = 0; begin < ids.size();) {
      std::size_t end = begin;
      while (end < ids.size() && ids[end] == ids[begin]) ++end;
      runs.push_back(fmt::format("[{},{}]", ids[begin], end - begin));
      begin = end;
    }
    return fmt::format("[{}]", fmt::join(runs, ","));
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  const Metadata& row_;
  std::string where_;
  Difference difference_;
};

Result<bool> IsGguf(const std::string& path) {
  if (IsDirectory(path)) return false;
  HADAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  const auto chars = AsChars(file->bytes());
  return std::string_view(chars.data(), chars.size()).starts_with("GGUF");
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> OpenTokenizer(const std::string& path,
                                                       const std::optional<std::string>& overlay) {
  MetadataDocument names;
  if (overlay) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, ReadMaybeGzipped(*overlay));
    HADAL_ASSIGN_OR_RETURN(names, ParseJson(text, *overlay));
  }
  const Metadata* overlay_root = overlay ? &names.root() : nullptr;
  HADAL_ASSIGN_OR_RETURN(const bool gguf, IsGguf(path));
  if (!gguf) return LoadTokenizer(path, overlay_root);
  HADAL_ASSIGN_OR_RETURN(const auto checkpoint, Checkpoint::Open(path));
  return Tokenizer::FromGguf(checkpoint->config(), overlay_root, path);
}

Result<CheckReport> CheckTokenizer(const std::string& tokenizer_path,
                                   const std::string& vectors_path,
                                   const std::optional<std::string>& overlay) {
  HADAL_ASSIGN_OR_RETURN(const auto tokenizer, OpenTokenizer(tokenizer_path, overlay));
  HADAL_ASSIGN_OR_RETURN(const std::vector<MetadataDocument> rows, ReadVectors(vectors_path));
  CheckReport report;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Metadata& row = rows[i].root();
    const std::string name(RowString(row, "id", fmt::format("row {}", i + 1)));
    HADAL_ASSIGN_OR_RETURN(Difference difference,
                           RowChecker(tokenizer, row, vectors_path + ": " + name).Run());
    const bool pass = difference.none();
    report.Add(row.FindNonNull("disputed") != nullptr, pass,
               {name, std::move(difference.found), std::move(difference.expected)});
  }
  return report;
}

}  // namespace hadal
