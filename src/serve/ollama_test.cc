// Ollama's chat and generate, case by case of shared reference A6 (L rows).
#include <gtest/gtest.h>

#include "serve/dialect_test_data.h"
#include "serve/json_writer.h"
#include "serve/ollama_messages.h"
#include "serve/ollama_time.h"
#include "serve/routes.h"

namespace hadal {
namespace {

struct Desk : DialectDesk {
  explicit Desk(const std::string& format = "qwen3") : DialectDesk({AddOllamaChatRoutes}, format) {}
  HttpResponse Chat(const std::string& rest) {
    return Post("/api/chat", R"({"model":"fake","messages":[{"role":"user","content":"Hi?"}],
        "options":{"temperature":0})" +
                                 rest + "}");
  }
  HttpResponse Generate(const std::string& rest) {
    return Post("/api/generate", R"({"model":"fake","options":{"temperature":0})" + rest + "}");
  }
};

std::string Bare(const std::string& json) { return json.substr(1, json.size() - 2); }

TEST(Ollama, L01StreamsAChatByDefault) {
  Desk desk;
  const HttpResponse response = desk.Chat("");
  EXPECT_EQ(response.headers.Find("Content-Type"), "application/x-ndjson");
  std::string text;
  const auto lines = LinesOf(response.body);
  ASSERT_GT(lines.size(), 1u);
  for (const Json& line : lines) {
    EXPECT_EQ(line["model"], "\"fake\"");
    EXPECT_EQ(line["message.role"], "\"assistant\"");
    EXPECT_EQ(line["done"], &line == &lines.back() ? "true" : "false");
    text += Bare(line["message.content"]);
  }
  EXPECT_EQ(text, "Hello.");
  EXPECT_EQ(lines.back()["done_reason"], "\"stop\"");
  EXPECT_EQ(lines.back()["eval_count"], "7");
}

TEST(Ollama, L02AnswersAtOnceWhereAsked) {
  Desk desk;
  const Json answer(desk.Chat(R"(,"stream":false)").body);
  EXPECT_EQ(answer["message"], R"({"role":"assistant","content":"Hello."})");
  EXPECT_EQ(answer["done"], "true");
}

TEST(Ollama, L03Generates) {
  Desk desk;
  const Json answer(desk.Generate(R"(,"prompt":"Hi?","system":"S","stream":false)").body);
  EXPECT_EQ(answer["response"], "\"Hello.\"");
  EXPECT_EQ(answer["done_reason"], "\"stop\"");
  const auto lines = LinesOf(desk.Generate(R"(,"prompt":"Hi?")").body);
  EXPECT_GT(lines.size(), 1u);
}

TEST(Ollama, L03GeneratesFromARawPrompt) {
  Desk desk;
  EXPECT_EQ(Json(desk.Generate(R"(,"prompt":"ab","raw":true,"stream":false)").body)["response"],
            "\"Hello.\"");
  for (const char* key : {"system", "template"})
    EXPECT_EQ(
        desk.Generate(R"(,"prompt":"ab","raw":true,")" + std::string(key) + R"(":"x")").status,
        400);
}

TEST(Ollama, L04LoadsAndUnloads) {
  Desk desk;
  Json loaded(desk.Generate("").body);
  EXPECT_EQ(loaded["done"], "true");
  EXPECT_EQ(loaded["done_reason"], "\"load\"");
  loaded = Json(desk.Post("/api/chat", R"({"model":"fake","messages":[]})").body);
  EXPECT_EQ(loaded["message.content"], "\"\"");
  EXPECT_EQ(loaded["done_reason"], "\"load\"");
  loaded = Json(desk.Generate(R"(,"keep_alive":0)").body);
  EXPECT_EQ(loaded["done_reason"], "\"unload\"");
}

TEST(Ollama, L05ChecksTheTypesOfOptions) {
  Desk desk;
  for (const char* options :
       {R"({"temperature":"hot"})", R"({"top_k":1.5})", R"({"seed":true})", R"({"stop":[1]})",
        R"({"num_predict":"many"})", R"({"top_p":2})", R"({"mirostat":1})", R"({"typical_p":0.5})",
        R"({"repeat_penalty":1.1,"repeat_last_n":64})", R"([])"}) {
    const auto response =
        desk.Post("/api/generate",
                  R"({"model":"fake","prompt":"Hi?","options":)" + std::string(options) + "}");
    EXPECT_EQ(response.status, 400) << options;
    EXPECT_NE(Json(response.body)["error"], "") << "a text";
  }
  EXPECT_EQ(desk.Post("/api/generate", R"({"model":"fake","prompt":"Hi?","stream":false,
      "options":{"num_ctx":4096,"num_thread":2,"unheard_of":1,"mirostat":0,"typical_p":1.0,
                 "repeat_last_n":64,"repeat_penalty":1.0,"seed":7,"top_k":0,"stop":["x"]}})")
                .status,
            200);
}

