// Answers in every syntax with what they parse to, for the tests of the parser and of its splits.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "text/answer_parser.h"

namespace hadal {

struct AnswerCase {
  AnswerSyntax syntax;
  std::string_view text;
  // "R(reasoning)C(content)name{arguments}..."; empty parts left out, "~" after a call that is not
  // complete, "!" at the end for each problem.
  std::string_view expected;
  AnswerOptions options = {};
};

std::span<const AnswerCase> AnswerCases();

// An answer in the form of AnswerCase::expected.
std::string Summary(const ParsedAnswer& answer);

}  // namespace hadal
