#include "serve/http_parser.h"

#include <gtest/gtest.h>

#include "serve/answer_writer.h"
#include "serve/gate.h"
#include "serve/http_writer.h"

namespace hadal {
namespace {

using State = HttpParser::State;

// Feeds a request in pieces of so many bytes until it is done or refused.
std::unique_ptr<HttpParser> Parse(std::string text, std::size_t piece = 1 << 20,
                                  const HttpLimits& limits = {}) {
  auto parser = std::make_unique<HttpParser>(limits);
  std::string waiting;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    waiting += text.substr(at, piece);
    for (std::size_t used = 1; used > 0 && parser->state() < State::kDone;) {
      const State before = parser->state();
      used = parser->Feed(waiting);
      waiting.erase(0, used);
      if (parser->state() != before) used = 1;
      if (waiting.empty()) break;
    }
  }
  return parser;
}

std::string Get(const std::string& headers, const std::string& target = "/x") {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}
std::string Post(const std::string& headers, const std::string& body) {
  return "POST /x HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
}

TEST(HttpParser, ReadsRequestsHoweverTheyAreCut) {
  const std::string chunked =
      Post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n");
  for (const std::size_t piece : {1u, 2u, 7u, 1000u}) {
    const auto plain = Parse(Post("Content-Length: 5\r\nX: y\r\n", "hello"), piece);
    ASSERT_EQ(plain->state(), State::kDone) << piece << plain->error().message;
    EXPECT_EQ(plain->request().body, "hello");
    EXPECT_EQ(plain->request().headers.Find("x"), "y");
    EXPECT_TRUE(plain->keep_alive());
    const auto chunks = Parse(chunked, piece);
    ASSERT_EQ(chunks->state(), State::kDone) << piece << chunks->error().message;
    EXPECT_EQ(chunks->request().body, "abcdefg");
  }
  const auto get = Parse(Get("", "/v1/a%2Fb?x=1&y=%20"));
  ASSERT_EQ(get->state(), State::kDone);
  EXPECT_EQ(get->request().path, "/v1/a/b");
  EXPECT_EQ(get->request().query, "x=1&y=%20");
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\nHost: x\r\n\r\n")->keep_alive());
}

// Row "cpp-httplib" of the security history: what smuggles a request.
TEST(HttpParser, RefusesAmbiguousFraming) {
  for (const char* headers :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n", "Content-Length: -2\r\n", "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n", "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Content-Length : 5\r\n", "Bad Name: 5\r\n", "X\r\n", "X: a\nY: b\r\n",
        "Transfer-Encoding: chunked\r\nTrailer: X\r\n"}) {
    const auto parser = Parse(Post(headers, "hello"));
    EXPECT_EQ(parser->state(), State::kFailed) << headers;
    EXPECT_EQ(parser->error().kind, ErrorKind::kInvalid) << headers;
  }
  EXPECT_EQ(Parse(Post("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"))->error().kind,
            ErrorKind::kUnsupportedMedia);
  for (const char* chunks :
       {"-1\r\nabc\r\n", "zz\r\n", "3\r\nabcd\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"})
    EXPECT_EQ(Parse(Post("Transfer-Encoding: chunked\r\n", chunks))->state(), State::kFailed)
        << chunks;
  for (const char* text : {"GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "get\r\n\r\n",
                           "\x16\x03\x01\x02\r\n\r\n", "GET x HTTP/1.1\r\nHost: x\r\n\r\n"})
    EXPECT_EQ(Parse(text)->state(), State::kFailed) << text;
  EXPECT_EQ(Parse(Get("X: a" + std::string(1, '\0') + "b\r\n"))->state(), State::kFailed);
  for (const char* target : {"/%", "/%00", "/%ff", "/%0d%0aX:y"})
    EXPECT_EQ(Parse(Get("", target))->state(), State::kFailed) << target;
}

