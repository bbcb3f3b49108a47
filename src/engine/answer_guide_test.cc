// Answers that follow a form, a choice of tools and a bound on reasoning, from models that would
// rather write something else.
#include "engine/answer_guide.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>

#include "engine/engine_test_data.h"
#include "engine/replay_draft.h"
#include "engine/wrong_draft.h"

namespace hadal {
namespace {

constexpr const char* kTools = R"([{"type":"function","function":{"name":"weather","strict":true,
    "parameters":{"type":"object","properties":{"city":{"enum":["Bonn","Rome"]},
    "days":{"type":"integer","minimum":1,"maximum":9}},"required":["city","days"],
    "additionalProperties":false}}},{"type":"function","function":{"name":"clock"}}])";
constexpr const char* kSchema = R"({"type":"object","properties":{"name":{"type":"string",
    "maxLength":6},"n":{"type":"integer","minimum":-5,"maximum":70},"tags":{"type":"array",
    "items":{"enum":["a","bb"]},"maxItems":3}},"required":["name","n","tags"]})";

GenerateRequest Ask(const std::string& tools = "") {
  GenerateRequest request;
  Chat chat;
  chat.messages.push_back({.role = "user", .text = "Hi"});
  chat.tools = tools;
  request.prompt = chat;
  request.sampling.temperature = 0;
  return request;
}

GenerateRequest AskForm(std::uint64_t seed) {
  GenerateRequest request;
  request.prompt = RawText{"Give me JSON"};
  request.form = AnswerForm::kSchema;
  request.schema = kSchema;
  request.sampling.seed = seed;
  request.sampling.logit_bias = {{96, -1000.0f}};  // a lead byte that nothing can complete
  return request;
}

// The model writes this after the prompt of the request, then wants to end for ever.
void Script(EngineFixture* fixture, const GenerateRequest& request, const std::string& text) {
  const auto ids = fixture->engine->Tokenize(request);
  ASSERT_TRUE(ids.ok()) << ids.status().ToString();
  fixture->model->script = [prompt = ids->size(), text](const std::vector<std::int32_t>& tokens) {
    const std::size_t written = tokens.size() - prompt;
    return written < text.size() ? Id(text[written]) : 0;
  };
}

GenerateResult Answer(const std::shared_ptr<Engine>& engine, const GenerateRequest& request) {
  Session session(engine);
  const auto result = session.Generate(request);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? *result : GenerateResult{};
}

Status Refusal(const EngineFixture& fixture, const GenerateRequest& request) {
  Session session(fixture.engine);
  const auto result = session.Generate(request);
  EXPECT_FALSE(result.ok()) << (result.ok() ? result->text : "");
  return result.status();
}

void ExpectForm(const std::string& text) {
  const auto document = ParseJson(text, "answer");
  ASSERT_TRUE(document.ok()) << text;
  const Metadata& root = document->root();
  ASSERT_NE(root.Find("n"), nullptr) << text;
  EXPECT_TRUE(root.Find("name")->is_string()) << text;
  EXPECT_GE(*root.Find("n")->integer(), -5) << text;
  EXPECT_LE(*root.Find("n")->integer(), 70) << text;
  EXPECT_LE(root.Find("tags")->items().size(), 3u) << text;
}

TEST(AnswerGuide, ARandomModelWritesTheForm) {
  EngineFixture fixture;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    GenerateRequest request = AskForm(seed);
    const GenerateResult result = Answer(fixture.engine, request);
    EXPECT_EQ(result.finish_reason, FinishReason::kStop);
    ExpectForm(result.text);
    request.ignore_end = true;
    const GenerateResult endless = Answer(fixture.engine, request);
    EXPECT_EQ(endless.finish_reason, FinishReason::kStop) << "the form is complete";
    ExpectForm(endless.text);
  }
  GenerateRequest any = AskForm(1);
  any.form = AnswerForm::kJson;
  any.max_tokens = 300;
  const GenerateResult result = Answer(fixture.engine, any);
  EXPECT_EQ(result.text.front(), '{');
}

