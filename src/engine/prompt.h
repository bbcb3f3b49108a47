// From a request to the ids that the model gets, and how its answer is to be read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "base/status.h"
#include "engine/language.h"
#include "hadal/generate.h"
#include "text/answer_parser.h"

namespace hadal {

struct PreparedPrompt {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> ends;  // tokens that end the answer
  AnswerSyntax syntax = AnswerSyntax::kPlain;
  bool inside_think = false;  // the prompt has opened a think block
  // Tool definitions as they came, and whether calls are to be looked for.
  MetadataDocument tools;
  bool has_tools = false;
  bool drops_calls = false;  // the request forbids calls
  bool may_think = false;    // the model may open a think block as the first thing of its answer
  std::string begun = {};    // the beginning of the answer that the prompt ends with

  // A text that the answer goes on with, where its last tokens may be taken back (token_healing.h).
  struct OpenEnd {
    std::string text = {};       // empty: there is none
    std::size_t ids_end = 0;     // of its tokens in `ids`
    std::size_t half_bytes = 0;  // at its end: of a character that is not whole, and in no token
  } open = {};
  // What the answer has to begin with, without it being part of the answer.
  struct Owed {
    std::string bytes = {};
    std::size_t half_bytes = 0;          // of them, at the end: of a character that is not whole
    std::vector<std::int32_t> ids = {};  // that were taken back
  } owed = {};

  // What the request's text comes to, whether tokens were taken back or not.
  std::int64_t tokens() const { return std::ssize(ids) + std::ssize(owed.ids); }
};

// kUsage for what the request gets wrong: an empty prompt, an id outside the vocabulary, a wish
// that the prompt format cannot express. Text of messages never becomes a special token. A text
// that the answer goes on with may end inside a character.
Result<PreparedPrompt> PreparePrompt(const GenerateRequest& request, const Language& language,
                                     std::int64_t vocabulary);

}  // namespace hadal
