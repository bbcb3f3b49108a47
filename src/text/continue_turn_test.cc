#include "text/continue_turn.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "text/prompt_cases.h"
#include "text/prompt_format.h"

namespace hadal {
namespace {

Result<Prompt> Continued(std::string_view format, std::string_view request,
                         Think think = Think::kDefault) {
  const auto document = ParseJson(request, "request");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  const auto conversation = ParseConversation(*document, "request");
  EXPECT_TRUE(conversation.ok()) << conversation.status().ToString();
  const auto found = FindPromptFormat(format);
  EXPECT_TRUE(found.ok()) << format;
  EncodeOptions options;
  options.think = think;
  options.continue_last = true;
  return EncodePrompt(**found, *conversation, options);
}

constexpr std::string_view kText = R"({"messages": [{"role": "user", "content": "Q"},
  {"role": "assistant", "content": "so "}]})";
constexpr std::string_view kBoth = R"({"messages": [{"role": "user", "content": "Q"},
  {"role": "assistant", "content": "so", "reasoning_content": "hm"}]})";
constexpr std::string_view kThought = R"({"messages": [{"role": "user", "content": "Q"},
  {"role": "assistant", "content": "", "reasoning_content": "hm"}]})";

struct Case {
  std::string_view format, request, prompt;
  Think think = Think::kDefault;
  bool inside_think = false;
};

constexpr Case kCases[] = {
    {"v2", kText, "{bos}User: Q\n\nAssistant: so "},
    {"v3", kText, "{bos}{user}Q{assistant}so "},
    {"v3_0324", kText, "{bos}{user}Q{assistant}so "},
    {"r1", kText, "{bos}{user}Q{assistant}<think>\n\n</think>\n\nso "},
    {"r1", kBoth, "{bos}{user}Q{assistant}<think>\nhm\n</think>\n\nso"},
    {"r1", kThought, "{bos}{user}Q{assistant}<think>\nhm", Think::kDefault, true},
    {"v31", kBoth, "{bos}{user}Q{assistant}</think>so", Think::kOff},
    {"v31", kBoth, "{bos}{user}Q{assistant}<think>hm</think>so", Think::kOn},
    {"v32", kThought, "{bos}{user}Q{assistant}<think>hm", Think::kOn, true},
    {"v4", kText, "{bos}{user}Q{assistant}<think></think>so "},
    {"v4", kText, "{bos}{user}Q{assistant}</think>so ", Think::kOff},
    {"v41", kText, "{bos}{user}Q{assistant}</think>so ", Think::kOff},
    {"kimi_k2_instruct", kText,
     "<|im_system|>system<|im_middle|>You are Kimi, an AI assistant created by Moonshot AI."
     "<|im_end|>\n<|im_user|>user<|im_middle|>Q<|im_end|><|im_assistant|>assistant<|im_middle|>"
     "so "},
    {"qwen3", kText,
     "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nso "},
    {"qwen3", kBoth,
     "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\nso"},
    {"qwen3", kBoth,
     "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nso",
     Think::kOff},
    {"chatml", kText, "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\nso "},
    {"llama3", kText,
     "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nQ<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\nso "},
};

TEST(ContinueTurn, IsWhatTheModelWouldHaveWritten) {
  for (const Case& c : kCases) {
    const auto prompt = Continued(c.format, c.request, c.think);
    ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
    EXPECT_EQ(prompt->text, ExpandMarks(c.prompt)) << c.format;
    EXPECT_EQ(prompt->inside_think, c.inside_think) << c.format;
  }
}

// Every format either continues a text, or says that it cannot.
TEST(ContinueTurn, EndsEveryFormatWithTheText) {
  for (const PromptFormat& format : PromptFormats()) {
    const auto prompt = Continued(format.name, kText);
    ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
    EXPECT_TRUE(prompt->text.ends_with("so ")) << format.name;
    ASSERT_FALSE(prompt->quoted.empty());
    EXPECT_EQ(prompt->quoted.back().end, prompt->text.size()) << format.name;
    EXPECT_FALSE(prompt->inside_think);
  }
}

TEST(ContinueTurn, RefusesWhatOpensNoTurn) {
  for (const char* request :
       {R"({"messages": [{"role": "user", "content": "Q"}]})",
        R"({"messages": [{"role": "assistant", "content": "so"}]})",
        R"({"messages": [{"role": "system", "content": "S"},
                         {"role": "assistant", "content": "so"}]})",
        R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "a"},
                         {"role": "assistant", "content": "so"}]})",
        R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "a",
             "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]})"}) {
    const auto prompt = Continued("v31", request);
    ASSERT_FALSE(prompt.ok()) << request;
    EXPECT_NE(prompt.status().where().find("messages["), std::string::npos);
  }
}

}  // namespace
}  // namespace hadal
