#include "text/answer_parser.h"

#include "base/check.h"
#include "text/parse_think.h"

namespace hadal {
namespace {

// One row a syntax: how its tags, its white space and its calls are read.
struct SyntaxRow {
  AnswerSyntax syntax;
  std::string_view name;
  ThinkRules think;
  TextRules text;
  std::unique_ptr<CallReader> (*make_reader)(AnswerSink*, const AnswerOptions&) = nullptr;
  bool marks_are_never_text = false;  // without tools in the request, calls are left out
};

constexpr ThinkRules kV4Think = {.looks_for_tags = true,
                                 .calls_end_reasoning = true,
                                 .drops_stray_end_tags = true,
                                 .reopens = true};
constexpr TextRules kV4Text = {.drops_text_after_call = true, .drops_space_with_calls = true};

constexpr SyntaxRow kRows[] = {
    {AnswerSyntax::kPlain, "plain", {}, {}},
    {AnswerSyntax::kThink, "r1", {.looks_for_tags = true}, {}},
    {AnswerSyntax::kDeepSeekV3, "v3", {.looks_for_tags = true}, {}, MakeDeepSeekReader},
    {AnswerSyntax::kDeepSeekV31, "v31", {.looks_for_tags = true}, {}, MakeDeepSeekReader},
    {AnswerSyntax::kDsmlV32,
     "v32",
     {.looks_for_tags = true},
     {.drops_text_after_call = true},
     MakeDsmlV32Reader},
    {AnswerSyntax::kDsmlV4, "v4", kV4Think, kV4Text, MakeDsmlV4Reader, true},
    {AnswerSyntax::kDsmlV41, "v41", kV4Think, kV4Text, MakeDsmlV41Reader, true},
    {AnswerSyntax::kKimiK2,
     "kimi_k2",
     {.looks_for_tags = true, .calls_end_reasoning = true, .drops_stray_end_tags = true},
     {.trim_reasoning = TrimReasoning::kEnd, .drops_text_after_call = true},
     MakeKimiReader},
    {AnswerSyntax::kHermes,
     "hermes",
     {.looks_for_tags = true, .calls_end_reasoning = true},
     {.trim_reasoning = TrimReasoning::kBothEnds,
      .trims_content_after_think = true,
      .drops_text_after_call = true},
     MakeHermesReader},
    {AnswerSyntax::kLlama3, "llama3", {}, {}, MakeLlama3Reader},
};

const SyntaxRow& RowOf(AnswerSyntax syntax) {
  for (const SyntaxRow& row : kRows)
    if (row.syntax == syntax) return row;
  HADAL_CHECK(false, "every answer syntax has a row");
}

AnswerOptions Resolved(const SyntaxRow& row, AnswerOptions options) {
  if (row.marks_are_never_text && options.tool_calls == ToolCalls::kText)
    options.tool_calls = ToolCalls::kDrop;
  return options;
}

}  // namespace

bool LeavesCallsOut(AnswerSyntax syntax) { return RowOf(syntax).marks_are_never_text; }

struct AnswerParser::State {
  State(const SyntaxRow& row, const AnswerOptions& options)
      : sink(row.text, options),
        reader(row.make_reader == nullptr || options.tool_calls == ToolCalls::kText
                   ? nullptr
                   : row.make_reader(&sink, options)),
        think(row.think, options, &sink, reader.get()) {}

  AnswerSink sink;
  std::unique_ptr<CallReader> reader;
  ThinkFilter think;
  bool finished = false;
};

AnswerParser::AnswerParser(AnswerSyntax syntax, const AnswerOptions& options)
    : state_(std::make_unique<State>(RowOf(syntax), Resolved(RowOf(syntax), options))) {}
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;
AnswerParser& AnswerParser::operator=(AnswerParser&&) noexcept = default;
AnswerParser::~AnswerParser() = default;

std::vector<AnswerEvent> AnswerParser::Feed(std::string_view bytes) {
  HADAL_CHECK(!state_->finished, "an answer is not fed after its end");
  for (const char c : bytes) state_->think.Byte(c);
  return state_->sink.Take();
}

bool AnswerParser::in_reasoning() const { return state_->sink.in_reasoning(); }

bool AnswerParser::has_answer() const {
  const CallReader* reader = state_->reader.get();
  return state_->sink.spoke() || (reader != nullptr && reader->ends_in_call());
}

std::vector<AnswerEvent> AnswerParser::Finish() {
  if (!std::exchange(state_->finished, true)) {
    state_->think.Finish();
    state_->sink.Finish();
  }
  return state_->sink.Take();
}

void ParsedAnswer::Add(const std::vector<AnswerEvent>& events) {
  for (const AnswerEvent& event : events) {
    switch (event.kind) {
      case AnswerEvent::Kind::kReasoning:
        reasoning += event.text;
        break;
      case AnswerEvent::Kind::kContent:
        content += event.text;
        break;
      case AnswerEvent::Kind::kCallBegin:
        tool_calls.push_back({.name = event.text, .id = event.id});
        break;
      case AnswerEvent::Kind::kCallArguments:
        tool_calls.back().arguments += event.text;
        break;
      case AnswerEvent::Kind::kCallEnd:
        tool_calls.back().complete = event.complete;
        break;
      case AnswerEvent::Kind::kProblem:
        problems.push_back(event.text);
        break;
    }
  }
}

ParsedAnswer ParseAnswer(AnswerSyntax syntax, const AnswerOptions& options, std::string_view text) {
  AnswerParser parser(syntax, options);
  ParsedAnswer answer;
  answer.Add(parser.Feed(text));
  answer.Add(parser.Finish());
  return answer;
}

std::optional<AnswerSyntax> AnswerSyntaxNamed(std::string_view name) {
  for (const SyntaxRow& row : kRows)
    if (row.name == name) return row.syntax;
  return std::nullopt;
}

std::string AnswerSyntaxNames() {
  std::string names;
  for (const SyntaxRow& row : kRows) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

}  // namespace hadal