TEST(HttpParser, HoldsToItsLimits) {
  EXPECT_EQ(Parse(Get("X: " + std::string(40000, 'a') + "\r\n"))->error().kind,
            ErrorKind::kHeadersTooLarge);
  EXPECT_EQ(Parse(Get("X: " + std::string(9000, 'a') + "\r\n"))->error().kind,
            ErrorKind::kHeadersTooLarge);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(Parse(Get(many))->error().kind, ErrorKind::kHeadersTooLarge);
  EXPECT_EQ(Parse(Get("", "/" + std::string(9000, 'a')))->error().kind, ErrorKind::kUriTooLong);
  EXPECT_EQ(Parse(Get("", "/" + std::string(70000, 'a')))->error().kind, ErrorKind::kUriTooLong);
  const HttpLimits small{.body_bytes = 10};
  const auto said = Parse(Post("Content-Length: 11\r\n", ""), 1 << 20, small);
  EXPECT_EQ(said->error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(said->request().path, "/x");  // before the body is read
  EXPECT_EQ(Parse(Post("Transfer-Encoding: chunked\r\n", "b\r\nabcdefghijk\r\n0\r\n\r\n"), 1, small)
                ->error()
                .kind,
            ErrorKind::kTooLarge);
  // Row "CVE-2025-23310": many chunks of one byte.
  std::string chunks;
  for (int i = 0; i < 100000; ++i) chunks += "1\r\na\r\n";
  const auto parser = Parse(Post("Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n"));
  ASSERT_EQ(parser->state(), State::kDone);
  EXPECT_EQ(parser->request().body.size(), 100000u);
}

TEST(HttpWriter, WritesHeadsThatCannotBeInjected) {
  const std::string head = ResponseHead(200, {{"X", "a\r\nY: b"}}, {.content_length = 3});
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(head.find("X: a  Y: b\r\n"), head.npos);
  EXPECT_TRUE(head.ends_with("Content-Length: 3\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(HttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's example
  EXPECT_EQ(Chunk("0123456789abcdef"), "10\r\n0123456789abcdef\r\n");
  EXPECT_EQ(SseEvent("ping", "{}"), "event: ping\ndata: {}\n\n");
}

struct Door {
  Door() {
    router->Add({"GET", "/health", Access::Public(), [](const auto&) {}});
    router->Add({"POST", "/ask", Access::Key(Scope::kInfer), [](const auto&) {}});
    router->Add({"POST", "/manage", Access::Key(Scope::kManage), [](const auto&) {}});
  }
  int Try(const std::string& method, const std::string& path, HttpHeaders headers,
          const std::string& host = "localhost:8080") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.remote = "10.0.0.1";
    if (!host.empty()) request.headers.Add("Host", host);
    const auto pass = Gate(options, router, keys).Admit(&request);
    return pass.ok() ? 200 : HttpStatusOf(pass.error().kind, Dialect::kOpenAi);
  }
  GateOptions options;
  std::shared_ptr<Router> router = std::make_shared<Router>();
  std::shared_ptr<KeyRing> keys = std::make_shared<KeyRing>();
};

// Row "CVE-2024-28224": a name that points here is not enough.
TEST(Gate, TakesOnlyItsOwnHosts) {
  Door door;
  for (const char* host :
       {"localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "192.168.1.2"})
    EXPECT_EQ(door.Try("GET", "/health", {}, host), 200) << host;
  for (const char* host :
       {"attacker.example", "localhost.attacker.example", "", "127.0.0.1.nip.io"})
    EXPECT_EQ(door.Try("GET", "/health", {}, host), 403) << host;
  door.options.hosts = {"llm.lan"};
  EXPECT_EQ(door.Try("GET", "/health", {}, "LLM.lan:80"), 200);
}

TEST(Gate, PagesOfOtherOriginsMayNotAsk) {
  Door door;
  EXPECT_EQ(door.Try("POST", "/ask", {{"Origin", "http://localhost:8080"}}), 200);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Origin", "http://localhost:3000"}}), 403);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Origin", "null"}}), 403);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(
      door.Try("OPTIONS", "/ask",
               {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}}),
      403);
  door.options.origins = {"https://chat.example"};
  const HttpHeaders listed{{"Origin", "https://chat.example"},
                           {"Access-Control-Request-Method", "POST"}};
  EXPECT_EQ(door.Try("OPTIONS", "/ask", listed), 200);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Origin", "https://chat.example"}}), 200);
}

TEST(Gate, RoutesNeedKeysWithTheirScope) {
  Door door;
  auto keys = ParseKeys(
      "alice key:secret-a scopes=infer calls=2\n# none\nboss key:secret-b "
      "scopes=infer,manage # all\n",
      "keys");
  ASSERT_TRUE(keys.ok()) << keys.status().ToString();
  door.keys->Set(*keys);
  EXPECT_EQ(door.Try("GET", "/health", {}), 200);
  EXPECT_EQ(door.Try("POST", "/ask", {}), 401);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Authorization", "Bearer secret-a"}}), 200);
  EXPECT_EQ(door.Try("POST", "/ask", {{"Authorization", "bearer secret-a"}}), 200);
  EXPECT_EQ(door.Try("POST", "/ask", {{"x-api-key", "secret-a"}}), 200);
  EXPECT_EQ(door.Try("POST", "/ask", {{"x-api-key", "SECRET-A"}}), 401);
  EXPECT_EQ(door.Try("POST", "/manage", {{"x-api-key", "secret-a"}}), 403);
  EXPECT_EQ(door.Try("POST", "/manage", {{"x-api-key", "secret-b"}}), 200);
  for (int i = 0; i < KeyRing::kMostFailures; ++i)
    door.Try("POST", "/ask", {{"x-api-key", "guess"}});
  EXPECT_EQ(door.Try("POST", "/ask", {{"x-api-key", "guess"}}), 429);
}

TEST(KeyRing, ReadsLinesStrictly) {
  for (const char* bad : {"", "alice", "alice secret", "alice key:", "alice sha256:12", "a b c",
                          "alice key:x scopes=fly", "alice key:x calls=0", "alice key:x calls=x",
                          "alice key:x\nalice key:y", "anonymous key:x", "al/ice key:x"})
    EXPECT_FALSE(ParseKeys(bad, "keys").ok()) << bad;
  const auto made = MakeKey("carol");
  ASSERT_TRUE(made.ok());
  const auto keys = ParseKeys(made->line, "keys");
  ASSERT_TRUE(keys.ok()) << keys.status().ToString();
  EXPECT_TRUE(SameHash((*keys)[0]->hash, HashKey(made->key)));
  EXPECT_EQ(made->line.find(made->key), std::string::npos);
}

}  // namespace
}  // namespace hadal
