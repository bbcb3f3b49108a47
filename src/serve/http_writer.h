// The bytes of a response's head (RFC 9112 section 4), with what every response carries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "serve/http_message.h"

namespace hadal {

struct HeadOptions {
  std::optional<std::uint64_t> content_length = {};  // absent: chunked, or until the end
  bool chunked = false;
  bool keep_alive = false;
  std::string request_id = {};
  std::int64_t unix_seconds = 0;  // for Date
};

// Line ends in a value become spaces: a header cannot be injected.
std::string ResponseHead(int status, const HttpHeaders& headers, const HeadOptions& options);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string HttpDate(std::int64_t unix_seconds);

// One chunk of a chunked body; the last one is "0\r\n\r\n".
std::string Chunk(std::string_view data);

}  // namespace hadal
