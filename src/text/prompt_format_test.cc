#include "text/prompt_format.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/json.h"
#include "tests/shared_dir.h"
#include "text/deepseek_marks.h"
#include "text/prompt_cases.h"

namespace hadal {
namespace {

Conversation Parse(std::string_view request) {
  auto document = ParseJson(request, "request");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  auto conversation = ParseConversation(*document, "request");
  EXPECT_TRUE(conversation.ok()) << conversation.status().ToString();
  return *conversation;
}

Result<std::string> EncodeAs(std::string_view format, std::string_view request,
                             const EncodeOptions& options = {}) {
  const auto found = FindPromptFormat(format);
  EXPECT_TRUE(found.ok()) << format;
  return Encode(**found, Parse(request), options);
}

TEST(PromptFormats, EncodeTheirCases) {
  std::set<std::string_view> seen;
  for (const PromptCase& c : PromptCases()) {
    EncodeOptions options;
    options.add_generation_prompt = c.request != kClosed;
    const auto prompt = EncodeAs(c.format, c.request, options);
    ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
    EXPECT_EQ(*prompt, ExpandMarks(c.prompt)) << c.format;
    seen.insert(c.format);
  }
  for (const PromptFormat& format : PromptFormats())
    EXPECT_TRUE(seen.contains(format.name)) << format.name << " has no case";
}

constexpr std::string_view kAsk = R"({"messages": [{"role": "user", "content": "Q"}]})";

std::string Asked(std::string_view format, Think think) {
  EncodeOptions options;
  options.think = think;
  const auto prompt = EncodeAs(format, kAsk, options);
  return prompt.ok() ? *prompt : "refused";
}

TEST(PromptFormats, OpenOrCloseTheThinkBlock) {
  const std::string v31 = ExpandMarks("{bos}{user}Q{assistant}");
  EXPECT_EQ(Asked("v31", Think::kDefault), v31 + "</think>");
  EXPECT_EQ(Asked("v31", Think::kOff), v31 + "</think>");
  EXPECT_EQ(Asked("v31", Think::kOn), v31 + "<think>");
  EXPECT_EQ(Asked("v31_llamacpp", Think::kOff), v31 + "<think></think>");
  EXPECT_EQ(Asked("r1_distill_qwen", Think::kOn), v31 + "<think>\n");
  const std::string qwen = "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(Asked("qwen3", Think::kDefault), qwen);
  EXPECT_EQ(Asked("qwen3", Think::kOn), qwen);
  EXPECT_EQ(Asked("qwen3", Think::kOff), qwen + "<think>\n\n</think>\n\n");
}

TEST(PromptFormats, RefuseThinkingThatTheyDoNotHave) {
  EXPECT_EQ(Asked("smollm2", Think::kOn), "refused");
  EXPECT_NE(Asked("smollm2", Think::kOff), "refused");
  EXPECT_EQ(Asked("r1", Think::kOff), "refused");
  EXPECT_NE(Asked("r1", Think::kOn), "refused");
  EXPECT_EQ(Asked("v31", Think::kMax), "refused");
}

TEST(PromptFormats, ContinueAPrefixedTurn) {
  constexpr std::string_view request = R"({"messages": [{"role": "user", "content": "Q"},
    {"role": "assistant", "content": "so", "prefix": true}]})";
  EncodeOptions options;
  options.think = Think::kOn;
  EXPECT_EQ(*EncodeAs("v31", request, options),
            ExpandMarks("{bos}{user}Q{assistant}<think>so{eos}"));
}