TEST(AnswerGuide, DraftsChangeNoToken) {
  EngineFixture plain;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const GenerateRequest request = AskForm(seed);
    const GenerateResult wanted = Answer(plain.engine, request);
    std::vector<std::int32_t> timeline = *plain.engine->Tokenize(request);
    timeline.insert(timeline.end(), wanted.ids.begin(), wanted.ids.end());
    for (const bool wrong : {false, true}) {
      std::unique_ptr<Draft> draft =
          std::make_unique<ReplayDraft>(std::vector<std::vector<std::int32_t>>{timeline});
      if (wrong) draft = std::make_unique<WrongDraft>(std::move(draft), FakeModel::kVocabulary);
      Language language;
      language.tokenizer = SmallTokenizer();
      language.ends = language.chat_ends = {0};
      StepLoopOptions options;
      options.draft_tokens = 4;
      const auto engine = MakeEngine(std::make_unique<FakeModel>(ModelOptions{}),
                                     std::move(language), {}, options, std::move(draft));
      const GenerateResult result = Answer(engine, request);
      EXPECT_EQ(result.ids, wanted.ids);
      EXPECT_EQ(result.text, wanted.text);
      EXPECT_GT(result.usage.draft_tokens, 0);
      EXPECT_EQ(result.usage.accepted_draft_tokens > 0, !wrong);
    }
  }
}

// D-22: no token of the vocabulary can go on.
TEST(AnswerGuide, ADeadEndIsAnErrorOfItsOwn) {
  EngineFixture fixture;
  GenerateRequest request = AskForm(0);
  request.schema = R"({"const":"caf\u00e9"})";
  EXPECT_EQ(Refusal(fixture, request).code(), Code::kDeadEnd);
  request.schema = R"({"const":"cafe"})";
  EXPECT_EQ(Answer(fixture.engine, request).text, "\"cafe\"") << "and the engine goes on";
}

TEST(AnswerGuide, ReasoningIsFreeAndTheFormComesAfterIt) {
  EngineFixture fixture(true, "r1_distill");
  GenerateRequest request = Ask();
  request.form = AnswerForm::kSchema;
  request.schema = R"({"enum":["yes","no"]})";
  Script(&fixture, request, "Well {, maybe.</think>\"no, sir");
  const GenerateResult result = Answer(fixture.engine, request);
  EXPECT_EQ(result.reasoning.value_or(""), "Well {, maybe.");
  EXPECT_EQ(result.text, "\"no\"");
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.usage.reasoning_tokens, 22);
}

TEST(AnswerGuide, ReasoningIsClosedWhenItsBudgetIsSpent) {
  EngineFixture fixture(true, "r1_distill");
  GenerateRequest request = Ask();
  request.reasoning_tokens = 5;
  Script(&fixture, request, "abcdefghijklm Done.");
  const GenerateResult result = Answer(fixture.engine, request);
  EXPECT_EQ(result.reasoning.value_or(""), "abcde");
  EXPECT_EQ(result.text, " Done.");
  request.reasoning_tokens = 0;
  Script(&fixture, request, "12345678Now.");
  EXPECT_EQ(Answer(fixture.engine, request).text, "Now.");
}

TEST(AnswerGuide, AnAnswerIsNotEmpty) {
  EngineFixture fixture(true, "r1_distill");
  GenerateRequest request = Ask();
  request.reasoning_tokens = 1000;
  request.max_tokens = 20;
  Script(&fixture, request, std::string(200, 'x'));
  GenerateResult result = Answer(fixture.engine, request);
  EXPECT_EQ(result.reasoning.value_or(""), "xxxxxxx");
  EXPECT_EQ(result.text, "xxxxx");
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  Script(&fixture, request, "");  // wants to end at once, in the reasoning and after it
  result = Answer(fixture.engine, request);
  EXPECT_FALSE(result.text.empty());
}

GenerateRequest AskToAnswer(const std::string& tools = "") {
  GenerateRequest request = Ask(tools);
  request.must_answer = true;
  return request;
}

constexpr const char* kClock = R"([{"type":"function","function":{"name":"clock"}}])";
constexpr const char* kClockCall =
    "<tool_call>{\"name\": \"clock\", \"arguments\": {}}</tool_call>";

// Reasoning that goes on until max_tokens, reasoning that ends the answer, reasoning that is closed
// and nothing behind it, nothing at all.
TEST(AnswerGuide, ReasoningAloneIsNoAnswer) {
  for (const char* format : {"r1_distill", "qwen3"}) {
    EngineFixture fixture(true, format);
    const std::string open = std::string(format) == "qwen3" ? "<think>" : "";
    for (const std::string& text : {open + std::string(500, 'x'), open + "hm", open + "hm</think>",
                                    open + "hm</think>  ", std::string()}) {
      for (const std::int64_t max_tokens : {60, 400}) {
        GenerateRequest request = AskToAnswer();
        request.max_tokens = max_tokens;
        Script(&fixture, request, text);
        const GenerateResult result = Answer(fixture.engine, request);
        EXPECT_NE(result.text.find_first_not_of(" \n"), std::string::npos) << format << text;
        EXPECT_EQ(result.text.find("</think>"), std::string::npos) << result.text;
        request.must_answer = false;
        EXPECT_EQ(Answer(fixture.engine, request).text.find_first_not_of(" \n"), std::string::npos)
            << "the model's own: " << format << text;
      }
    }
  }
}

