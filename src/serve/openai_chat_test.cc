#include <gtest/gtest.h>

#include "serve/dialect_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

constexpr char kPath[] = "/v1/chat/completions";
constexpr char kHi[] = R"("model":"fake","messages":[{"role":"user","content":"Hi"}])";

DialectDesk Desk() { return DialectDesk({AddOpenAiChatRoutes, AddModelRoutes}); }
std::string Body(const std::string& more) { return std::string("{") + kHi + more + "}"; }

TEST(OpenAiChat, WholeAndStreamSayTheSame) {
  DialectDesk desk = Desk();
  desk.Answer("<think>Hm.</think>Hello you.");
  const Json whole(desk.Post(kPath, Body(R"(,"temperature":0)")).body);
  EXPECT_EQ(whole["object"], R"("chat.completion")");
  EXPECT_EQ(whole["choices.0.message.role"], R"("assistant")");
  EXPECT_EQ(whole["choices.0.finish_reason"], R"("stop")");
  EXPECT_EQ(whole["choices.0.logprobs"], "null");
  EXPECT_EQ(whole["usage.total_tokens"].empty(), false);
  const HttpResponse streamed = desk.Post(
      kPath, Body(R"(,"temperature":0,"stream":true,"stream_options":{"include_usage":true})"));
  EXPECT_EQ(streamed.headers.Find("content-type"), "text/event-stream");
  EXPECT_TRUE(streamed.body.ends_with("data: [DONE]\n\n"));
  const auto events = EventsOf(streamed.body);
  ASSERT_GT(events.size(), 4u);
  EXPECT_EQ(events[0]["choices.0.delta"], R"({"role":"assistant","content":""})");
  std::string content, reasoning;
  for (const Json& event : events) {
    EXPECT_EQ(event["id"], events[0]["id"]);
    for (const auto& [path, to] : {std::pair{"choices.0.delta.content", &content},
                                   std::pair{"choices.0.delta.reasoning_content", &reasoning}}) {
      const std::string text = event[path];
      if (text.size() > 2) *to += text.substr(1, text.size() - 2);
    }
  }
  EXPECT_EQ("\"" + content + "\"", whole["choices.0.message.content"]);
  EXPECT_EQ("\"" + reasoning + "\"", whole["choices.0.message.reasoning_content"]);
  EXPECT_EQ(reasoning, "Hm.");
  EXPECT_EQ(events[events.size() - 2]["choices.0.finish_reason"], R"("stop")");
  EXPECT_EQ(events[events.size() - 2]["usage"], "null");
  EXPECT_EQ(events.back()["choices"], "[]");
  EXPECT_EQ(events.back()["usage"], whole["usage"]);
}

