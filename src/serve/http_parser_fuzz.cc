// Any bytes as what a connection brings: requests are read or refused, the same however the bytes
// are cut, and what is read keeps to the limits and holds nothing that could be smuggled on.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "serve/http_parser.h"

namespace hadal {
namespace {

using State = HttpParser::State;

struct Outcome {
  State state = State::kHeader;
  std::string method, path, query, body, refusal;
  std::size_t fields = 0, taken = 0;
  bool keep_alive = false;

  bool operator==(const Outcome&) const = default;
};

HttpLimits Limits() {
  HttpLimits limits;
  limits.header_bytes = 1024;
  limits.header_fields = 12;
  limits.line_bytes = 256;
  limits.uri_bytes = 64;
  limits.body_bytes = 512;
  return limits;
}

// As the server feeds it: what was not taken comes again, with what follows.
Outcome Parse(std::string_view text, std::size_t piece) {
  HttpParser parser(Limits());
  std::string waiting;
  Outcome outcome;
  for (std::size_t at = 0; at < text.size() && parser.state() < State::kDone; at += piece) {
    waiting += text.substr(at, piece);
    for (bool goes_on = true; goes_on && !waiting.empty() && parser.state() < State::kDone;) {
      const State before = parser.state();
      const std::size_t used = parser.Feed(waiting);
      HADAL_CHECK(used <= waiting.size(), "more was taken than was there");
      waiting.erase(0, used);
      outcome.taken += used;
      goes_on = used > 0 || parser.state() != before;
    }
  }
  outcome.state = parser.state();
  if (outcome.state == State::kFailed) {
    HADAL_CHECK(!parser.error().message.empty(), "a refusal that says nothing");
    outcome.taken = 0;  // how far it came is nobody's business
  }
  if (outcome.state != State::kDone) return outcome;
  const HttpRequest& request = parser.request();
  outcome.method = request.method;
  outcome.path = request.path;
  outcome.query = request.query;
  outcome.body = request.body;
  outcome.fields = request.headers.fields().size();
  outcome.keep_alive = parser.keep_alive();
  return outcome;
}

void CheckRequest(const Outcome& outcome) {
  const HttpLimits limits = Limits();
  HADAL_CHECK(outcome.body.size() <= limits.body_bytes, "a body above the limit");
  HADAL_CHECK(outcome.fields <= limits.header_fields, "more fields than the limit");
  HADAL_CHECK(outcome.path.size() <= limits.uri_bytes, "a path above the limit");
  HADAL_CHECK(outcome.path.starts_with('/') || outcome.path == "*", "a path that is none");
  for (const char c : outcome.path)
    HADAL_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a control character");
}

}  // namespace
}  // namespace hadal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hadal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = Parse(text, size + 1);
  if (whole.state == HttpParser::State::kDone) CheckRequest(whole);
  // Cut after each byte, and in pieces of a size that the input chooses.
  for (const std::size_t piece : {std::size_t{1}, size == 0 ? 2 : std::size_t{2} + data[0] % 61}) {
    const Outcome cut = Parse(text, piece);
    if (whole.state == HttpParser::State::kDone)
      HADAL_CHECK(cut == whole, "a request that depends on how it was cut");
  }
  return 0;
}