TEST(PromptFormats, PutToolsIntoTheSystemTextWhenAsked) {
  EncodeOptions options;
  options.tools_in_system = true;
  const std::string v3 = *EncodeAs("v3", kRound, options);
  EXPECT_TRUE(v3.starts_with(ExpandMarks(
      "{bos}\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n"
      "{tool}\n</tools>")))
      << v3;
  const std::string v31 = *EncodeAs("v31", kRound, options);
  EXPECT_TRUE(v31.starts_with(ExpandMarks(
      "{bos}\n\n## Tools\nYou have access to the following tools:\n\n### f\nDescription: D\n\n"
      "Parameters: {\"type\": \"object\"")))
      << v31;
  // Left out otherwise, as the templates do.
  EXPECT_EQ(EncodeAs("v3", kRound)->find("# Tools"), std::string::npos);
  EXPECT_EQ(EncodeAs("v31", kRound)->find("## Tools"), std::string::npos);
}

TEST(PromptFormats, FollowTheOptionsOfLlama31) {
  EncodeOptions options;
  options.date = "1 Jan 2030";
  options.tools_in_user_message = false;
  options.builtin_tools = {"brave_search", "code_interpreter", "wolfram_alpha"};
  const auto prompt = EncodeAs("llama3_1", R"({"messages": [{"role": "user", "content": "Q"},
    {"role": "assistant", "content": null, "tool_calls": [
      {"function": {"name": "brave_search", "arguments": {"query": "x", "n": "2"}}}]},
    {"role": "ipython", "content": "r"}], "tools": [{"name": "f"}]})",
                               options);
  ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
  EXPECT_EQ(
      *prompt,
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\n"
      "Tools: brave_search, wolfram_alpha\n\nCutting Knowledge Date: December 2023\nToday "
      "Date: 1 Jan 2030\n\nYou have access to the following functions. To call a function, "
      "please respond with JSON for a function call.Respond in the format {\"name\": function "
      "name, \"parameters\": dictionary of argument name and its value}.Do not use "
      "variables.\n\n{\n    \"name\": \"f\"\n}\n\n<|eot_id|><|start_header_id|>user"
      "<|end_header_id|>\n\nQ<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
      "<|python_tag|>brave_search.call(query=\"x\", n=\"2\")<|eom_id|><|start_header_id|>"
      "ipython<|end_header_id|>\n\n\"r\"<|eot_id|><|start_header_id|>assistant"
      "<|end_header_id|>\n\n");
}

TEST(PromptFormats, NumberTheCallsOfKimi) {
  // Ids run through the conversation and go to the results in order; a result too many says so.
  constexpr std::string_view request = R"({"messages": [
    {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]},
    {"role": "assistant", "tool_calls": [{"function": {"name": "g"}}]},
    {"role": "tool", "content": "1"}, {"role": "tool", "content": "2"},
    {"role": "tool", "content": [{"type": "text", "text": "3"}, "4"], "name": "h"}]})";
  const std::string prompt = *EncodeAs("kimi_k2_instruct", request);
  for (const char* part :
       {"<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
        "functions.g:1<|tool_call_argument", "## Return of functions.f:0\n1<|im_end|>",
        "## Return of functions.g:1\n2<|im_end|>",
        "<|im_system|>h<|im_middle|>## Return of functions.h:2\n34<|im_end|>"})
    EXPECT_NE(prompt.find(part), std::string::npos) << part << "\n" << prompt;
}

TEST(PromptFormats, DescribeParametersAsHermesDoes) {
  const auto prompt = EncodeAs("hermes3", R"({"messages": [{"role": "user", "content": "Q"}],
    "tools": [{"function": {"name": "f", "description": "D", "return": {"type": "number",
      "description": "R"}, "parameters": {"properties": {
        "a": {"type": ["string", "integer", null]}, "b": {"type": "array", "items": {}},
        "c": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "d": {"enum": [1]}, "e": {"type": 7, "description": "\u2003E "}}}}},
      {"name": "g", "description": "", "parameters": {}}]})");
  ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
  for (const char* part :
       {"f(a: Union[str,int,Any], b: list[Union[]], c: dict[str, bool], d: Union[], e: Any) -> "
        "float"
        " - D\n\n    Args:\n        a(Union[str,int,Any]):         b(list[Union[]]):         ",
        "e(Any): E\n    Returns:\n        R\", \"parameters\": {\"properties\"",
        "\n{\"type\": \"function\", \"function\": {\"name\": \"g\", \"description\": \"g() - "
        "\n\n\", "
        "\"parameters\": {}} </tools>"})
    EXPECT_NE(prompt->find(part), std::string::npos) << part << "\n" << *prompt;
  EXPECT_FALSE(EncodeAs("hermes3", R"({"messages": [{"role": "user", "content": "Q"}],
    "tools": [{"name": "f", "description": "", "parameters": {"properties":
      {"a": {"type": "null"}}}}]})")
                   .ok());
}