TEST(OpenAiChat, ToolCallsComeWithDenseIndexes) {
  DialectDesk desk = Desk();
  desk.Answer(
      "<tool_call>{\"name\": \"get\", \"arguments\": {\"a\": 1}}</tool_call>"
      "<tool_call>{\"name\": \"put\", \"arguments\": {}}</tool_call>");
  const std::string tools =
      R"(,"temperature":0,"tools":[{"type":"function","function":{"name":"get","parameters":{"type":"object"}}},)"
      R"({"type":"function","function":{"name":"put"}}])";
  const Json whole(desk.Post(kPath, Body(tools)).body);
  EXPECT_EQ(whole["choices.0.finish_reason"], R"("tool_calls")");
  EXPECT_EQ(whole["choices.0.message.content"], "null");
  EXPECT_EQ(whole["choices.0.message.tool_calls.0.function.name"], R"("get")");
  EXPECT_EQ(whole["choices.0.message.tool_calls.0.function.arguments"], R"("{\"a\": 1}")");
  EXPECT_EQ(whole["choices.0.message.tool_calls.1.function.name"], R"("put")");
  int first_pieces = 0;
  for (const Json& event : EventsOf(desk.Post(kPath, Body(tools + R"(,"stream":true)")).body)) {
    if (event["choices.0.delta.tool_calls.0.id"].empty()) continue;
    EXPECT_EQ(event["choices.0.delta.tool_calls.0.index"], std::to_string(first_pieces++));
    EXPECT_EQ(event["choices.0.delta.tool_calls.0.type"], R"("function")");
  }
  EXPECT_EQ(first_pieces, 2);
}

TEST(OpenAiChat, ChoicesAndLogProbabilities) {
  DialectDesk desk = Desk();
  desk.Answer("ab");
  const std::string wish = R"(,"temperature":0,"n":2,"logprobs":true,"top_logprobs":2)";
  const Json whole(desk.Post(kPath, Body(wish)).body);
  EXPECT_EQ(whole["choices.1.index"], "1");
  EXPECT_EQ(whole["choices.0.message"], whole["choices.1.message"]);
  EXPECT_EQ(whole["choices.0.logprobs.content.0.token"], R"("a")");
  EXPECT_EQ(whole["choices.0.logprobs.content.0.bytes"], "[97]");
  EXPECT_FALSE(whole["choices.0.logprobs.content.0.top_logprobs.1.logprob"].empty());
  const auto events = EventsOf(desk.Post(kPath, Body(wish + R"(,"stream":true)")).body);
  EXPECT_EQ(events[0]["choices.0.index"], "0");
  EXPECT_EQ(events[1]["choices.0.index"], "1");
  EXPECT_EQ(events[1]["choices.0.delta.role"], R"("assistant")");
}

TEST(OpenAiChat, RefusesByName) {
  DialectDesk desk = Desk();
  const std::pair<const char*, const char*> kWrong[] = {
      {R"(,"temperature":3)", "temperature"},
      {R"(,"temperature":"1")", "temperature"},
      {R"(,"top_logprobs":2)", "top_logprobs"},
      {R"(,"n":0)", "n"},
      {R"(,"n":17)", "n"},
      {R"(,"max_tokens":-1)", "max_tokens"},
      {R"(,"logit_bias":{"x":1})", "logit_bias"},
      {R"(,"logit_bias":{"97":1})", "logit_bias"},
      {R"(,"stop":["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q"])", "stop"},
      {R"(,"stream_options":{"include_usage":true})", "stream_options"},
      {R"(,"response_format":{"type":"xml"})", "response_format.type"},
      {R"(,"response_format":{"type":"json_schema"})", "response_format.json_schema"},
      {R"(,"tools":[{"type":"web_search"}])", "tools[0].type"},
      {R"(,"tools":[{"type":"function","function":{"name":"a b"}}])", "tools[0].function.name"},
      {R"(,"tool_choice":"required")", "tool_choice"},
      {R"(,"modalities":["audio"])", "modalities"},
      {R"(,"reasoning_effort":"extreme")", "reasoning_effort"},
      {R"(,"unheard_of":1)", "unheard_of"},
  };
  for (const auto& [field, param] : kWrong) {
    const HttpResponse response = desk.Post(kPath, Body(field));
    EXPECT_EQ(response.status, 400) << field << response.body;
    EXPECT_EQ(Json(response.body)["error.param"], "\"" + std::string(param) + "\"") << field;
  }
  for (const char* messages :
       {"[]", "{}", R"([{"role":"king","content":"x"}])", R"([{"role":"user"}])",
        R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x/y"}}]}])",
        R"([{"role":"tool","tool_call_id":"c","content":"x"}])",
        R"([{"role":"assistant","content":"x","prefix":true},{"role":"user","content":"x"}])"}) {
    const auto response =
        desk.Post(kPath, std::string(R"({"model":"fake","messages":)") + messages + "}");
    EXPECT_EQ(response.status, 400) << messages;
  }
  EXPECT_EQ(desk.Post(kPath, R"({"model":"no","messages":[{"role":"user","content":"x"}]})").status,
            404);
}

TEST(OpenAiChat, IgnoresWhatTheTableSays) {
  DialectDesk desk = Desk();
  const auto response = desk.Post(
      kPath,
      Body(R"(,"store":true,"metadata":{"a":"b"},"service_tier":"auto","user":"u",)"
           R"("verbosity":"low","prompt_cache_key":"k","max_tokens":3,"max_completion_tokens":9)"));
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(Json(response.body)["usage.completion_tokens"], "3");
}

TEST(OpenAiModels, ListsInBothShapes) {
  DialectDesk desk = Desk();
  const Json openai(desk.Ask("GET", "/v1/models").body);
  EXPECT_EQ(openai["object"], R"("list")");
  EXPECT_EQ(openai["data.0.owned_by"], R"("hadal")");
  EXPECT_EQ(openai["data.0.created"], "1700000000");
  const Json anthropic(
      desk.Ask("GET", "/v1/models", "", {{"anthropic-version", "2023-06-01"}}).body);
  EXPECT_EQ(anthropic["data.0.type"], R"("model")");
  EXPECT_EQ(anthropic["has_more"], "false");
  EXPECT_EQ(desk.Ask("GET", "/v1/models/none").status, 404);
  EXPECT_EQ(Json(desk.Ask("GET", "/v1/models/fake").body)["id"], R"("fake")");
}

}  // namespace
}  // namespace hadal
