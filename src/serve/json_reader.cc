#include "serve/json_reader.h"

#include <cmath>

#include "base/json.h"

namespace hadal {
namespace {

constexpr char kInvalidType[] = "invalid_type";

std::string Shortened(std::string text) {
  constexpr std::size_t kMost = 120;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

bool IsJsonMedia(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return EqualsIgnoringCase(type, "application/json");
}

// Ollama's own examples are curl without a type, which sends that of a form. A form of a page would
// say where it comes from.
bool IsPlainCurl(const HttpRequest& request) {
  const std::string_view type = request.headers.Find("Content-Type");
  return request.path.starts_with("/api/") && !request.headers.Has("Origin") &&
         !request.headers.Has("Sec-Fetch-Site") &&
         (type.empty() || type == "application/x-www-form-urlencoded");
}

}  // namespace

ApiResult<MetadataDocument> ParseStrictJson(std::string_view text, const std::string& where) {
  JsonLimits limits;
  limits.max_depth = kMostJsonDepth;
  limits.max_nodes = kMostJsonNodes;
  limits.unique_keys = true;
  auto document = ParseJson(text, where, limits);
  if (!document.ok())
    return InvalidField("", Shortened(document.status().ToString()), "invalid_json");
  return std::move(*document);
}

ApiResult<MetadataDocument> ParseRequest(const HttpRequest& request) {
  if (!IsJsonMedia(request.headers.Find("Content-Type")) && !IsPlainCurl(request))
    return ApiError{.kind = ErrorKind::kUnsupportedMedia,
                    .message = "the body must be JSON: send Content-Type: application/json",
                    .code = "unsupported_media_type"};
  auto document = ParseStrictJson(request.body, "body");
  if (document.ok() && !document->root().is_object())
    return InvalidField(
        "", "the body must be a JSON object, not " + Shortened(document->root().Describe()),
        "invalid_json");
  return document;
}

Fields::Fields(const Metadata& object, std::string path, RequestReader* reader)
    : object_(&object), path_(std::move(path)), reader_(reader) {}

std::string Fields::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

std::string Fields::PathOf(std::string_view key, std::size_t item) const {
  return PathOf(key) + "[" + std::to_string(item) + "]";
}

void Fields::Fail(std::string_view key, std::string message, std::string code) {
  reader_->Fail(InvalidField(PathOf(key), "'" + PathOf(key) + "' " + message, std::move(code)));
}

const Metadata* Fields::Find(std::string_view key) {
  seen_.insert(key);
  return object_->FindNonNull(key);
}

const Metadata* Fields::Any(std::string_view key) { return Find(key); }

std::optional<bool> Fields::Boolean(std::string_view key) {
  const Metadata* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool())
    Fail(key, "must be true or false, not " + Shortened(value->Describe()), kInvalidType);
  return value->boolean();
}

std::optional<std::int64_t> Fields::Integer(std::string_view key, std::int64_t least,
                                            std::int64_t most) {
  const Metadata* value = Find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->is_number() ? value->integer() : std::nullopt;
  if (number && *number >= least && *number <= most) return number;
  Fail(key,
       "must be an integer from " + std::to_string(least) + " to " + std::to_string(most) +
           ", not " + Shortened(value->Describe()),
       !number ? kInvalidType
               : (*number < least ? "integer_below_min_value" : "integer_above_max_value"));
  return std::nullopt;
}

std::optional<double> Fields::Number(std::string_view key, double least, double most) {
  const Metadata* value = Find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->is_number() ? value->real() : std::nullopt;
  if (number && std::isfinite(*number) && *number >= least && *number <= most) return number;
  Fail(key,
       "must be a number from " + WriteJson(Metadata(least)) + " to " + WriteJson(Metadata(most)) +
           ", not " + Shortened(value->Describe()),
       !number || !std::isfinite(*number)
           ? kInvalidType
           : (*number < least ? "decimal_below_min_value" : "decimal_above_max_value"));
  return std::nullopt;
}

std::optional<std::string> Fields::Text(std::string_view key) {
  const Metadata* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto text = value->string()) return std::string(*text);
  Fail(key, "must be a string, not " + Shortened(value->Describe()), kInvalidType);
  return std::nullopt;
}

std::optional<std::string> Fields::Word(std::string_view key,
                                        std::span<const std::string_view> allowed) {
  auto text = Text(key);
  if (!text) return text;
  std::string known;
  for (const std::string_view word : allowed) {
    if (*text == word) return text;
    if (!known.empty()) known += ", ";
    known += word;
  }
  Fail(key, "must be one of " + known + ", not \"" + Shortened(*text) + "\"", "invalid_value");
  return std::nullopt;
}

std::optional<Fields> Fields::Object(std::string_view key) {
  const Metadata* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) return Fields(*value, PathOf(key), reader_);
  Fail(key, "must be an object, not " + Shortened(value->Describe()), kInvalidType);
  return std::nullopt;
}

std::optional<std::span<const Metadata>> Fields::Array(std::string_view key, std::size_t least,
                                                       std::size_t most) {
  const Metadata* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) {
    Fail(key, "must be an array, not " + Shortened(value->Describe()), kInvalidType);
    return std::nullopt;
  }
  const std::size_t size = value->items().size();
  if (size >= least && size <= most) return value->items();
  Fail(key,
       "must have " + std::to_string(least) + " to " + std::to_string(most) + " items, not " +
           std::to_string(size),
       size == 0 ? "empty_array"
                 : (size < least ? "array_below_min_length" : "array_above_max_length"));
  return std::nullopt;
}

void Fields::Require(std::string_view key) {
  if (Find(key) == nullptr) Fail(key, "is required", "missing_required_parameter");
}

void Fields::Ignore(std::span<const std::string_view> keys) {
  seen_.insert(keys.begin(), keys.end());
}

void Fields::Finish() {
  for (const Metadata::Member& member : object_->members())
    if (!seen_.contains(member.key))
      Fail(member.key, "is not a field that this server knows", "unknown_parameter");
}

}  // namespace hadal