TEST(AnswerGuide, ACallIsAnAnswer) {
  EngineFixture fixture(true, "qwen3");
  for (const char* before : {"", "<think>hm</think>", "<think>hm", "<think>hm</think>  "}) {
    const GenerateRequest request = AskToAnswer(kClock);
    Script(&fixture, request, before + std::string(kClockCall));
    const GenerateResult result = Answer(fixture.engine, request);
    EXPECT_EQ(result.finish_reason, FinishReason::kToolCalls) << before;
    ASSERT_EQ(result.tool_calls.size(), 1u) << before;
    EXPECT_EQ(result.tool_calls[0].name, "clock");
    EXPECT_EQ(result.text.find_first_not_of(" \n"), std::string::npos) << result.text;
  }
  // Behind a forced end the model is free to call.
  GenerateRequest request = AskToAnswer(kClock);
  request.max_tokens = 400;
  const auto prompt = fixture.engine->Tokenize(request);
  ASSERT_TRUE(prompt.ok());
  fixture.model->script = [size = prompt->size()](const std::vector<std::int32_t>& tokens) {
    std::string text;
    for (std::size_t i = size; i < tokens.size(); ++i) text += static_cast<char>(31 + tokens[i]);
    constexpr std::string_view kOpen = "<think>", kClose = "</think>";
    if (text.size() < kOpen.size()) return Id(kOpen[text.size()]);
    const std::size_t closed = text.find(kClose);
    if (closed == std::string::npos) return Id('x');
    const std::size_t written = text.size() - closed - kClose.size();
    const std::string_view call = kClockCall;
    return written < call.size() ? Id(call[written]) : 0;
  };
  const GenerateResult result = Answer(fixture.engine, request);
  EXPECT_EQ(result.finish_reason, FinishReason::kToolCalls);
  EXPECT_EQ(result.tool_calls.size(), 1u);
  EXPECT_EQ(result.text, "");
  EXPECT_GT(result.reasoning.value_or("").size(), 250u);
}

// Whoever gave the beginning has an answer, and the model may have nothing to add.
TEST(AnswerGuide, AContinuationMayBeEmpty) {
  EngineFixture fixture(true, "qwen3");
  GenerateRequest request = AskToAnswer();
  auto& chat = std::get<Chat>(request.prompt);
  chat.messages.push_back({.role = "assistant", .text = "All is said."});
  chat.continue_last = true;
  Script(&fixture, request, "");
  const GenerateResult result = Answer(fixture.engine, request);
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
}

TEST(AnswerGuide, ReasoningIsClosedWhenSomebodyAsks) {
  EngineFixture fixture(true, "r1_distill");
  GenerateRequest request = AskToAnswer();
  Script(&fixture, request, std::string(30, 'x') + "12345678Now.");
  std::shared_ptr<class Answer> answer;
  std::promise<void> begun, ended;
  GenerateResult result;
  const auto started = fixture.engine->Start(
      request, [&, held = begun.get_future().share(), at = 0](const GenerateEvent& event) mutable {
        result.Add(event);
        if (event.kind == GenerateEvent::Kind::kToken && ++at == 30) {
          held.wait();  // until the answer is known below
          answer->EndReasoning();
        }
        if (event.kind == GenerateEvent::Kind::kEnd) ended.set_value();
        return true;
      });
  ASSERT_TRUE(started.ok()) << started.status().ToString();
  answer = *started;
  begun.set_value();
  ended.get_future().wait();
  EXPECT_EQ(result.reasoning.value_or(""), std::string(30, 'x'));
  EXPECT_EQ(result.text, "Now.");
}

TEST(AnswerGuide, CallsAreForced) {
  for (const char* format : {"kimi_k2", "llama3_1"}) {
    EngineFixture fixture(true, format);
    GenerateRequest request = Ask(kTools);
    request.sampling.logit_bias = {{96, -1000.0f}};
    request.tool_choice.kind = ToolChoice::Kind::kNamed;
    request.tool_choice.name = "weather";
    request.tool_choice.parallel = false;
    Script(&fixture, request, "I would rather talk.");
    const GenerateResult result = Answer(fixture.engine, request);
    EXPECT_EQ(result.finish_reason, FinishReason::kToolCalls) << format;
    ASSERT_EQ(result.tool_calls.size(), 1u) << format << result.text;
    EXPECT_EQ(result.tool_calls[0].name, "weather");
    const auto arguments = ParseJson(result.tool_calls[0].arguments, "arguments");
    ASSERT_TRUE(arguments.ok()) << result.tool_calls[0].arguments;
    EXPECT_NE(arguments->root().Find("city"), nullptr);
    EXPECT_EQ(result.text, "");
  }
}

