#include "text/fill_in.h"

#include <span>

namespace hadal {
namespace {

struct Marks {
  std::string_view before, after, middle;
  std::span<const std::string_view> ends;
};

constexpr std::string_view kQwenEnds[] = {"<|endoftext|>", "<|fim_pad|>", "<|repo_name|>",
                                          "<|file_sep|>", "<|im_end|>"};
constexpr Marks kMarks[] = {
    {"<\uFF5Cfim\u2581begin\uFF5C>",
     "<\uFF5Cfim\u2581hole\uFF5C>",
     "<\uFF5Cfim\u2581end\uFF5C>",
     {}},
    {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", kQwenEnds},
};

const Marks* FindMarks(const Tokenizer& tokenizer) {
  for (const Marks& marks : kMarks)
    if (tokenizer.TokenToId(marks.before) && tokenizer.TokenToId(marks.after) &&
        tokenizer.TokenToId(marks.middle))
      return &marks;
  return nullptr;
}

}  // namespace

bool KnowsFillIn(const Tokenizer& tokenizer) { return FindMarks(tokenizer) != nullptr; }

Result<FillInPrompt> EncodeFillIn(const Tokenizer& tokenizer, std::string_view before,
                                  std::string_view after) {
  const Marks* marks = FindMarks(tokenizer);
  if (marks == nullptr)
    return Unsupported("suffix", "a vocabulary without tokens for filling in",
                       "a model that was trained to fill in the middle",
                       "leave the suffix out, or use a DeepSeek or Qwen coder model");
  FillInPrompt prompt;
  if (tokenizer.add_bos() && tokenizer.bos()) prompt.ids.push_back(*tokenizer.bos());
  const auto add = [&](std::string_view mark, std::string_view text) -> Status {
    prompt.ids.push_back(*tokenizer.TokenToId(mark));
    HADAL_ASSIGN_OR_RETURN(const auto ids, tokenizer.Encode(text, AddedTokenUse::kNone));
    prompt.ids.insert(prompt.ids.end(), ids.begin(), ids.end());
    return {};
  };
  HADAL_RETURN_IF_ERROR(add(marks->before, before));
  prompt.before_end = prompt.ids.size();
  HADAL_RETURN_IF_ERROR(add(marks->after, after));
  HADAL_RETURN_IF_ERROR(add(marks->middle, ""));
  for (const std::string_view end : marks->ends)
    if (const auto id = tokenizer.TokenToId(end)) prompt.ends.push_back(*id);
  return prompt;
}

}  // namespace hadal
