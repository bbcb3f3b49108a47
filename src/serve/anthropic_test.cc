// Anthropic's Messages, case by case of shared reference A6 (A-01 to A-14).
#include <gtest/gtest.h>

#include "serve/dialect_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

struct Desk : DialectDesk {
  explicit Desk(const std::string& format = "qwen3", std::int64_t context = 0)
      : DialectDesk({AddAnthropicRoutes}, format, context) {}
  HttpResponse Message(const std::string& rest) {
    return Post("/v1/messages",
                R"({"model":"fake","max_tokens":200,"temperature":0,)" + rest + "}");
  }
  std::string TextOf(const std::string& rest) {
    const HttpResponse response = Message(rest);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json(response.body)["content.0.text"];
  }
};

constexpr char kHi[] = R"("messages":[{"role":"user","content":"Hi?"}])";
constexpr char kTool[] =
    R"("tools":[{"name":"f","description":"D","input_schema":{"type":"object",
      "properties":{"a":{"type":"integer"}}}}])";

TEST(Anthropic, A01AnswersAText) {
  Desk desk;
  const HttpResponse response = desk.Message(kHi);
  const Json message(response.body);
  EXPECT_EQ(message["type"], "\"message\"");
  EXPECT_EQ(message["role"], "\"assistant\"");
  EXPECT_EQ(message["model"], "\"fake\"");
  EXPECT_EQ(message["content"], R"([{"type":"text","text":"Hello.","citations":null}])");
  EXPECT_EQ(message["stop_reason"], "\"end_turn\"");
  EXPECT_EQ(message["stop_sequence"], "null");
  EXPECT_EQ(message["usage.output_tokens"], "7") << "the ending token counts";
  EXPECT_TRUE(message["id"].starts_with("\"msg_"));
}

TEST(Anthropic, A02TakesBlocksInSystemAndMessages) {
  Desk desk;
  const auto count = [&desk](const std::string& rest) {
    const auto response =
        desk.Post("/v1/messages/count_tokens", R"({"model":"fake",)" + rest + "}");
    EXPECT_EQ(response.status, 200) << response.body;
    return Json(response.body)["input_tokens"];
  };
  EXPECT_EQ(count(R"("system":"S","messages":[{"role":"user","content":"Hi?"}])"),
            count(R"("system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],
                     "messages":[{"role":"user","content":[{"type":"text","text":"Hi?"}]}])"));
}

TEST(Anthropic, A03GoesOnWithAPrefill) {
  Desk desk;
  const HttpResponse response = desk.Message(
      R"("messages":[{"role":"user","content":"Hi?"},{"role":"assistant","content":"Hel"}])");
  EXPECT_EQ(Json(response.body)["content.0.text"], "\"lo.\"") << "the prefix is not repeated";
}

TEST(Anthropic, A04SaysWhichStopSequenceItMet) {
  Desk desk;
  const Json message(desk.Message(std::string(kHi) + R"(,"stop_sequences":["x","lo"])").body);
  EXPECT_EQ(message["stop_reason"], "\"stop_sequence\"");
  EXPECT_EQ(message["stop_sequence"], "\"lo\"");
  EXPECT_EQ(message["content.0.text"], "\"Hel\"");
}

constexpr char kCallText[] =
    "Sure.<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>";

TEST(Anthropic, A05CallsAToolAndTakesItsResult) {
  Desk desk;
  desk.Answer(kCallText);
  const Json message(desk.Message(std::string(kHi) + "," + kTool).body);
  EXPECT_EQ(message["stop_reason"], "\"tool_use\"");
  EXPECT_EQ(message["content.0.text"], "\"Sure.\"");
  EXPECT_EQ(message["content.1.type"], "\"tool_use\"");
  EXPECT_EQ(message["content.1.name"], "\"f\"");
  EXPECT_EQ(message["content.1.input"], R"({"a":1})");
  EXPECT_TRUE(message["content.1.id"].starts_with("\"toolu_"));
  desk.Answer("Done.");
  EXPECT_EQ(desk.TextOf(R"("messages":[{"role":"user","content":"Hi?"},
      {"role":"assistant","content":[{"type":"text","text":"Sure."},
        {"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"7"},
        {"type":"text","text":"So?"}]}],)" +
                        std::string(kTool)),
            "\"Done.\"");
}

TEST(Anthropic, A06CallsInParallel) {
  Desk desk;
  const std::string call = R"(<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>)";
  desk.Answer(call + call);
  const Json message(desk.Message(std::string(kHi) + "," + kTool).body);
  EXPECT_EQ(message["content.0.input"], R"({"a":1})");
  EXPECT_EQ(message["content.1.input"], R"({"a":1})");
  EXPECT_NE(message["content.0.id"], message["content.1.id"]);
}

