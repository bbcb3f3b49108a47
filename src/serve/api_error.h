// What can go wrong with a request, and how each dialect says it. Handlers know kinds; the numbers
// and words of a dialect stand in api_error.cc alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "hadal/status.h"
#include "serve/http_message.h"

namespace hadal {

class Exchange;

enum class Dialect : unsigned char { kOpenAi, kAnthropic, kOllama };

// By path (/api/..., /v1/messages, /anthropic/...), else by the header anthropic-version.
Dialect DialectOf(const HttpRequest& request);

enum class ErrorKind : unsigned char {
  kInvalid,           // 400
  kUnauthorized,      // 401
  kForbidden,         // 403
  kNotFound,          // 404
  kWrongMethod,       // 405
  kTooSlow,           // 408
  kConflict,          // 409
  kTooLarge,          // 413
  kUriTooLong,        // 414
  kUnsupportedMedia,  // 415
  kHeadersTooLarge,   // 431
  kRateLimited,       // 429
  kInternal,          // 500
  kUnimplemented,     // 501
  kOverloaded,        // 503 (Anthropic: 529)
  kTimeout,           // 504
  kLoading,           // 503, in every dialect
};

struct ApiError {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message = {};
  std::string param = {};       // the field: "messages[2].content"
  std::string code = {};        // "model_not_found", "context_length_exceeded", ...
  int retry_after_seconds = 0;  // with kRateLimited, kOverloaded and kLoading
  std::string allow = {};       // with kWrongMethod: "GET, HEAD"
};

ApiError InvalidField(std::string param, std::string message, std::string code = {});
// What the engine says, for the client: kUsage and kUnsupported are the client's fault, kNoRoom is
// 503, everything else 500. `where` becomes the param where it is a field's name.
ApiError ErrorOf(const Status& status);

int HttpStatusOf(ErrorKind kind, Dialect dialect);
// The body {"error":{...}}, {"type":"error",...} or {"error":"..."}; one line, no newline.
std::string ErrorBody(const ApiError& error, Dialect dialect, const std::string& request_id);
// The whole response: body, status, retry-after, x-should-retry, allow, www-authenticate.
HttpResponse ErrorResponse(const ApiError& error, Dialect dialect, const std::string& request_id);
// The same, in the dialect of the request.
HttpResponse ErrorResponse(const ApiError& error, const HttpRequest& request);
// Answers with it.
void SendError(const ApiError& error, Exchange* exchange);

// A value or why there is none.
template <typename T>
class [[nodiscard]] ApiResult {
 public:
  ApiResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  ApiResult(ApiError error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit
  bool ok() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }
  const ApiError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, ApiError> state_;
};

}  // namespace hadal
