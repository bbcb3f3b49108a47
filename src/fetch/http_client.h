// HttpClient: one GET at a time, by libcurl. It follows nothing, unpacks nothing and keeps nothing
// but the connection. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadal {

struct FetchLimits {
  double stall_seconds = 30;  // without a byte
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  std::function<bool()> cancelled = {};  // asked about ten times a second
};

// The head of an answer.
struct HttpHead {
  int status = 0;
  std::optional<std::uint64_t> content_length = {};
  std::string etag = {}, content_range = {}, link = {}, retry_after = {};
  std::string redirect = {};  // the whole address; after the answer's end
};

enum class HttpEnd : unsigned char {
  kDone,         // the whole answer, as long as it said it would be
  kStopped,      // by us: `on_head` or `on_body` said so
  kUnreachable,  // no connection
  kBroken,       // ended before its end
  kStalled,
  kUntrusted,  // the certificate, or an address that cannot be spoken to
  kDeadline,
  kCancelled,
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  struct Call {
    std::string url;
    std::vector<std::string> headers;
    bool direct = false;  // past every proxy
    std::function<bool(const HttpHead&)> on_head;
    std::function<bool(std::string_view)> on_body;
  };
  struct Answer {
    HttpEnd end = HttpEnd::kBroken;
    HttpHead head;
    std::string what;  // of a failure, in libcurl's words
  };
  Answer Get(const Call& call, const FetchLimits& limits);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace hadal