TEST(PromptFormats, KeepReasoningOfQwen3WithinTheLastRound) {
  constexpr std::string_view request = R"({"messages": [{"role": "user", "content": "Q"},
    {"role": "assistant", "content": "\n<think>\n\na\n</think>\n\nb"},
    {"role": "user", "content": "<tool_response>1</tool_response>"},
    {"role": "assistant", "content": null, "reasoning": "\nc\n"}]})";
  EncodeOptions options;
  options.add_generation_prompt = false;
  EXPECT_EQ(*EncodeAs("qwen3", request, options),
            "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\na\n</think>\n\nb"
            "<|im_end|>\n<|im_start|>user\n<tool_response>1</tool_response><|im_end|>\n"
            "<|im_start|>assistant\n<think>\nc\n</think>\n\n<|im_end|>\n");
}

struct Refusal {
  const char* format;
  const char* request;
  const char* names;  // must stand in the message
};

constexpr Refusal kRefusals[] = {
    {"v3", R"({"messages": []})", "messages"},
    {"v3", R"({"messages": [{"role": "developer", "content": "x"}]})", "messages[0].role"},
    {"v3", R"({"messages": [{"role": "user", "content": null}]})", "messages[0].content"},
    {"v31", R"({"messages": [{"role": "user", "content": "a"}, {"role": "tool"}]})",
     "messages[1].content"},
    {"v2", R"({"messages": [{"role": "tool", "content": "x"}]})", "messages[0].role"},
    {"v2", R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})",
     "messages[0].content"},
    {"v31", R"({"messages": [{"role": "system", "content": "a", "tools": [{}]}]})", "messages[0]"},
    {"v31", R"({"messages": [{"role": "user", "content": "a", "task": "title"}]})", "messages[0]"},
    {"smollm2", R"({"messages": [{"role": "user", "content": "x"}], "tools": [{}]})", "tools"},
    {"smollm2",
     R"({"messages": [{"role": "assistant", "content": "x", "tool_calls": [{"name": "f"}]}]})",
     "messages[0]"},
    {"qwen2_5",
     R"({"messages": [{"role": "assistant", "tool_calls": [{"name": "f", "arguments": "{"}]}]})",
     "arguments of f"},
    {"llama3_1", R"({"messages": [{"role": "assistant", "tool_calls": [{"name": "f"},
      {"name": "g"}]}]})",
     "messages[0].tool_calls"},
    {"llama3_1", R"({"messages": [{"role": "system", "content": "x"}], "tools": [{}]})",
     "first user message"},
    {"hermes3", R"({"messages": [{"role": "user", "content": "x"}], "tools": [{"name": "f"}]})",
     "description of f"},
    {"v31_vllm_tools", R"({"messages": [{"role": "user", "content": "x"}], "tools": [{}]})",
     "name of a function"},
};

TEST(PromptFormats, SayWhatTheyRefuse) {
  for (const Refusal& refusal : kRefusals) {
    const auto prompt = EncodeAs(refusal.format, refusal.request);
    ASSERT_FALSE(prompt.ok()) << refusal.format << " " << refusal.request;
    const std::string text = prompt.status().ToString();
    EXPECT_NE(text.find(refusal.names), std::string::npos) << text;
    EXPECT_NE(text.find(std::string("format ") + refusal.format), std::string::npos) << text;
    EXPECT_FALSE(prompt.status().expected().empty()) << text;
  }
}

