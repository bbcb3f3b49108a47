#include "sample/call_grammar.h"

#include "text/dsml_tags.h"

namespace hadal {
namespace {

#define DSML "\uFF5CDSML\uFF5C"
constexpr std::string_view kMarks[] = {"<think>",
                                       "</think>",
                                       "<tool_call>",
                                       "</tool_call>",
                                       "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>",
                                       "<\uFF5Ctool\u2581calls\u2581end\uFF5C>",
                                       "<\uFF5Ctool\u2581call\u2581begin\uFF5C>",
                                       "<\uFF5Ctool\u2581call\u2581end\uFF5C>",
                                       "<\uFF5Ctool\u2581sep\uFF5C>",
                                       "<|tool_calls_section_begin|>",
                                       "<|tool_calls_section_end|>",
                                       "<|tool_call_begin|>",
                                       "<|tool_call_argument_begin|>",
                                       "<|tool_call_end|>",
                                       "<|python_tag|>",
                                       DSML};

bool IsDsml(AnswerSyntax syntax) {
  return syntax == AnswerSyntax::kDsmlV32 || syntax == AnswerSyntax::kDsmlV4 ||
         syntax == AnswerSyntax::kDsmlV41;
}

const dsml::Tags& TagsOf(AnswerSyntax syntax) {
  if (syntax == AnswerSyntax::kDsmlV32) return dsml::kTagsV32;
  return syntax == AnswerSyntax::kDsmlV4 ? dsml::kTagsV4 : dsml::kTagsV41;
}

constexpr std::string_view kCloseParameter = "</" DSML "parameter>\n";
constexpr std::string_view kCloseParameterV41 = "</" DSML " parameter>\n";

std::string_view CloseParameter(AnswerSyntax syntax) {
  return syntax == AnswerSyntax::kDsmlV41 ? kCloseParameterV41 : kCloseParameter;
}

}  // namespace

std::span<const std::string_view> CallMarks() { return kMarks; }

CallGrammar::Envelope CallGrammar::EnvelopeOf(AnswerSyntax syntax) {
  switch (syntax) {
    case AnswerSyntax::kDeepSeekV3:
      return {
          .open_block = "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>",
          .open_call = "<\uFF5Ctool\u2581call\u2581begin\uFF5C>function<\uFF5Ctool\u2581sep\uFF5C>",
          .after_name = "\n```json\n",
          .close_call = "\n```<\uFF5Ctool\u2581call\u2581end\uFF5C>",
          .between = "\n",
          .close_block = "<\uFF5Ctool\u2581calls\u2581end\uFF5C>"};
    case AnswerSyntax::kDeepSeekV31:
      return {.open_block = "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>",
              .open_call = "<\uFF5Ctool\u2581call\u2581begin\uFF5C>",
              .after_name = "<\uFF5Ctool\u2581sep\uFF5C>",
              .close_call = "<\uFF5Ctool\u2581call\u2581end\uFF5C>",
              .between = "",
              .close_block = "<\uFF5Ctool\u2581calls\u2581end\uFF5C>"};
    case AnswerSyntax::kDsmlV32:
      return {.open_block = "<" DSML "function_calls>",
              .open_call = "\n<" DSML "invoke name=\"",
              .after_name = "\">\n",
              .close_call = "</" DSML "invoke>",
              .between = "",
              .close_block = "\n</" DSML "function_calls>"};
    case AnswerSyntax::kDsmlV4:
      return {.open_block = "<" DSML "tool_calls>",
              .open_call = "\n<" DSML "invoke name=\"",
              .after_name = "\">\n",
              .close_call = "</" DSML "invoke>",
              .between = "",
              .close_block = "\n</" DSML "tool_calls>"};
    case AnswerSyntax::kDsmlV41:
      return {.open_block = "<" DSML " calls>",
              .open_call = "\n<" DSML " invoke name=\"",
              .after_name = "\">\n",
              .close_call = "</" DSML " invoke>",
              .between = "",
              .close_block = "\n</" DSML " calls>"};
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
#undef DSML

bool HasCalls(AnswerSyntax syntax) {
  return syntax != AnswerSyntax::kPlain && syntax != AnswerSyntax::kThink;
}

std::string_view CallOpener(AnswerSyntax syntax) {
  switch (syntax) {
    case AnswerSyntax::kDeepSeekV3:
    case AnswerSyntax::kDeepSeekV31:
      return kMarks[4];
    case AnswerSyntax::kDsmlV32:
      return "<\uFF5CDSML\uFF5C"
             "function_calls>";
    case AnswerSyntax::kDsmlV4:
      return "<\uFF5CDSML\uFF5Ctool_calls>";
    case AnswerSyntax::kDsmlV41:
      return "<\uFF5CDSML\uFF5C calls>";
    case AnswerSyntax::kKimiK2:
      return "<|tool_calls_section_begin|>";
    case AnswerSyntax::kHermes:
      return "<tool_call>";
    case AnswerSyntax::kLlama3:
    case AnswerSyntax::kPlain:
    case AnswerSyntax::kThink:
      break;
  }
  return {};
}

Result<CallGrammar::Node> CallGrammar::Calls(bool behind_opener, Node next) {
  const Envelope envelope = EnvelopeOf(syntax_);
  GrammarBuilder& builder = *json_->builder();
  const Node end = builder.Marked(envelope.close_block, next);
  // Every call may be the last, or be followed by another.
  const Node after = parallel_ ? builder.Reserve() : end;
  std::vector<Node> calls;
  for (const CallableTool& tool : tools_) {
    HADAL_ASSIGN_OR_RETURN(const Node call, Call(tool, envelope, after));
    calls.push_back(call);
  }
  const Node any = builder.Fork(std::move(calls));
  if (parallel_) builder.SetFork(after, {builder.Marked(envelope.between, any), end});
  return behind_opener ? any : builder.Marked(envelope.open_block, any);
}

Result<CallGrammar::Node> CallGrammar::Call(const CallableTool& tool, const Envelope& envelope,
                                            Node next) {
  GrammarBuilder& builder = *json_->builder();
  const Node close = builder.Marked(envelope.close_call, next);
  HADAL_ASSIGN_OR_RETURN(const Node arguments,
                         IsDsml(syntax_) ? Parameters(tool, close) : Arguments(tool, close));
  Node begin = builder.Marked(envelope.after_name, arguments);
  if (syntax_ == AnswerSyntax::kKimiK2) {  // functions.NAME:INDEX
    begin = builder.Repeat({1, 3}, begin,
                           [&builder](Node again) { return builder.Byte('0', '9', again); });
    begin = builder.Byte(':', begin);
  }
  const bool json = syntax_ == AnswerSyntax::kHermes || syntax_ == AnswerSyntax::kLlama3;
  begin = builder.Literal(json ? JsonSpelling(tool.name) : tool.name, begin);
  return builder.Marked(envelope.open_call, begin);
}

Result<CallGrammar::Node> CallGrammar::Arguments(const CallableTool& tool, Node next) {
  if (tool.parameters.root().is_null()) return json_->AnyObject(next);
  SchemaGrammar schema(tool.parameters.root(), tool.where, json_);
  HADAL_RETURN_IF_ERROR(schema.ShapeOf(schema.Root()).status());
  HADAL_ASSIGN_OR_RETURN(const Node begin, schema.Value(schema.Root(), next));
  HADAL_RETURN_IF_ERROR(schema.Finish());
  return begin;
}

// <DSML parameter name="NAME" string="true">, then the value and the closing tag.
CallGrammar::Node CallGrammar::Parameter(std::string_view name, bool text, Node value) {
  GrammarBuilder& builder = *json_->builder();
  const Node flag = builder.Literal(text ? "\" string=\"true\">" : "\" string=\"false\">", value);
  const Node named = builder.Literal(name, flag);
  const std::string tag = "<" + std::string(dsml::kToken) + std::string(TagsOf(syntax_).parameter);
  return builder.Marked(tag + " name=\"", named);
}

// Of a tool that does not describe its parameters: any name, any value.
CallGrammar::Node CallGrammar::OtherParameter(Node next) {
  GrammarBuilder& builder = *json_->builder();
  const Node close = builder.Marked(CloseParameter(syntax_), next);
  const CodeSet codes({{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}, {'-', '-'}});
  const Node value = json_->Value(close);
  const Node flag = builder.Literal("\" string=\"false\">", value);
  const Node name = builder.Repeat(
      {1, 64}, flag, [&](Node again) { return OneCharacter(codes, again, &builder); });
  const std::string tag = "<" + std::string(dsml::kToken) + std::string(TagsOf(syntax_).parameter);
  return builder.Marked(tag + " name=\"", name);
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
    const Node close = builder.Marked(CloseParameter(syntax_), next);
    HADAL_ASSIGN_OR_RETURN(const SchemaGrammar::Place place, schema.Followed(property.value));
    const bool text = schema.IsText(place);
    HADAL_ASSIGN_OR_RETURN(const Node value, text ? schema.Text(place, Spelling::kPlain, close)
                                                  : schema.Value(place, close));
    const Node member = Parameter(property.name, text, value);
    next = property.required ? member : builder.Fork({member, next});
  }
  HADAL_RETURN_IF_ERROR(schema.Finish());
  return next;
}

}  // namespace hadal