TEST(Ollama, L05StopsAndLimits) {
  Desk desk;
  EXPECT_EQ(Json(desk.Post("/api/generate", R"({"model":"fake","prompt":"Hi?","stream":false,
      "options":{"temperature":0,"stop":"lo"}})")
                     .body)["response"],
            "\"Hel\"");
  const Json cut(desk.Post("/api/generate", R"({"model":"fake","prompt":"Hi?","stream":false,
      "options":{"temperature":0,"num_predict":2}})")
                     .body);
  EXPECT_EQ(cut["response"], "\"He\"");
  EXPECT_EQ(cut["done_reason"], "\"length\"");
}

TEST(Ollama, L06ThinksByLevel) {
  Desk desk;
  desk.Answer("<think>hm</think>Yes.");
  for (const char* think : {"true", "\"low\"", "\"high\"", "\"max\""}) {
    const Json answer(desk.Chat(R"(,"stream":false,"think":)" + std::string(think)).body);
    EXPECT_EQ(answer["message.thinking"], "\"hm\"") << think;
    EXPECT_EQ(answer["message.content"], "\"Yes.\"");
  }
  for (const char* think : {"\"none\"", "\"much\"", "3"})
    EXPECT_EQ(desk.Chat(R"(,"think":)" + std::string(think)).status, 400) << think;
  Desk plain("qwen2");
  const HttpResponse response = plain.Chat(R"(,"think":true)");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(Json(response.body)["error"], R"("\"fake\" does not support thinking")");
  EXPECT_EQ(plain.Chat(R"(,"think":false,"stream":false)").status, 200);
}

constexpr char kTool[] =
    R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";

TEST(Ollama, L08CallsToolsWhole) {
  Desk desk;
  desk.Answer(R"(<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>)");
  int calls = 0;
  for (const Json& line : LinesOf(desk.Chat(kTool).body)) {
    if (line["message.tool_calls"].empty()) continue;
    ++calls;
    EXPECT_EQ(line["message.tool_calls.0.function"], R"({"name":"f","arguments":{"a":1}})");
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(Desk("qwen2").Chat(kTool).status, 400);
  desk.Answer("Done.");
  const HttpResponse round = desk.Post("/api/chat", R"({"model":"fake","stream":false,"messages":[
      {"role":"user","content":"Hi?"},
      {"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},
      {"role":"tool","tool_name":"f","content":"7"}])" + std::string(kTool) +
                                                        "}");
  EXPECT_EQ(Json(round.body)["message.content"], "\"Done.\"") << round.body;
}

TEST(Ollama, L13TakesEveryFormOfKeepAlive) {
  Desk desk;
  for (const char* form : {"5", "-1", "0.5", "\"5m\"", "\"1h30m\"", "\"-1s\"", "\"0\""})
    EXPECT_EQ(desk.Generate(R"(,"keep_alive":)" + std::string(form)).status, 200) << form;
  for (const char* form : {"true", "\"5 minutes\"", "\"m\"", "[]", "\"\""})
    EXPECT_EQ(desk.Generate(R"(,"keep_alive":)" + std::string(form)).status, 400) << form;
}

TEST(Ollama, L14SaysErrorsAsTexts) {
  Desk desk;
  HttpResponse response = desk.Post("/api/chat", R"({"model":"none"})");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":"model 'none' not found"})");
  response = desk.Post("/api/chat", "");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"error":"missing request body"})");
  EXPECT_EQ(desk.Post("/api/chat", "{}").body, R"({"error":"model is required"})");
  EXPECT_EQ(desk.Chat(R"(,"unheard_of":1)").status, 400);
  EXPECT_EQ(desk.Chat(R"(,"top_logprobs":3)").status, 400);
  EXPECT_EQ(desk.Chat(R"(,"logprobs":true,"top_logprobs":21)").status, 400);
}

