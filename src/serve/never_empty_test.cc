// No answer is empty, in any dialect, whole or streamed: whatever a reasoning model leaves out,
// text or a call comes.
#include <gtest/gtest.h>

#include <future>

#include "serve/dialect_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

constexpr char kCall[] = "<tool_call>{\"name\": \"clock\", \"arguments\": {}}</tool_call>";
constexpr char kFunction[] =
    R"("name":"clock","description":"","parameters":{"type":"object","properties":{}})";

// What a client finds in an answer.
struct Found {
  std::string text, reasoning, end;
  int calls = 0;

  void Add(std::string* to, const std::string& json) {
    if (json.size() > 2 && json[0] == '"') *to += json.substr(1, json.size() - 2);
  }
  void Calls(const std::string& json) {
    if (json.find("clock") != std::string::npos) ++calls;
  }
};

struct DialectCase {
  const char* name;
  const char* path;
  std::string body;  // without what is common: the bound, the tools, whether to stream
  std::string bound, tools;
  void (*read)(const Json& piece, Found* found);
  bool lines = false;  // a stream of lines, not of events
};

void ReadOpenAi(const Json& piece, Found* found) {
  for (const char* part : {"choices.0.message.", "choices.0.delta."}) {
    const std::string at = part;
    found->Add(&found->text, piece[at + "content"]);
    found->Add(&found->reasoning, piece[at + "reasoning_content"]);
    found->Calls(piece[at + "tool_calls.0.function.name"]);
  }
  found->Add(&found->end, piece["choices.0.finish_reason"]);
}

void ReadResponses(const Json& piece, Found* found) {
  if (piece["type"] == "\"response.output_text.delta\"") found->Add(&found->text, piece["delta"]);
  if (piece["type"] == "\"response.reasoning_text.delta\"")
    found->Add(&found->reasoning, piece["delta"]);
  if (piece["type"] == "\"response.output_item.added\"") found->Calls(piece["item.name"]);
  const bool last = piece["type"] == "\"response.completed\"";
  if (last || piece["type"] == "\"response.incomplete\"")
    found->Add(&found->end, piece["response.status"]);
  if (piece["object"] != "\"response\"") return;
  found->Add(&found->end, piece["status"]);
  for (int i = 0; i < 3; ++i) {
    const std::string item = "output." + std::to_string(i) + ".";
    const std::string type = piece[item + "type"];
    if (type == "\"message\"") found->Add(&found->text, piece[item + "content.0.text"]);
    if (type == "\"reasoning\"") found->Add(&found->reasoning, piece[item + "content.0.text"]);
    if (type == "\"function_call\"") found->Calls(piece[item + "name"]);
  }
}

void ReadAnthropic(const Json& piece, Found* found) {
  found->Add(&found->text, piece["delta.text"]);
  found->Add(&found->reasoning, piece["delta.thinking"]);
  found->Calls(piece["content_block.name"]);
  found->Add(&found->end, piece["delta.stop_reason"]);
  found->Add(&found->end, piece["stop_reason"]);
  for (int i = 0; i < 3; ++i) {
    const std::string block = "content." + std::to_string(i) + ".";
    found->Add(&found->text, piece[block + "text"]);
    found->Add(&found->reasoning, piece[block + "thinking"]);
    found->Calls(piece[block + "name"]);
  }
}

void ReadOllama(const Json& piece, Found* found) {
  found->Add(&found->text, piece["message.content"]);
  found->Add(&found->text, piece["response"]);
  found->Add(&found->reasoning, piece["message.thinking"]);
  found->Add(&found->reasoning, piece["thinking"]);
  found->Calls(piece["message.tool_calls.0.function.name"]);
  found->Add(&found->end, piece["done_reason"]);
}

std::vector<DialectCase> Dialects() {
  const std::string messages = R"("messages":[{"role":"user","content":"Hi"}])";
  const std::string function = "{" + std::string(kFunction) + "}";
  const std::string tools = R"(,"tools":[{"type":"function","function":)" + function + "}]";
  return {
      {"chat", "/v1/chat/completions", messages, R"(,"max_tokens":)", tools, ReadOpenAi},
      {"DeepSeek", "/beta/chat/completions", messages + R"(,"thinking":{"type":"enabled"})",
       R"(,"max_tokens":)", tools, ReadOpenAi},
      {"responses", "/v1/responses", R"("input":"Hi","reasoning":{"effort":"high"})",
       R"(,"max_output_tokens":)",
       R"(,"tools":[{"type":"function",)" + std::string(kFunction) + "}]", ReadResponses},
      {"messages", "/v1/messages", messages + R"(,"thinking":{"type":"adaptive"})",
       R"(,"max_tokens":)", R"(,"tools":[{"name":"clock","input_schema":{"type":"object"}}])",
       ReadAnthropic},
      {"Ollama chat", "/api/chat", messages + R"(,"think":true)", R"(,"options":{"num_predict":)",
       tools, ReadOllama, true},
      {"Ollama generate", "/api/generate", R"("prompt":"Hi","think":true)",
       R"(,"options":{"num_predict":)", "", ReadOllama, true},
  };
}

