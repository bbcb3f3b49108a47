// Call: the one internal request that every dialect's JSON becomes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hadal/generate.h"

namespace hadal {

using CallPrompt = decltype(GenerateRequest::prompt);

struct Call {
  GenerateRequest request;  // everything but the prompt where there are several
  // Several prompts to one call (OpenAI's completions); empty: request.prompt alone.
  std::vector<CallPrompt> prompts = {};
  int choices = 1;  // answers to each prompt; the index of one is prompt * choices + choice
  bool stream = false;
  bool include_usage = false;   // OpenAI's stream_options
  std::string cache_salt = {};  // keeps one key's users apart in the prefix cache (user_id)

  int prompt_count() const { return prompts.empty() ? 1 : static_cast<int>(prompts.size()); }
  int answer_count() const { return prompt_count() * choices; }
};

}  // namespace hadal
