// HttpParser: bytes of a connection to one request, strictly (RFC 9112): one Content-Length of
// digits or chunks, never both; limits on everything. Boost.Beast parses; this checks what it lets
// pass. No network in it. One object a request; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "serve/api_error.h"
#include "serve/http_limits.h"
#include "serve/http_message.h"

namespace hadal {

class HttpParser {
 public:
  enum class State : unsigned char { kHeader, kBody, kDone, kFailed };

  explicit HttpParser(const HttpLimits& limits);
  ~HttpParser();

  // Takes bytes from the front and says how many; the rest are to be given again, with what comes
  // after them. Stops behind the header (kBody), so that a request can be refused before its body,
  // and behind the body.
  std::size_t Feed(std::string_view bytes);
  State state() const { return state_; }
  // From kBody on everything but the body; complete with kDone. In kFailed what is known, so that
  // the error can be told in the right dialect.
  HttpRequest& request() { return request_; }
  const ApiError& error() const { return error_; }
  bool keep_alive() const { return keep_alive_; }
  bool version_1_0() const { return version_1_0_; }
  bool expects_continue() const { return expects_continue_; }
  std::uint64_t body_bytes() const { return body_bytes_; }  // so far

 private:
  struct Beast;
  void Fail(ErrorKind kind, std::string message, std::string code);
  void FailWith(const std::string& reason, bool header_limit, bool body_limit);
  void TakeHeader();
  void TakeRequestLine(std::string_view header);
  bool CheckHeader();
  void TakeTarget(std::string_view target);

  const HttpLimits limits_;
  std::unique_ptr<Beast> beast_;
  State state_ = State::kHeader;
  HttpRequest request_;
  ApiError error_;
  bool keep_alive_ = false, version_1_0_ = false, expects_continue_ = false;
  std::uint64_t body_bytes_ = 0;
};

}  // namespace hadal