class NeverEmpty : public testing::Test {
 protected:
  Found Ask(const DialectCase& dialect, const std::string& answer, int bound, bool tools,
            bool stream) {
    desk_.Answer(answer);
    std::string body = R"({"model":"fake",)" + dialect.body + dialect.bound + std::to_string(bound);
    if (dialect.bound.find('{') != std::string::npos) body += "}";
    if (tools) body += dialect.tools;
    body += stream ? R"(,"stream":true})" : R"(,"stream":false})";
    const HttpResponse response = desk_.Post(dialect.path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    Found found;
    if (!stream) dialect.read(Json(response.body), &found);
    if (stream)
      for (const Json& piece : dialect.lines ? LinesOf(response.body) : EventsOf(response.body))
        dialect.read(piece, &found);
    return found;
  }

  DialectDesk desk_{
      {AddOpenAiChatRoutes, AddResponsesRoutes, AddAnthropicRoutes, AddOllamaChatRoutes}};
};

TEST_F(NeverEmpty, TextComesWhateverTheModelLeavesOut) {
  for (const DialectCase& dialect : Dialects()) {
    for (const bool stream : {false, true}) {
      const auto text_of = [&](const std::string& answer) {
        const Found found = Ask(dialect, answer, 60, false, stream);
        EXPECT_FALSE(found.text.empty()) << dialect.name << stream << answer;
        EXPECT_FALSE(found.end.empty()) << dialect.name << stream << answer;
        return found;
      };
      text_of("");
      text_of("<think>hm</think>");
      EXPECT_EQ(text_of("<think>hm").reasoning.substr(0, 2), "hm") << dialect.name << stream;
      const Found endless = text_of("<think>" + std::string(500, 'x'));
      EXPECT_GT(endless.reasoning.size(), 10u) << dialect.name << stream;
    }
  }
}

TEST_F(NeverEmpty, ACallBehindOrWithinReasoningIsAnAnswer) {
  for (const DialectCase& dialect : Dialects()) {
    if (dialect.tools.empty()) continue;
    for (const bool stream : {false, true}) {
      for (const char* before : {"", "<think>hm</think>", "<think>hm"}) {
        const Found found = Ask(dialect, before + std::string(kCall), 200, true, stream);
        EXPECT_EQ(found.calls, 1) << dialect.name << stream << before;
        EXPECT_EQ(found.text, "") << dialect.name << stream << before;
      }
    }
  }
}

// llama-server's control route: the answer's reader has read enough of its reasoning.
TEST_F(NeverEmpty, ReasoningEndsWhenTheClientAsks) {
  std::promise<void> told;
  const auto go_on = told.get_future().share();
  desk_.fixture.model->script = [go_on](const std::vector<std::int32_t>& tokens) -> std::int32_t {
    std::string text;
    for (const std::int32_t id : tokens) text += id > 0 && id < 96 ? static_cast<char>(31 + id) : 0;
    constexpr std::string_view kTurn = "assistant", kOpen = "<think>";
    text.erase(0, text.rfind(kTurn) + kTurn.size());
    if (text.find("</think>") != std::string::npos) return text.ends_with(".") ? 0 : Id('.');
    const std::size_t open = text.find(kOpen);
    if (open == std::string::npos) return Id(kOpen[text.size()]);
    if (text.size() - open > 40) go_on.wait();
    return Id('x');
  };
  const auto exchange = std::make_shared<FakeExchange>();
  exchange->request().body =
      R"({"model":"fake","stream":true,"messages":[{"role":"user","content":"Hi"}]})";
  auto match = desk_.router.Find("POST", "/v1/chat/completions");
  ASSERT_TRUE(match.ok());
  match->route->handler(exchange);
  while (exchange->sent().body.find("\"reasoning_content\"") == std::string::npos)
    ASSERT_TRUE(exchange->RunOne());
  const std::string id = EventsOf(exchange->sent().body).at(0)["id"];

  const std::string control = "/v1/chat/completions/control";
  EXPECT_EQ(desk_.Post(control, R"({"id":"chatcmpl-none","action":"reasoning_end"})").status, 404);
  EXPECT_EQ(desk_.Post(control, R"({"id":)" + id + R"(,"action":"stop"})").status, 400);
  EXPECT_EQ(desk_.Post(control, R"({"id":)" + id + R"(,"action":"reasoning_end"})").status, 200);
  exchange->RunPosted();
  told.set_value();
  ASSERT_TRUE(exchange->Wait());
  Found found;
  for (const Json& piece : EventsOf(exchange->sent().body)) ReadOpenAi(piece, &found);
  EXPECT_EQ(found.text, ".");
  EXPECT_EQ(found.end, "stop");
  EXPECT_EQ(desk_.Post(control, R"({"id":)" + id + R"(,"action":"reasoning_end"})").status, 404);
}

TEST_F(NeverEmpty, CountsTheTokensOfAChat) {
  const std::string chat = R"({"model":"fake","messages":[{"role":"user","content":"Hi"}]})";
  const std::string counted =
      Json(desk_.Post("/v1/chat/completions/input_tokens", chat).body)["input_tokens"];
  EXPECT_EQ(counted, Json(desk_.Post("/v1/chat/completions", chat).body)["usage.prompt_tokens"]);
}

}  // namespace
}  // namespace hadal