TEST(Ollama, GivesLogProbabilities) {
  Desk desk;
  const Json answer(desk.Chat(R"(,"stream":false,"logprobs":true,"top_logprobs":2)").body);
  EXPECT_EQ(answer["logprobs.0.token"], "\"H\"");
  EXPECT_NE(answer["logprobs.0.top_logprobs.1.logprob"], "");
  EXPECT_EQ(answer["logprobs.0.top_logprobs.2.logprob"], "");
}

TEST(Ollama, L18TimesAddUp) {
  Desk desk;
  const Json answer(desk.Chat(R"(,"stream":false)").body);
  const auto time = [&answer](const char* name) { return std::stoll(answer[name]); };
  EXPECT_LE(time("load_duration") + time("prompt_eval_duration") + time("eval_duration"),
            time("total_duration"));
  EXPECT_GE(time("prompt_eval_duration"), 0);
}

TEST(Ollama, TakesModelNamesWithATag) {
  Desk desk;
  EXPECT_EQ(desk.Post("/api/generate", R"({"name":"fake:latest"})").status, 200);
}

TEST(OllamaTime, WritesTimesAndReadsSpans) {
  EXPECT_EQ(Rfc3339({}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(Nanoseconds(-1), 0);
  EXPECT_EQ(Nanoseconds(1.5), 1500000000);
  EXPECT_EQ(ParseGoDuration("1.5h"), std::chrono::minutes(90));
  EXPECT_EQ(ParseGoDuration("1h30m0.5s"), std::chrono::milliseconds(5400500));
  EXPECT_EQ(ParseGoDuration("-300ms"), std::chrono::milliseconds(-300));
  EXPECT_EQ(ParseGoDuration("0"), std::chrono::nanoseconds(0));
  EXPECT_GT(ParseGoDuration("9999999999999h"), std::chrono::hours(1000000));
  for (const char* none : {"1", "1d", "", "m", "1m2", "5 minutes"})
    EXPECT_FALSE(ParseGoDuration(none)) << none;
}

// A result without an id belongs to the first open call of its tool, else to the first of any;
// however many calls there are, each is looked at once.
TEST(Ollama, MatchesResultsToCalls) {
  constexpr int kTurns = 1000, kCalls = 60;
  JsonWriter json;
  json.BeginObject().Key("messages").BeginArray();
  for (int turn = 0; turn < kTurns; ++turn) {
    json.BeginObject().Key("role").Text("assistant").Key("tool_calls").BeginArray();
    for (int call = 0; call < kCalls; ++call)
      json.BeginObject()
          .Key("function")
          .BeginObject()
          .Key("name")
          .Text(call % 2 ? "b" : "a")
          .EndObject()
          .EndObject();
    json.EndArray().EndObject();
  }
  for (const char* tool : {"b", "a", "b", "c"})
    for (int turn = 0; turn < kTurns / 2; ++turn)
      json.BeginObject().Key("role").Text("tool").Key("tool_name").Text(tool).EndObject();
  auto document = ParseStrictJson(json.EndArray().EndObject().Take(), "body");
  ASSERT_TRUE(document.ok());
  RequestReader reader;
  Fields body(document->root(), "", &reader);
  Chat chat;
  ReadOllamaMessages(&body, &chat);
  ASSERT_FALSE(reader.failed()) << reader.error().message;
  const auto id = [&](int result) { return chat.messages[kTurns + result].tool_call_id; };
  EXPECT_EQ(id(0), "call_1");
  EXPECT_EQ(id(1), "call_3");
  EXPECT_EQ(id(kTurns / 2), "call_0");
  EXPECT_EQ(id(kTurns), "call_" + std::to_string(kTurns + 1));
  // Both have 500 and 1000 results behind them: the first open one is the 501st of "a".
  EXPECT_EQ(id(kTurns * 3 / 2), "call_" + std::to_string(kTurns));
  EXPECT_EQ(id(kTurns * 3 / 2 + 1), "call_" + std::to_string(kTurns + 2));
}

}  // namespace
}  // namespace hadal
