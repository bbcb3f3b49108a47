#include "serve/http_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

namespace hadal {

namespace http = boost::beast::http;

struct HttpParser::Beast {
  http::request_parser<http::string_body> parser;
};

namespace {

std::string_view ViewOf(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

}  // namespace

HttpParser::HttpParser(const HttpLimits& limits)
    : limits_(limits), beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  beast_->parser.body_limit(limits.body_bytes);
  beast_->parser.eager(false);
}

HttpParser::~HttpParser() = default;

void HttpParser::Fail(ErrorKind kind, std::string message, std::string code) {
  state_ = State::kFailed;
  error_ = {.kind = kind, .message = std::move(message), .code = std::move(code)};
}

std::size_t HttpParser::Feed(std::string_view bytes) {
  auto& parser = beast_->parser;
  const bool in_header = state_ == State::kHeader;
  // Beast takes the request line away before the rest of the header is known to be good.
  if (in_header && request_.path.empty()) TakeRequestLine(bytes);
  std::size_t used = 0;
  while (used < bytes.size() && (state_ == State::kHeader || state_ == State::kBody)) {
    boost::beast::error_code error;
    const std::size_t taken =
        parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += taken;
    if (error == http::error::need_more) break;
    if (error) {
      FailWith(error.message(), error == http::error::header_limit,
               error == http::error::body_limit);
      return used;
    }
    if (in_header && parser.is_header_done()) {
      TakeHeader();
      return used;
    }
    body_bytes_ = parser.get().body().size();
    if (parser.is_done()) {
      request_.body = std::move(parser.get().body());
      state_ = State::kDone;
    } else if (taken == 0) {
      break;
    }
  }
  return used;
}

void HttpParser::FailWith(const std::string& reason, bool header_limit, bool body_limit) {
  if (header_limit && request_.path.empty())
    return Fail(ErrorKind::kUriTooLong, "the request line is too long", "uri_too_long");
  if (header_limit)
    return Fail(ErrorKind::kHeadersTooLarge,
                "the header is larger than " + std::to_string(limits_.header_bytes) + " bytes",
                "headers_too_large");
  if (body_limit)
    return Fail(ErrorKind::kTooLarge,
                "the body is larger than " + std::to_string(limits_.body_bytes) + " bytes",
                "body_too_large");
  Fail(ErrorKind::kInvalid, "not HTTP/1.1: " + reason, "bad_http");
}

// Of a header that fails as a whole: as much as tells the dialect of the answer.
void HttpParser::TakeRequestLine(std::string_view header) {
  constexpr std::size_t kMethodAndVersion = 64;
  const std::size_t line_end = header.find('\r');
  if (line_end > limits_.uri_bytes + kMethodAndVersion) return;  // or there is no end
  const std::string_view line = header.substr(0, line_end);
  const std::size_t from = line.find(' '), to = line.rfind(' ');
  if (from != line.npos && to > from) TakeTarget(line.substr(from + 1, to - from - 1));
}

// What the target says; an ill-formed one is kept as it came, for the message only.
void HttpParser::TakeTarget(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  request_.query = std::string(target.substr(std::min(mark + 1, target.size())));
  if (!PercentDecode(target.substr(0, mark), &request_.path)) request_.path.clear();
}

void HttpParser::TakeHeader() {
  auto& parser = beast_->parser;
  const auto& message = parser.get();
  request_.method = std::string(ViewOf(message.method_string()));
  for (const auto& field : message.base())
    request_.headers.Add(std::string(ViewOf(field.name_string())),
                         std::string(ViewOf(field.value())));
  keep_alive_ = parser.keep_alive();
  version_1_0_ = message.version() == 10;
  expects_continue_ = EqualsIgnoringCase(request_.headers.Find("Expect"), "100-continue");
  TakeTarget(ViewOf(message.target()));
  if (!CheckHeader()) return;
  state_ = State::kBody;
  if (!parser.is_done()) return;
  state_ = State::kDone;
}

// What Beast lets pass and this server does not.
bool HttpParser::CheckHeader() {
  const auto& message = beast_->parser.get();
  const auto bad = [this](std::string text) {
    Fail(ErrorKind::kInvalid, std::move(text), "bad_http");
    return false;
  };
  if (message.target().size() > limits_.uri_bytes) {
    Fail(ErrorKind::kUriTooLong,
         "the address is longer than " + std::to_string(limits_.uri_bytes) + " bytes",
         "uri_too_long");
    return false;
  }
  const auto& fields = request_.headers.fields();
  const bool long_line = std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
    return field.first.size() + field.second.size() > limits_.line_bytes;
  });
  if (fields.size() > limits_.header_fields || long_line) {
    Fail(ErrorKind::kHeadersTooLarge,
         "more than " + std::to_string(limits_.header_fields) +
             " header fields, or one of more than " + std::to_string(limits_.line_bytes) + " bytes",
         "headers_too_large");
    return false;
  }
  for (const auto& [name, value] : fields)
    if (std::any_of(value.begin(), value.end(), IsControl))
      return bad("a control character in a header field");
  if (message.version() != 11 && message.version() != 10) return bad("HTTP/1.1 is spoken here");
  if (request_.path.empty() || request_.path.front() != '/')
    return bad("the address must be a path in UTF-8 that begins with /");
  if (request_.headers.Count("Content-Length") > 1 ||
      request_.headers.Count("Transfer-Encoding") > 1)
    return bad("the length of the body is said twice");
  if (request_.headers.Has("Content-Length") && request_.headers.Has("Transfer-Encoding"))
    return bad("both Content-Length and Transfer-Encoding");
  if (request_.headers.Has("Transfer-Encoding") &&
      !EqualsIgnoringCase(request_.headers.Find("Transfer-Encoding"), "chunked"))
    return bad("a Transfer-Encoding other than chunked");
  if (request_.headers.Has("Content-Encoding") &&
      !EqualsIgnoringCase(request_.headers.Find("Content-Encoding"), "identity")) {
    Fail(ErrorKind::kUnsupportedMedia, "compressed bodies are not taken", "compressed_body");
    return false;
  }
  if (request_.headers.Has("Trailer")) return bad("trailers are not taken");
  return true;
}

}  // namespace hadal