TEST(AnswerGuide, StrictToolsAreHeldToTheirSchemaOnceCalled) {
  EngineFixture fixture(true, "kimi_k2");
  GenerateRequest request = Ask(kTools);
  request.tool_choice.parallel = false;
  Script(&fixture, request,
         "Sure.<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0"
         "<|tool_call_argument_begin|>{\"city\":\"Bern\",\"days\":77}<|tool_call_end|>");
  const GenerateResult result = Answer(fixture.engine, request);
  EXPECT_EQ(result.text, "Sure.");
  ASSERT_EQ(result.tool_calls.size(), 1u);
  const auto arguments = ParseJson(result.tool_calls[0].arguments, "arguments");
  ASSERT_TRUE(arguments.ok()) << result.tool_calls[0].arguments;
  EXPECT_EQ(arguments->root().Find("city")->string(), "Bonn");
  EXPECT_LE(*arguments->root().Find("days")->integer(), 9);
}

TEST(AnswerGuide, CallsAreForbidden) {
  EngineFixture fixture(true, "kimi_k2");
  GenerateRequest request = Ask(kTools);
  request.tool_choice.kind = ToolChoice::Kind::kNone;
  Script(&fixture, request, "No.<|tool_calls_section_begin|><|tool_call_begin|>functions.clock:0");
  const GenerateResult result = Answer(fixture.engine, request);
  EXPECT_TRUE(result.tool_calls.empty());
  EXPECT_NE(result.finish_reason, FinishReason::kToolCalls);
  EXPECT_EQ(result.text.find("<|tool_calls_section_begin|>"), std::string::npos) << result.text;
}

TEST(AnswerGuide, ForgottenBracketsAreAddedAndReported) {
  EngineFixture fixture(true, "qwen2_5");
  GenerateRequest request = Ask(R"([{"type":"function","function":{"name":"f"}}])");
  const auto call = [&](const std::string& arguments) {
    Script(&fixture, request, "<tool_call>{\"name\": \"f\", \"arguments\": " + arguments);
    GenerateResult result = Answer(fixture.engine, request);
    EXPECT_EQ(result.tool_calls.size(), 1u);
    return result.tool_calls.empty() ? ChatToolCall{} : result.tool_calls[0];
  };
  EXPECT_EQ(call("{\"a\": [1, 2").arguments, "{\"a\": [1, 2]}");
  EXPECT_TRUE(call("{\"a\": [1, 2").repaired);
  EXPECT_FALSE(call("{\"a\": \"open").repaired) << "a text that does not end";
  EXPECT_FALSE(call("{\"a\": 1}}</tool_call>").repaired) << "nothing is missing";
  request.max_tokens = 45;
  EXPECT_FALSE(call("{\"a\": [1, 2, 3, 4").repaired) << "cut off, which is not the model's doing";
}

TEST(AnswerGuide, WishesThatMakeNoSense) {
  EngineFixture fixture(true, "kimi_k2");
  GenerateRequest request = Ask(kTools);
  request.tool_choice = {ToolChoice::Kind::kNamed, "rain", true};
  EXPECT_EQ(Refusal(fixture, request).where(), "tool_choice");
  request = Ask();
  request.tool_choice.kind = ToolChoice::Kind::kRequired;
  EXPECT_EQ(Refusal(fixture, request).where(), "tool_choice");
  request = Ask();
  request.form = AnswerForm::kSchema;
  EXPECT_EQ(Refusal(fixture, request).where(), "schema#");
  request.schema = R"({"type":"object","properties":{"a":{"contains":{}}}})";
  EXPECT_EQ(Refusal(fixture, request).where(), "schema#/properties/a/contains");
  request = Ask();
  request.reasoning_tokens = -2;
  EXPECT_EQ(Refusal(fixture, request).where(), "reasoning_tokens");
  request = Ask(R"([{"type":"function","function":{"name":"f","strict":true,
      "parameters":{"type":"object","minProperties":1}}}])");
  EXPECT_EQ(Refusal(fixture, request).where(), "tools/0/parameters#/minProperties");
  EngineFixture without(false);
  request = Greedy("x");
  request.prompt = TokenIds{{5}};
  request.form = AnswerForm::kJson;
  EXPECT_FALSE(Refusal(without, request).ok());
}

}  // namespace
}  // namespace hadal
