#include "serve/api_error.h"

#include <array>

#include "serve/exchange.h"
#include "serve/json_writer.h"

namespace hadal {
namespace {

// One row a kind: its number, and its type in OpenAI's and in Anthropic's words.
struct KindRow {
  int status;
  std::string_view openai, anthropic;
};
constexpr std::array<KindRow, 17> kKinds = {{
    {400, "invalid_request_error", "invalid_request_error"},
    {401, "authentication_error", "authentication_error"},
    {403, "permission_error", "permission_error"},
    {404, "invalid_request_error", "not_found_error"},
    {405, "invalid_request_error", "invalid_request_error"},
    {408, "timeout_error", "timeout_error"},
    {409, "conflict_error", "conflict_error"},
    {413, "invalid_request_error", "request_too_large"},
    {414, "invalid_request_error", "invalid_request_error"},
    {415, "invalid_request_error", "invalid_request_error"},
    {431, "invalid_request_error", "invalid_request_error"},
    {429, "rate_limit_error", "rate_limit_error"},
    {500, "server_error", "api_error"},
    {501, "not_supported_error", "api_error"},
    {503, "unavailable_error", "overloaded_error"},
    {504, "timeout_error", "timeout_error"},
    {503, "unavailable_error", "api_error"},
}};

const KindRow& RowOf(ErrorKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::string OpenAiBody(const ApiError& error) {
  JsonWriter json;
  json.BeginObject().Key("error").BeginObject();
  json.Key("message").Text(error.message).Key("type").Text(RowOf(error.kind).openai);
  json.Key("param");
  error.param.empty() ? json.Null() : json.Text(error.param);
  json.Key("code");
  error.code.empty() ? json.Null() : json.Text(error.code);
  return json.EndObject().EndObject().Take();
}

std::string AnthropicBody(const ApiError& error, const std::string& request_id) {
  JsonWriter json;
  json.BeginObject().Key("type").Text("error").Key("error").BeginObject();
  json.Key("type").Text(RowOf(error.kind).anthropic).Key("message");
  json.Text(error.param.empty() ? error.message : error.param + ": " + error.message);
  return json.EndObject().Key("request_id").Text(request_id).EndObject().Take();
}

}  // namespace

Dialect DialectOf(const HttpRequest& request) {
  const std::string_view path = request.path;
  if (path.starts_with("/api/")) return Dialect::kOllama;
  if (path.starts_with("/v1/messages") || path.starts_with("/anthropic/") ||
      request.headers.Has("anthropic-version"))
    return Dialect::kAnthropic;
  return Dialect::kOpenAi;
}

ApiError InvalidField(std::string param, std::string message, std::string code) {
  return {.kind = ErrorKind::kInvalid,
          .message = std::move(message),
          .param = std::move(param),
          .code = std::move(code)};
}

ApiError ErrorOf(const Status& status) {
  ApiError error{.message = status.ToString()};
  switch (status.code()) {
    // Checkpoints were read before any call: what is unusable now is what the client sent.
    case Code::kUnusable:
    case Code::kUsage:
    case Code::kUnsupported:
      error.kind = ErrorKind::kInvalid;
      if (status.where() == "context") {
        error.code = "context_length_exceeded";
        error.param = "messages";
      } else if (status.where().starts_with("schema#")) {
        error.code = "invalid_schema";
        error.param = "response_format.json_schema.schema";
      } else if (status.where().find(' ') == std::string::npos) {
        error.param = status.where();
      }
      break;
    case Code::kNoRoom:
      error.kind = ErrorKind::kOverloaded;
      error.code = "no_memory";
      error.retry_after_seconds = 5;
      break;
    case Code::kBusy:
      error.kind = ErrorKind::kRateLimited;
      error.code = "queue_full";
      error.retry_after_seconds = 1;
      break;
    case Code::kDeadline:
      error.kind = ErrorKind::kTimeout;
      error.code = "timeout";
      break;
    case Code::kCancelled:
      error.kind = ErrorKind::kOverloaded;
      error.code = "cancelled";
      break;
    case Code::kDeadEnd:
      error.kind = ErrorKind::kInternal;
      error.code = "grammar_dead_end";
      break;
    case Code::kOk:
    case Code::kFailed:
      error.kind = ErrorKind::kInternal;
      error.code = "internal_error";
      break;
  }
  return error;
}

int HttpStatusOf(ErrorKind kind, Dialect dialect) {
  if (kind == ErrorKind::kOverloaded && dialect == Dialect::kAnthropic) return 529;
  return RowOf(kind).status;
}

std::string ErrorBody(const ApiError& error, Dialect dialect, const std::string& request_id) {
  switch (dialect) {
    case Dialect::kAnthropic:
      return AnthropicBody(error, request_id);
    case Dialect::kOllama:
      return JsonWriter().BeginObject().Key("error").Text(error.message).EndObject().Take();
    case Dialect::kOpenAi:
      break;
  }
  return OpenAiBody(error);
}

HttpResponse ErrorResponse(const ApiError& error, Dialect dialect, const std::string& request_id) {
  HttpResponse response =
      HttpResponse::Json(ErrorBody(error, dialect, request_id), HttpStatusOf(error.kind, dialect));
  if (error.retry_after_seconds > 0)
    response.headers.Add("Retry-After", std::to_string(error.retry_after_seconds));
  // What failed once inside fails again; what was full may not be.
  if (error.kind == ErrorKind::kInternal || error.kind == ErrorKind::kUnimplemented)
    response.headers.Add("x-should-retry", "false");
  if (!error.allow.empty()) response.headers.Add("Allow", error.allow);
  if (error.kind == ErrorKind::kUnauthorized) response.headers.Add("WWW-Authenticate", "Bearer");
  return response;
}

HttpResponse ErrorResponse(const ApiError& error, const HttpRequest& request) {
  return ErrorResponse(error, DialectOf(request), request.id);
}

void SendError(const ApiError& error, Exchange* exchange) {
  exchange->Send(ErrorResponse(error, exchange->request()));
}

}  // namespace hadal