// A-07 tool_choice: what it becomes is the engine's; here what is refused.
TEST(Anthropic, A07ChecksTheToolChoice) {
  Desk desk;
  for (const char* choice : {R"({"type":"any"})", R"({"type":"tool","name":"f"})"}) {
    const auto response =
        desk.Message(std::string(kHi) + R"(,"tool_choice":)" + std::string(choice));
    EXPECT_EQ(response.status, 400) << "no tools";
  }
  EXPECT_EQ(desk.Message(std::string(kHi) + R"(,"tool_choice":{"type":"tool"},)" + kTool).status,
            400);
  EXPECT_EQ(
      desk.Message(std::string(kHi) + R"(,"tool_choice":{"type":"sometimes"},)" + kTool).status,
      400);
}

TEST(Anthropic, A08ThinksWhereAskedAndSigns) {
  Desk desk;
  desk.Answer("<think>hm</think>Yes.");
  const Json message(desk.Message(std::string(kHi) + R"(,"thinking":{"type":"adaptive"})").body);
  EXPECT_EQ(message["content.0.type"], "\"thinking\"");
  EXPECT_EQ(message["content.0.thinking"], "\"hm\"");
  EXPECT_GT(message["content.0.signature"].size(), 10u);
  EXPECT_EQ(message["content.1.text"], "\"Yes.\"");
  desk.Answer("Fine.");
  EXPECT_EQ(desk.TextOf(R"("thinking":{"type":"disabled"},"messages":[
      {"role":"user","content":"Hi?"},{"role":"assistant","content":[
        {"type":"thinking","thinking":"hm","signature":"any"},{"type":"text","text":"Yes."}]},
      {"role":"user","content":"Sure?"}])"),
            "\"Fine.\"");
}

TEST(Anthropic, A08KeepsThoughtsBackWhereAsked) {
  Desk desk;
  desk.Answer("<think>hm</think>Yes.");
  const Json message(
      desk.Message(std::string(kHi) + R"(,"thinking":{"type":"adaptive","display":"omitted"})")
          .body);
  EXPECT_EQ(message["content.0.thinking"], "\"\"");
  EXPECT_GT(message["content.0.signature"].size(), 10u);
}

TEST(Anthropic, A09StreamsEventsInOrder) {
  Desk desk;
  desk.Answer("<think>hm</think>" + std::string(kCallText));
  const HttpResponse response =
      desk.Message(std::string(kHi) + R"(,"stream":true,"thinking":{"type":"adaptive"},)" + kTool);
  EXPECT_EQ(response.headers.Find("Content-Type"), "text/event-stream");
  std::string order, text, arguments;
  for (const Json& event : EventsOf(response.body)) {
    const std::string type = event["type"];
    EXPECT_NE(response.body.find("event: " + type.substr(1, type.size() - 2) + "\n"),
              std::string::npos);
    if (type == "\"content_block_start\"") order += "<" + event["content_block.type"];
    if (type == "\"content_block_stop\"") order += ">";
    if (type == "\"content_block_delta\"" && event["delta.type"] == "\"signature_delta\"")
      order += "!";
    if (event["delta.type"] == "\"text_delta\"")
      text += event["delta.text"].substr(1, event["delta.text"].size() - 2);
    if (event["delta.type"] == "\"input_json_delta\"") arguments += event["delta.partial_json"];
    if (type == "\"message_start\"") {
      order += "[";
      EXPECT_NE(event["message.usage.input_tokens"], "0");
      EXPECT_EQ(event["message.content"], "[]");
    }
    if (type == "\"message_delta\"") order += "=" + event["delta.stop_reason"];
    if (type == "\"message_stop\"") order += "]";
  }
  EXPECT_EQ(order, R"([<"thinking"!><"text"><"tool_use">="tool_use"])");
  EXPECT_EQ(text, "Sure.");
}

TEST(Anthropic, A10WholeAndStreamAgree) {
  Desk desk;
  std::string text;
  for (const Json& event : EventsOf(desk.Message(std::string(kHi) + R"(,"stream":true)").body))
    if (event["delta.type"] == "\"text_delta\"")
      text += event["delta.text"].substr(1, event["delta.text"].size() - 2);
  EXPECT_EQ("\"" + text + "\"", desk.TextOf(kHi));
}