TEST(PromptFormats, MarkWhatTheConversationSaid) {
  for (const PromptCase& c : PromptCases()) {
    const auto prompt =
        EncodePrompt(**FindPromptFormat(c.format), Parse(c.request), EncodeOptions());
    ASSERT_TRUE(prompt.ok());
    std::size_t at = 0;
    std::string template_text;
    for (const Prompt::Span& span : prompt->quoted) {
      ASSERT_LE(at, span.begin);
      ASSERT_LT(span.begin, span.end);
      template_text += prompt->text.substr(at, span.begin - at);
      at = span.end;
    }
    ASSERT_LE(at, prompt->text.size());
    template_text += prompt->text.substr(at);
    // The marks are the template's; the words are the conversation's.
    EXPECT_EQ(template_text.find("Bye"), std::string::npos) << c.format;
    for (const std::string_view mark : (*FindPromptFormat(c.format))->stops) {
      const auto count = [mark](std::string_view text) {
        int n = 0;
        for (std::size_t i = 0; (i = text.find(mark, i)) != std::string_view::npos; ++i) ++n;
        return n;
      };
      EXPECT_EQ(count(template_text), count(prompt->text)) << c.format << " " << mark;
    }
  }
}

TEST(PromptFormats, AreFoundByName) {
  std::set<std::string_view> names;
  for (const PromptFormat& format : PromptFormats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_EQ(*FindPromptFormat(format.name), &format);
    EXPECT_FALSE(format.stops.empty());
  }
  const auto unknown = FindPromptFormat("alpaca");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), Code::kUsage);
  EXPECT_NE(unknown.status().hint().find("smollm2"), std::string::npos);
}

TEST(EndsInsideThink, LooksAtTheEnd) {
  EXPECT_TRUE(EndsInsideThink("a<think>"));
  EXPECT_TRUE(EndsInsideThink("a<think>\n"));
  EXPECT_FALSE(EndsInsideThink("a<think>\n</think>"));
  EXPECT_FALSE(EndsInsideThink("a<think> "));
  EXPECT_FALSE(EndsInsideThink(""));
}

// A text that a row would recognise: its own pieces.
std::string Pieces(const PromptFormat& format) {
  std::string out;
  for (const std::string_view piece : format.holds) out += std::string(piece) + " ";
  return out;
}

TEST(DetectPromptFormat, RecognisesEachRowAndNoOther) {
  for (const PromptFormat& format : PromptFormats()) {
    if (format.holds.empty() || !format.model_types.empty()) continue;
    const std::string text = Pieces(format);
    const auto found = DetectPromptFormat({"file", text, {}});
    ASSERT_TRUE(found.ok()) << format.name << ": " << found.status().ToString();
    EXPECT_EQ((*found)->name, format.name);
    for (const std::string_view piece : format.lacks)
      EXPECT_FALSE(DetectPromptFormat({"file", text + std::string(piece), {}}).ok() &&
                   (*DetectPromptFormat({"file", text + std::string(piece), {}}))->name ==
                       format.name)
          << format.name << " with " << piece;
  }
}

// A release that comes with an encoder, by its model type and the text of the encoder.
TEST(DetectPromptFormat, RecognisesReleasesWithAnEncoder) {
  const auto detect = [](std::string_view type, std::string_view encoder) -> std::string {
    const auto found = DetectPromptFormat(
        {.where = "f", .chat_template = "", .model_type = type, .encoder = encoder});
    return found.ok() ? std::string((*found)->name) : "refused";
  };
  for (const char* name : {"v32", "v4", "v4_0731", "v41"}) {
    const PromptFormat& format = **FindPromptFormat(name);
    EXPECT_EQ(detect(format.model_types[0], Pieces(format)), name);
    EXPECT_EQ(detect("deepseek_v3", Pieces(format)), "refused");
    EXPECT_EQ(detect(format.model_types[0], "print()"), "refused");
    EXPECT_FALSE(DetectPromptFormat({"f", Pieces(format)}).ok());
  }
  EXPECT_EQ(detect("deepseek_v32", ""), "v32");
  EXPECT_EQ(detect("deepseek_v4", ""), "v4");
  EXPECT_EQ(detect("deepseek_v41", ""), "v41");
  EXPECT_EQ(detect("", ""), "refused");
}

