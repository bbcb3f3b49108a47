// Reading a request's JSON: one strict parser with caps, and typed access to fields that says which
// field is wrong. Everything that a handler does not ask for is refused by name.
//
//   RequestReader reader;
//   auto body = ParseRequest(exchange->request());   // object, caps, no duplicate keys
//   Fields fields(body->root(), "", &reader);
//   call.model = fields.Text("model").value_or("");
//   fields.Ignore(kIgnored);                         // the dialect's table
//   fields.Finish();                                 // the rest is refused
//   if (reader.failed()) return exchange->Send(ErrorResponse(reader.error(), request));
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "serve/api_error.h"

namespace hadal {

inline constexpr int kMostJsonDepth = 64;
inline constexpr std::int64_t kMostJsonNodes = 1'000'000;

// The body as a JSON object: media type application/json (below /api also curl's own), UTF-8, no
// duplicate keys, nothing after it, numbers finite, depth and nodes within the caps.
ApiResult<MetadataDocument> ParseRequest(const HttpRequest& request);
// The same without the media type; `where` names the text in messages.
ApiResult<MetadataDocument> ParseStrictJson(std::string_view text, const std::string& where);

// Keeps the first error of a request.
class RequestReader {
 public:
  void Fail(ApiError error) {
    if (!error_) error_ = std::move(error);
  }
  bool failed() const { return error_.has_value(); }
  const ApiError& error() const { return *error_; }

 private:
  std::optional<ApiError> error_;
};

// The members of one object. Null counts as absent. A field of the wrong type or out of bounds
// fails the reader and reads as absent. Views stay valid as long as the document.
class Fields {
 public:
  // `path` is where the object stands: "" for the body, "messages[2]" for a message.
  Fields(const Metadata& object, std::string path, RequestReader* reader);

  std::optional<bool> Boolean(std::string_view key);
  std::optional<std::int64_t> Integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> Number(std::string_view key, double least, double most);
  std::optional<std::string> Text(std::string_view key);
  // One of the words allowed.
  std::optional<std::string> Word(std::string_view key, std::span<const std::string_view> allowed);
  std::optional<Fields> Object(std::string_view key);
  // The items of an array; nothing where absent.
  std::optional<std::span<const Metadata>> Array(std::string_view key, std::size_t least,
                                                 std::size_t most);
  // Whatever it is; nullptr where absent or null.
  const Metadata* Any(std::string_view key);
  // Fails where the field is absent.
  void Require(std::string_view key);

  // Fields that are accepted and change nothing.
  void Ignore(std::span<const std::string_view> keys);
  // Every member that nobody asked for is an error.
  void Finish();

  void Fail(std::string_view key, std::string message, std::string code = {});
  std::string PathOf(std::string_view key) const;
  // "messages[2]"
  std::string PathOf(std::string_view key, std::size_t item) const;
  const Metadata& object() const { return *object_; }
  RequestReader* reader() { return reader_; }

 private:
  const Metadata* Find(std::string_view key);

  const Metadata* object_;
  std::string path_;
  RequestReader* reader_;
  std::set<std::string_view> seen_;
};

}  // namespace hadal