TEST(Anthropic, A11CountsWhatAMessageUses) {
  Desk desk;
  const std::string counted =
      Json(desk.Post("/v1/messages/count_tokens", std::string(R"({"model":"fake",)") + kHi + "}")
               .body)["input_tokens"];
  const Json message(desk.Message(kHi).body);
  const auto number = [&message](const char* name) {
    return std::stoi(message[std::string("usage.") + name]);
  };
  EXPECT_EQ(std::stoi(counted), number("input_tokens") + number("cache_read_input_tokens") +
                                    number("cache_creation_input_tokens"));
}

TEST(Anthropic, A12SaysErrorsInItsOwnForm) {
  Desk desk;
  const HttpResponse response =
      desk.Post("/v1/messages", R"({"model":"none","max_tokens":1,"messages":[]})");
  EXPECT_EQ(response.status, 404);
  const Json error(response.body);
  EXPECT_EQ(error["type"], "\"error\"");
  EXPECT_EQ(error["error.type"], "\"not_found_error\"");
  EXPECT_EQ(error["request_id"], "\"req-test\"");
}

TEST(Anthropic, RefusesWhatItDoesNotSupportByName) {
  Desk desk;
  for (const auto& [rest, word] : std::initializer_list<std::pair<std::string, const char*>>{
           {R"("messages":[])", "messages"},
           {R"("messages":[{"role":"tool","content":"x"}])", "role"},
           {R"("messages":[{"role":"user","content":[{"type":"image","source":{}}]}])", "image"},
           {R"("messages":[{"role":"user","content":[{"type":"document"}]}])", "document"},
           {R"("messages":[{"role":"user","content":[
               {"type":"tool_result","tool_use_id":"t9","content":"x"}]}])",
            "tool_use_id"},
           {std::string(kHi) + R"(,"unheard_of":1)", "unheard_of"},
           {std::string(kHi) + R"(,"temperature":3)", "temperature"},
           {std::string(kHi) + R"(,"temperature":"hot")", "temperature"},
           {std::string(kHi) + R"(,"top_p":-0.1)", "top_p"},
           {std::string(kHi) + R"(,"top_k":1.5)", "top_k"},
           {std::string(kHi) + R"(,"stop_sequences":[""])", "stop_sequences"},
           {std::string(kHi) + R"(,"thinking":{"type":"enabled"})", "budget_tokens"},
           {std::string(kHi) + R"(,"thinking":{"type":"enabled","budget_tokens":1024})", "budget"},
           {std::string(kHi) + R"(,"tools":[{"type":"web_search_20250305","name":"w",
               "input_schema":{}}])",
            "web_search"},
           {std::string(kHi) + R"(,"output_config":{"format":{"type":"xml"}})", "format"}}) {
    const HttpResponse response =
        desk.Post("/v1/messages", R"({"model":"fake","max_tokens":20,)" + rest + "}");
    EXPECT_EQ(response.status, 400) << rest;
    EXPECT_NE(response.body.find(word), std::string::npos) << response.body;
    EXPECT_EQ(Json(response.body)["error.type"], "\"invalid_request_error\"");
  }
  EXPECT_EQ(
      desk.Post("/v1/messages", R"({"model":"fake","messages":[{"role":"user","content":"x"}]})")
          .status,
      400)
      << "max_tokens";
}

TEST(Anthropic, IgnoresWhatTheTableSays) {
  Desk desk;
  EXPECT_EQ(desk.TextOf(std::string(kHi) +
                        R"(,"metadata":{"user_id":"u"},"service_tier":"auto","container":"c",
                           "mcp_servers":[],"cache_control":{"type":"ephemeral"})"),
            "\"Hello.\"");
}

TEST(Anthropic, A13SaysThatThePromptIsTooLong) {
  Desk desk("qwen3", 64);
  const HttpResponse response = desk.Message(kHi);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(Json(response.body)["error.type"], "\"invalid_request_error\"");
}

// A model that does not think answers as ever, and says so where it is asked to.
TEST(Anthropic, KnowsModelsThatDoNotThink) {
  Desk desk("qwen2");
  EXPECT_EQ(desk.TextOf(kHi), "\"Hello.\"");
  EXPECT_EQ(desk.TextOf(std::string(kHi) + R"(,"thinking":{"type":"disabled"})"), "\"Hello.\"");
  EXPECT_EQ(desk.Message(std::string(kHi) + R"(,"thinking":{"type":"adaptive"})").status, 400);
  EXPECT_EQ(desk.Message(std::string(kHi) + "," + kTool).status, 400);
}

}  // namespace
}  // namespace hadal