TEST(DetectPromptFormat, Cve2026_5760_NeverGuesses) {
  const auto none = DetectPromptFormat({"model.gguf", "", {}});
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.status().hint().find("--raw"), std::string::npos);
  EXPECT_NE(none.status().hint().find("--template"), std::string::npos);
  EXPECT_FALSE(DetectPromptFormat({"f", "{% for message in messages %}{{ message }}", {}}).ok());
  const std::string two = Pieces(**FindPromptFormat("v2")) + Pieces(**FindPromptFormat("hermes3"));
  const auto both = DetectPromptFormat({"f", two, {}});
  ASSERT_FALSE(both.ok());
  EXPECT_NE(both.status().found().find("both"), std::string::npos);
}

TEST(DetectPromptFormat, AsksTheVocabulary) {
  const std::string text = Pieces(**FindPromptFormat("smollm2"));
  EXPECT_TRUE(DetectPromptFormat({"f", text, [](std::string_view) { return true; }}).ok());
  const auto without =
      DetectPromptFormat({"f", text, [](std::string_view token) { return token != "<|im_end|>"; }});
  ASSERT_FALSE(without.ok());
  EXPECT_NE(without.status().found().find("<|im_end|>"), std::string::npos);
}

TEST(CheckPromptTokens, NamesTheFirstMissingOne) {
  for (const PromptFormat& format : PromptFormats()) {
    ASSERT_FALSE(format.marks.empty()) << format.name;
    const std::string_view lost = format.marks.back();
    const auto has = [lost](std::string_view token) { return token != lost; };
    const Status status = CheckPromptTokens(format, {"f", "", has});
    EXPECT_EQ(status.code(), Code::kUnusable);
    EXPECT_NE(status.found().find(lost), std::string::npos) << status.ToString();
    EXPECT_TRUE(CheckPromptTokens(format, {"f", "", {}}).ok());
  }
}

std::string Template(std::string_view config) {
  const auto document = ParseJson(config, "config");
  EXPECT_TRUE(document.ok());
  return std::string(FindChatTemplate(document->root()));
}

TEST(FindChatTemplate, ReadsEveryContainer) {
  EXPECT_EQ(Template(R"({"chat_template": "t"})"), "t");
  EXPECT_EQ(Template(R"({"tokenizer.chat_template": "t"})"), "t");
  EXPECT_EQ(Template(R"({"chat_template": [{"name": "tool_use", "template": "u"},
                                            {"name": "default", "template": "t"}]})"),
            "t");
  EXPECT_EQ(Template(R"({"chat_template": [{"name": "tool_use", "template": "u"}, 3]})"), "");
  EXPECT_EQ(Template(R"({"chat_template": null})"), "");
  EXPECT_EQ(Template("{}"), "");
}

TEST(DetectPromptFormat, SharedTokenizerConfigs) {
  HADAL_NEEDS_SHARED(shared);
  for (const std::string name : {"deepseek_v3", "qwen2_5", "smollm2"}) {
    const std::string path = shared + "/golden/text/tokenizers/" + name + "/tokenizer_config.json";
    const auto text = ReadMaybeGzipped(path);
    ASSERT_TRUE(text.ok());
    const auto found = DetectPromptFormat({path, Template(*text), {}});
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ((*found)->name, name == "deepseek_v3" ? "v3" : name);
  }
}

}  // namespace
}  // namespace hadal
