#include "serve/router.h"

#include <gtest/gtest.h>

#include "serve/admission.h"

namespace hadal {
namespace {

Handler Nothing() {
  return [](const std::shared_ptr<Exchange>&) {};
}

Router Example() {
  Router router;
  router.Add({"GET", "/", Access::Public(), Nothing()});
  router.Add({"GET", "/v1/models", Access::Key(Scope::kInfer), Nothing()});
  router.Add({"GET", "/v1/models/{id...}", Access::Key(Scope::kInfer), Nothing()});
  router.Add({"DELETE", "/v1/models/{id...}", Access::Key(Scope::kManage), Nothing()});
  router.Add({"GET", "/v1/responses/{id}/input_items", Access::Key(Scope::kInfer), Nothing()});
  router.Add({"GET", "/v1/responses/{id}", Access::Key(Scope::kInfer), Nothing()});
  return router;
}

TEST(Router, FindsPathsAndParameters) {
  const Router router = Example();
  auto match = router.Find("GET", "/v1/models/meta/llama:8b");
  ASSERT_TRUE(match.ok());
  ASSERT_EQ(match->parameters.size(), 1u);
  EXPECT_EQ(match->parameters[0].first, "id");
  EXPECT_EQ(match->parameters[0].second, "meta/llama:8b");
  EXPECT_EQ(router.Find("GET", "/v1/responses/r1")->route->pattern, "/v1/responses/{id}");
  EXPECT_EQ(router.Find("GET", "/v1/responses/r1/input_items")->route->pattern,
            "/v1/responses/{id}/input_items");
  EXPECT_EQ(router.Find("HEAD", "/")->route->pattern, "/");
}

TEST(Router, SaysNotFoundAndWrongMethod) {
  const Router router = Example();
  for (const char* path :
       {"/nothing", "/v1", "/v1/models/", "//", "/v1/responses//input_items", ""})
    EXPECT_EQ(router.Find("GET", path).error().kind, ErrorKind::kNotFound) << path;
  const auto wrong = router.Find("POST", "/v1/models/x");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().kind, ErrorKind::kWrongMethod);
  EXPECT_EQ(wrong.error().allow, "GET, HEAD, DELETE");
}

TEST(ApiError, SpeaksEveryDialect) {
  HttpRequest request;
  request.id = "r-1";
  const ApiError error = InvalidField("messages[0].role", "is \"wrong\"", "invalid_value");
  request.path = "/v1/chat/completions";
  EXPECT_EQ(ErrorResponse(error, request).body,
            R"({"error":{"message":"is \"wrong\"","type":"invalid_request_error",)"
            R"("param":"messages[0].role","code":"invalid_value"}})");
  request.path = "/v1/messages";
  EXPECT_EQ(ErrorResponse(error, request).body,
            R"({"type":"error","error":{"type":"invalid_request_error",)"
            R"("message":"messages[0].role: is \"wrong\""},"request_id":"r-1"})");
  request.path = "/api/chat";
  EXPECT_EQ(ErrorResponse(error, request).body, R"({"error":"is \"wrong\""})");
  request.path = "/v1/models";
  request.headers.Add("Anthropic-Version", "2023-06-01");
  EXPECT_EQ(DialectOf(request), Dialect::kAnthropic);
  const auto full = ErrorResponse(
      {.kind = ErrorKind::kOverloaded, .message = "full", .retry_after_seconds = 3}, request);
  EXPECT_EQ(full.status, 529);
  EXPECT_EQ(full.headers.Find("retry-after"), "3");
}

TEST(Admission, BoundsAllAndEachKey) {
  Admission admission({.most_calls = 3});
  ApiKey one{.name = "one", .most_calls = 2}, two{.name = "two", .most_calls = 9};
  auto first = admission.Enter(one, 2);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(admission.Enter(one, 1).error().code, "key_limit");
  auto second = admission.Enter(two, 1);
  ASSERT_TRUE(second.ok());
  const auto third = admission.Enter(two, 1);
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, "queue_full");
  EXPECT_GT(third.error().retry_after_seconds, 0);
  first->reset();
  EXPECT_TRUE(admission.Enter(one, 1).ok());
  EXPECT_EQ(admission.calls(), 1);
}

TEST(HttpMessage, ReadsHeadersAndPaths) {
  HttpHeaders headers{{"Content-Type", "a"}, {"content-type", "b"}};
  EXPECT_EQ(headers.Find("CONTENT-TYPE"), "a");
  EXPECT_EQ(headers.Count("Content-type"), 2u);
  headers.Set("content-TYPE", "c");
  EXPECT_EQ(headers.Count("Content-type"), 1u);
  std::string path;
  EXPECT_TRUE(PercentDecode("/v1/models/a%2Fb%C3%A9", &path));
  EXPECT_EQ(path, "/v1/models/a/b\xC3\xA9");
  for (const char* bad : {"/%", "/%4", "/%zz", "/%00", "/%0a", "/%ff", "/a\nb"})
    EXPECT_FALSE(PercentDecode(bad, &path)) << bad;
}

TEST(ApiKey, HashesAndCompares) {
  // FIPS 180-4's example: SHA-256 of "abc".
  const KeyHash hash = HashKey("abc");
  EXPECT_EQ(Hex(hash), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(SameHash(hash, HashKey("abc")));
  EXPECT_FALSE(SameHash(hash, HashKey("abC")));
}

}  // namespace
}  // namespace hadal
