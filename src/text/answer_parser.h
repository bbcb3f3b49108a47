// Reads a model's answer back while it is being written: reasoning, content and tool calls.
//
// What was given out is never taken back, and the events joined together do not depend on how the
// text was cut into pieces: the grammar is driven byte by byte. Where every piece ends at a
// character boundary, so does every piece given out. Malformed calls become text with a reason,
// never an error. Time is linear in the text. Held back is at most one marker with the white space
// beside it, a name of up to 256 bytes, for calls written as one JSON object the object up to
// its "name" (1 MiB, then it is text), and for DSML a whole call.
//
// Decisions where implementations differ: docs/answer-parsing.md. Sources: the templates of the
// releases, and the vectors of the shared goldens. An object belongs to one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "text/answer_syntax.h"

namespace hadal {

// What to do with tool calls in the answer.
enum class ToolCalls : unsigned char {
  kParse,  // they become events
  kText,   // the request gave no tools: call markers are ordinary text (V4, V4.1: as kDrop)
  kDrop,   // the request forbade calls (tool_choice "none"): recognised and left out
};

struct AnswerOptions {
  bool thinking = false;          // the prompt ended inside an open think block
  bool extract_reasoning = true;  // false: reasoning and its tags stay in the content
  ToolCalls tool_calls = ToolCalls::kParse;
  // The request's list of tools as it came, or nullptr where it is not known; outlives the parser.
  const Metadata* tools = nullptr;
};

struct AnswerEvent {
  enum class Kind : unsigned char {
    kReasoning,      // text: the next piece
    kContent,        // text: the next piece
    kCallBegin,      // text: the tool's name; id: the model's own, often empty
    kCallArguments,  // text: the next piece of the arguments, JSON as the model wrote it
    kCallEnd,        // complete: the arguments are a closed value
    kProblem,        // text: why something was not taken as a call
  };
  Kind kind = Kind::kContent;
  int call = -1;  // of the three call kinds: counted from 0 in the order of the answer
  std::string text = {}, id = {};
  bool complete = false;
};

// Whether calls are left out, not taken as text, where the request gave no tools.
bool LeavesCallsOut(AnswerSyntax syntax);

class AnswerParser {
 public:
  explicit AnswerParser(AnswerSyntax syntax, const AnswerOptions& options = {});
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) noexcept;
  ~AnswerParser();

  // The next bytes of the answer; neighbouring pieces of one kind come joined.
  std::vector<AnswerEvent> Feed(std::string_view bytes);
  // The answer is over: what was held back becomes text or is dropped; an open call is ended.
  // Nothing may be fed afterwards.
  std::vector<AnswerEvent> Finish();

  // Whether what comes next is reasoning, as far as is known.
  bool in_reasoning() const;
  // Whether, were it over now, the answer would hold content that is not white space, or a call; or
  // whether nothing that may still come could (a call that is left out, and its syntax takes no
  // text behind calls).
  bool has_answer() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The events joined together.
struct ParsedAnswer {
  struct Call {
    std::string name = {}, id = {}, arguments = {};
    bool complete = false;
    bool operator==(const Call&) const = default;
  };
  std::string reasoning, content;
  std::vector<Call> tool_calls;
  std::vector<std::string> problems;

  void Add(const std::vector<AnswerEvent>& events);
  bool operator==(const ParsedAnswer&) const = default;
};

// A whole answer at once.
ParsedAnswer ParseAnswer(AnswerSyntax syntax, const AnswerOptions& options, std::string_view text);

// "r1", "v3", "v31", "v32", "v4", "v41", "kimi_k2", "hermes", "llama3", "plain": the names that
// vectors and options use.
std::optional<AnswerSyntax> AnswerSyntaxNamed(std::string_view name);
// All of them, for messages: "plain, r1, ...".
std::string AnswerSyntaxNames();

}  // namespace hadal
