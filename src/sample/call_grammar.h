// Tool calls as pieces of a grammar, in the marks of each generation (the encoders of `text` write
// the same, src/text/encode_*.cc; its parsers read it back). Only the form that the model was
// trained on is let through, though the parsers understand more.
//
// An object belongs to one builder.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/status.h"
#include "sample/schema_grammar.h"
#include "text/answer_syntax.h"

namespace hadal {

struct CallableTool {
  std::string name;
  // The schema of its arguments, and where it stands in the request ("tools/0/parameters#"). A null
  // value: any object.
  MetadataDocument parameters;
  std::string where;
};

// What begins a call, or the block of calls, of a syntax; empty where calls have no mark (Llama) or
// there are none.
std::string CallOpener(AnswerSyntax syntax);
bool HasCalls(AnswerSyntax syntax);

// All texts of a syntax that may be tokens of their own.
std::span<const std::string_view> CallMarks();

// What stands around the names and arguments of calls.
struct CallEnvelope {
  std::string open_block, open_call, after_name, close_call, between, close_block;
};

class CallGrammar {
 public:
  using Node = GrammarNodeId;
  // `tools` outlive the object.
  CallGrammar(AnswerSyntax syntax, const std::vector<CallableTool>& tools, bool parallel,
              JsonGrammar* json);

  // One call or, where `parallel`, several: from the opener on, or right behind it.
  Result<Node> Calls(bool behind_opener, Node next);

 private:
  Result<Node> Call(const CallableTool& tool, Node next);
  Result<Node> Arguments(const CallableTool& tool, Node next);
  Result<Node> Parameters(const CallableTool& tool, Node next);
  Node Parameter(const GrammarBuilder::Body& name, bool text, Node value);
  Node CloseParameter(Node next);
  Node OtherParameter(Node next);

  const AnswerSyntax syntax_;
  const CallEnvelope envelope_;
  const std::vector<CallableTool>& tools_;
  const bool parallel_;
  JsonGrammar* json_;
};

}  // namespace hadal
