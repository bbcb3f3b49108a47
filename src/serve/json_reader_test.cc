#include "serve/json_reader.h"

#include <gtest/gtest.h>

#include "serve/json_writer.h"

namespace hadal {
namespace {

HttpRequest WithBody(std::string body) {
  HttpRequest request;
  request.headers.Add("Content-Type", "application/json; charset=utf-8");
  request.body = std::move(body);
  return request;
}

TEST(JsonReader, RefusesWhatIsNotStrict) {
  for (const char* bad :
       {"", "[]", "{\"a\":1,\"a\":2}", "{\"a\":1}x", "{\"a\":NaN}", "{\"a\":1e400}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{'a':1}", "{\"a\":1,}",
        "{\"a\":\"\x01\"}", "null", "{\"a\":01}"})
    EXPECT_FALSE(ParseRequest(WithBody(bad)).ok()) << bad;
  EXPECT_TRUE(ParseRequest(WithBody("{\"a\":{\"a\":1},\"b\":[1,{\"a\":2}]}")).ok());
  HttpRequest text = WithBody("{}");
  text.headers.Set("content-type", "text/plain");
  EXPECT_EQ(ParseRequest(text).error().kind, ErrorKind::kUnsupportedMedia);
}

// Row "CSRF on simple requests": a form of a page is no request; Ollama's curl is one.
TEST(JsonReader, TakesFormsFromNoPage) {
  HttpRequest request = WithBody("{}");
  request.headers.Set("content-type", "application/x-www-form-urlencoded");
  request.path = "/v1/chat/completions";
  EXPECT_EQ(ParseRequest(request).error().kind, ErrorKind::kUnsupportedMedia);
  request.path = "/api/chat";
  EXPECT_TRUE(ParseRequest(request).ok());
  request.headers.Add("Origin", "http://localhost");
  EXPECT_EQ(ParseRequest(request).error().kind, ErrorKind::kUnsupportedMedia);
}

TEST(JsonReader, BoundsDepthAndNodes) {
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(ParseRequest(WithBody(nested(kMostJsonDepth - 1))).ok());
  EXPECT_FALSE(ParseRequest(WithBody(nested(kMostJsonDepth))).ok());
  EXPECT_FALSE(ParseRequest(WithBody(std::string(1'000'000, '['))).ok());
  std::string many = "{\"a\":[0";
  for (int i = 0; i < kMostJsonNodes; ++i) many += ",0";
  EXPECT_FALSE(ParseRequest(WithBody(many + "]}")).ok());
}

TEST(JsonReader, ReadsTypedFieldsAndNamesTheWrongOne) {
  auto document = ParseStrictJson(
      R"({"n":3,"half":0.5,"s":"x","b":true,"o":{"k":"v","odd":1},"list":[1,2],"none":null,"u":1})",
      "test");
  ASSERT_TRUE(document.ok());
  RequestReader reader;
  Fields fields(document->root(), "", &reader);
  EXPECT_EQ(fields.Integer("n", 0, 3), 3);
  EXPECT_EQ(fields.Number("half", 0, 1), 0.5);
  EXPECT_EQ(fields.Text("s"), "x");
  EXPECT_EQ(fields.Boolean("b"), true);
  EXPECT_EQ(fields.Text("none"), std::nullopt);
  EXPECT_EQ(fields.Array("list", 1, 2)->size(), 2u);
  auto inner = fields.Object("o");
  EXPECT_EQ(inner->Text("k"), "v");
  EXPECT_FALSE(reader.failed());
  inner->Finish();
  ASSERT_TRUE(reader.failed());
  EXPECT_EQ(reader.error().param, "o.odd");
  EXPECT_EQ(reader.error().code, "unknown_parameter");
}

TEST(JsonReader, HoldsNumbersToTheirBounds) {
  for (const char* bad :
       {"-1", "4", "1.5", "\"2\"", "true", "1e300", "18446744073709551616", "{}"}) {
    auto document = ParseStrictJson("{\"n\":" + std::string(bad) + "}", "test");
    ASSERT_TRUE(document.ok()) << bad;
    RequestReader reader;
    EXPECT_EQ(Fields(document->root(), "", &reader).Integer("n", 0, 3), std::nullopt) << bad;
    EXPECT_EQ(reader.error().param, "n") << bad;
  }
}

TEST(JsonWriter, WritesWhatReadersRead) {
  JsonWriter json;
  json.BeginObject().Key("a").BeginArray().Integer(1).Number(0.5).Null().EndArray();
  json.Key("b").Text("x\"\xff\n").Key("c").BeginObject().EndObject().Key("d").Boolean(false);
  json.Key("e").Number(std::numeric_limits<double>::infinity()).Key("f").Number(0.6f).EndObject();
  EXPECT_EQ(json.Take(),
            "{\"a\":[1,0.5,null],\"b\":\"x\\\"\xEF\xBF\xBD\\n\",\"c\":{},\"d\":false,\"e\":null,"
            "\"f\":0.6}");
}

}  // namespace
}  // namespace hadal
