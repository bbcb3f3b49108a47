#include "engine/answer_reader.h"

#include "text/missing_brackets.h"

namespace hadal {
namespace {

AnswerOptions OptionsOf(const PreparedPrompt& prompt) {
  AnswerOptions options;
  options.thinking = prompt.inside_think;
  options.tool_calls = prompt.has_tools ? ToolCalls::kParse : ToolCalls::kText;
  if (prompt.has_tools && prompt.drops_calls) options.tool_calls = ToolCalls::kDrop;
  options.tools = prompt.has_tools ? &prompt.tools.root() : nullptr;
  return options;
}

}  // namespace

AnswerReader::AnswerReader(std::shared_ptr<const Tokenizer> tokenizer, const PreparedPrompt& prompt,
                           const std::vector<std::string>& stops)
    : decoder_(std::move(tokenizer)), parser_(prompt.syntax, OptionsOf(prompt)), stops_(stops) {
  const std::string_view owed = prompt.owed.bytes;
  decoder_.BeginInside(owed.substr(owed.size() - prompt.owed.half_bytes));
}

void AnswerReader::Push(std::int32_t token, std::size_t without_bytes, GenerateEvent* event) {
  Sort(parser_.Feed(decoder_.Push(token, without_bytes)), event);
}

void AnswerReader::Finish(bool ended, GenerateEvent* event) {
  if (stopped()) return;
  cut_off_ = !ended;
  Sort(parser_.Feed(decoder_.Flush()), event);
  Sort(parser_.Finish(), event);
  event->text += stops_.Finish();
}

// Brackets that the model forgot are added, where nothing else is missing.
void AnswerReader::EndCall(const AnswerEvent& piece, GenerateEvent* event) {
  if (piece.complete || cut_off_) return;
  const std::optional<std::string> brackets = MissingBrackets(arguments_);
  if (brackets) event->tool_calls.push_back({piece.call, "", "", *brackets, true});
}

void AnswerReader::Sort(const std::vector<AnswerEvent>& pieces, GenerateEvent* event) {
  for (const AnswerEvent& piece : pieces) {
    switch (piece.kind) {
      case AnswerEvent::Kind::kReasoning:
        event->reasoning += piece.text;
        break;
      case AnswerEvent::Kind::kContent:
        event->text += stops_.Feed(piece.text);
        if (stopped()) return;
        break;
      case AnswerEvent::Kind::kCallBegin:
        called_ = true;
        arguments_.clear();
        event->tool_calls.push_back({piece.call, piece.text, piece.id, "", false});
        break;
      case AnswerEvent::Kind::kCallArguments:
        arguments_ += piece.text;
        event->tool_calls.push_back({piece.call, "", "", piece.text, false});
        break;
      case AnswerEvent::Kind::kCallEnd:
        EndCall(piece, event);
        break;
      case AnswerEvent::Kind::kProblem:  // the text itself comes as content
        break;
    }
  }
}

}  // namespace hadal
