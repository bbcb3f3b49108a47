#include "sample/call_grammar.h"

#include "text/deepseek_marks.h"
#include "text/dsml_tags.h"

namespace hadal {
namespace {

constexpr std::string_view kMarks[] = {deepseek::kThink,
                                       deepseek::kThinkEnd,
                                       "<tool_call>",
                                       "</tool_call>",
                                       deepseek::kCallsBegin,
                                       deepseek::kCallsEnd,
                                       deepseek::kCallBegin,
                                       deepseek::kCallEnd,
                                       deepseek::kSeparator,
                                       "<|tool_calls_section_begin|>",
                                       "<|tool_calls_section_end|>",
                                       "<|tool_call_begin|>",
                                       "<|tool_call_argument_begin|>",
                                       "<|tool_call_end|>",
                                       "<|python_tag|>",
                                       dsml::kToken};

// Null where the syntax is not DSML.
const dsml::Tags* TagsOf(AnswerSyntax syntax) {
  switch (syntax) {
    case AnswerSyntax::kDsmlV32:
      return &dsml::kTagsV32;
    case AnswerSyntax::kDsmlV4:
      return &dsml::kTagsV4;
    case AnswerSyntax::kDsmlV41:
      return &dsml::kTagsV41;
    default:
      return nullptr;
  }
}

std::string Opening(std::string_view tag) {
  return "<" + std::string(dsml::kToken) + std::string(tag);
}
std::string Closing(std::string_view tag) {
  return "</" + std::string(dsml::kToken) + std::string(tag) + ">";
}

CallEnvelope DeepSeekEnvelope(bool v31) {
  const std::string separator(deepseek::kSeparator);
  CallEnvelope envelope;
  envelope.open_block = deepseek::kCallsBegin;
  envelope.open_call = deepseek::kCallBegin;
  if (!v31) envelope.open_call += "function" + separator;
  envelope.after_name = v31 ? separator : "\n```json\n";
  envelope.close_call = (v31 ? "" : "\n```") + std::string(deepseek::kCallEnd);
  envelope.between = v31 ? "" : "\n";
  envelope.close_block = deepseek::kCallsEnd;
  return envelope;
}

CallEnvelope DsmlEnvelope(const dsml::Tags& tags) {
  return {.open_block = Opening(tags.calls) + ">",
          .open_call = "\n" + Opening(tags.call) + " name=\"",
          .after_name = "\">\n",
          .close_call = Closing(tags.call),
          .between = "",
          .close_block = "\n" + Closing(tags.calls)};
}

CallEnvelope EnvelopeOf(AnswerSyntax syntax) {
  switch (syntax) {
    case AnswerSyntax::kDeepSeekV3:
    case AnswerSyntax::kDeepSeekV31:
      return DeepSeekEnvelope(syntax == AnswerSyntax::kDeepSeekV31);
    case AnswerSyntax::kDsmlV32:
    case AnswerSyntax::kDsmlV4:
    case AnswerSyntax::kDsmlV41:
      return DsmlEnvelope(*TagsOf(syntax));
    case AnswerSyntax::kKimiK2:
      return {.open_block = "<|tool_calls_section_begin|>",
              .open_call = "<|tool_call_begin|>functions.",
              .after_name = "<|tool_call_argument_begin|>",
              .close_call = "<|tool_call_end|>",
              .between = "",
              .close_block = "<|tool_calls_section_end|>"};
    case AnswerSyntax::kHermes:
      return {.open_block = "<tool_call>",
              .open_call = "\n{\"name\": \"",
              .after_name = "\", \"arguments\": ",
              .close_call = "}\n</tool_call>",
              .between = "\n<tool_call>",
              .close_block = ""};
    case AnswerSyntax::kLlama3:
      return {.open_block = "",
              .open_call = "{\"name\": \"",
              .after_name = "\", \"parameters\": ",
              .close_call = "}",
              .between = "; ",
              .close_block = ""};
    case AnswerSyntax::kPlain:
    case AnswerSyntax::kThink:
      break;
  }
  return {};
}

}  // namespace

std::span<const std::string_view> CallMarks() { return kMarks; }

bool HasCalls(AnswerSyntax syntax) {
  return syntax != AnswerSyntax::kPlain && syntax != AnswerSyntax::kThink;
}

std::string CallOpener(AnswerSyntax syntax) { return EnvelopeOf(syntax).open_block; }

CallGrammar::CallGrammar(AnswerSyntax syntax, const std::vector<CallableTool>& tools, bool parallel,
                         JsonGrammar* json)
    : syntax_(syntax),
      envelope_(EnvelopeOf(syntax)),
      tools_(tools),
      parallel_(parallel),
      json_(json) {}

Result<CallGrammar::Node> CallGrammar::Calls(bool behind_opener, Node next) {
  GrammarBuilder& builder = *json_->builder();
  const Node end = builder.Marked(envelope_.close_block, next);
  // Every call may be the last, or be followed by another.
  const Node after = parallel_ ? builder.Reserve() : end;
  std::vector<Node> calls;
  for (const CallableTool& tool : tools_) {
    HADAL_ASSIGN_OR_RETURN(const Node call, Call(tool, after));
    calls.push_back(call);
  }
  const Node any = builder.Fork(std::move(calls));
  if (parallel_) builder.SetFork(after, {builder.Marked(envelope_.between, any), end});
  return behind_opener ? any : builder.Marked(envelope_.open_block, any);
}

Result<CallGrammar::Node> CallGrammar::Call(const CallableTool& tool, Node next) {
  GrammarBuilder& builder = *json_->builder();
  const Node close = builder.Marked(envelope_.close_call, next);
  HADAL_ASSIGN_OR_RETURN(const Node arguments, TagsOf(syntax_) != nullptr ? Parameters(tool, close)
                                                                          : Arguments(tool, close));
  Node begin = builder.Marked(envelope_.after_name, arguments);
  if (syntax_ == AnswerSyntax::kKimiK2) {  // functions.NAME:INDEX
    begin = builder.Repeat({1, 3}, begin,
                           [&builder](Node again) { return builder.Byte('0', '9', again); });
    begin = builder.Byte(':', begin);
  }
  const bool json = syntax_ == AnswerSyntax::kHermes || syntax_ == AnswerSyntax::kLlama3;
  begin = builder.Literal(json ? JsonSpelling(tool.name) : tool.name, begin);
  return builder.Marked(envelope_.open_call, begin);
}

Result<CallGrammar::Node> CallGrammar::Arguments(const CallableTool& tool, Node next) {
  if (tool.parameters.root().is_null()) return json_->AnyObject(next);
  SchemaGrammar schema(tool.parameters.root(), tool.where, json_);
  HADAL_RETURN_IF_ERROR(schema.ShapeOf(schema.Root()).status());
  HADAL_ASSIGN_OR_RETURN(const Node begin, schema.Value(schema.Root(), next));
  HADAL_RETURN_IF_ERROR(schema.Finish());
  return begin;
}

// <DSML parameter name="NAME" string="true">, then the value and the closing tag. `name` is given
// the node behind it.
CallGrammar::Node CallGrammar::Parameter(const GrammarBuilder::Body& name, bool text, Node value) {
  GrammarBuilder& builder = *json_->builder();
  const Node flag = builder.Literal(text ? "\" string=\"true\">" : "\" string=\"false\">", value);
  return builder.Marked(Opening(TagsOf(syntax_)->parameter) + " name=\"", name(flag));
}

CallGrammar::Node CallGrammar::CloseParameter(Node next) {
  return json_->builder()->Marked(Closing(TagsOf(syntax_)->parameter) + "\n", next);
}

// Of a tool that does not describe its parameters: any name, any value.
CallGrammar::Node CallGrammar::OtherParameter(Node next) {
  GrammarBuilder& builder = *json_->builder();
  const CodeSet codes({{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}, {'-', '-'}});
  const auto name = [&](Node behind) {
    return builder.Repeat({1, 64}, behind,
                          [&](Node again) { return OneCharacter(codes, again, &builder); });
  };
  return Parameter(name, /*text=*/false, json_->Value(CloseParameter(next)));
}

Result<CallGrammar::Node> CallGrammar::Parameters(const CallableTool& tool, Node next) {
  GrammarBuilder& builder = *json_->builder();
  SchemaGrammar schema(tool.parameters.root(), tool.where, json_);
  SchemaGrammar::Shape shape;
  shape.open = true;
  if (!tool.parameters.root().is_null()) {
    HADAL_ASSIGN_OR_RETURN(shape, schema.ShapeOf(schema.Root()));
  }
  if (shape.open && (shape.other.schema == nullptr || shape.other.schema->boolean() == true) &&
      shape.properties.empty())
    next = builder.Repeat({}, next, [this](Node again) { return OtherParameter(again); });
  for (std::size_t i = shape.properties.size(); i-- > 0;) {
    const SchemaGrammar::Property& property = shape.properties[i];
    if (property.name.find_first_of("\"<>\n") != std::string_view::npos)
      return UsageError(property.value.path, "a name with quotes, angles or line breaks",
                        "a name that fits into a tag", "rename the parameter");
    const Node close = CloseParameter(next);
    HADAL_ASSIGN_OR_RETURN(const SchemaGrammar::Place place, schema.Followed(property.value));
    const bool text = schema.IsText(place);
    HADAL_ASSIGN_OR_RETURN(const Node value, text ? schema.Text(place, Spelling::kPlain, close)
                                                  : schema.Value(place, close));
    const Node member =
        Parameter([&](Node behind) { return builder.Literal(property.name, behind); }, text, value);
    next = property.required ? member : builder.Fork({member, next});
  }
  HADAL_RETURN_IF_ERROR(schema.Finish());
  return next;
}

}  // namespace hadal
