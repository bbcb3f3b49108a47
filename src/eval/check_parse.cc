#include "eval/check_parse.h"

#include "base/json.h"
#include "eval/vectors.h"
#include "text/answer_parser.h"

namespace hadal {
namespace {

AnswerOptions RowOptions(const Metadata& row) {
  AnswerOptions options;
  options.thinking = RowFlag(row, "thinking");
  options.extract_reasoning = RowString(row, "reasoning_extraction") != "off";
  options.tools = row.FindNonNull("tools");
  const bool lists_tools = options.tools != nullptr && !options.tools->items().empty();
  // Tests of other projects drive a parser of calls without naming tools; the rows made for the set
  // stand for requests, and one without tools gets no calls.
  if (!lists_tools && RowString(row, "origin") == "own") options.tool_calls = ToolCalls::kText;
  if (RowString(row, "tool_choice") == "none") options.tool_calls = ToolCalls::kDrop;
  return options;
}

ParsedAnswer Parse(AnswerSyntax syntax, const Metadata& row, std::size_t piece_bytes) {
  const std::string_view text = RowString(row, "text");
  AnswerParser parser(syntax, RowOptions(row));
  ParsedAnswer answer;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes)
    answer.Add(parser.Feed(text.substr(at, piece_bytes)));
  if (!RowFlag(row, "partial")) answer.Add(parser.Finish());
  return answer;
}

bool CallMatches(const ParsedAnswer::Call& call, const Metadata& expected) {
  if (call.name != RowString(expected, "name")) return false;
  const Metadata* arguments = expected.Find("arguments");
  if (arguments == nullptr) return call.arguments == RowString(expected, "arguments_text");
  const Result<MetadataDocument> found = ParseJson(call.arguments, call.name);
  return found.ok() && JsonEqual(found->root(), *arguments);
}

bool Matches(const ParsedAnswer& answer, const Metadata& expected) {
  if (answer.reasoning != RowString(expected, "reasoning")) return false;
  if (answer.content != RowString(expected, "content")) return false;
  const Metadata* calls = expected.FindNonNull("tool_calls");
  const std::size_t count = calls == nullptr ? 0 : calls->items().size();
  if (answer.tool_calls.size() != count) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (!CallMatches(answer.tool_calls[i], calls->items()[i])) return false;
  return true;
}

// The answer in the form of the rows.
std::string Describe(const ParsedAnswer& answer) {
  std::string out = R"({"reasoning":)";
  AppendJsonString(&out, answer.reasoning);
  out += R"(,"content":)";
  AppendJsonString(&out, answer.content);
  out += R"(,"tool_calls":[)";
  for (const ParsedAnswer::Call& call : answer.tool_calls) {
    if (out.back() == '}') out += ',';
    out += R"({"name":)";
    AppendJsonString(&out, call.name);
    const bool is_json = ParseJson(call.arguments, call.name).ok();
    out += is_json ? R"(,"arguments":)" : R"(,"arguments_text":)";
    if (is_json)
      out += call.arguments;
    else
      AppendJsonString(&out, call.arguments);
    out += '}';
  }
  return out + "]}";
}

void CheckRow(AnswerSyntax syntax, const Metadata& row, CheckReport* report) {
  const ParsedAnswer whole = Parse(syntax, row, std::string_view::npos);
  const ParsedAnswer bytewise = Parse(syntax, row, 1);
  const Metadata* expected = row.FindNonNull("expected");
  CheckFailure failure{std::string(RowString(row, "name")), Describe(whole), ""};
  bool pass = whole == bytewise;
  if (!pass) {
    failure.expected = "the same byte by byte, which gave " + Describe(bytewise);
  } else if (expected != nullptr) {
    pass = Matches(whole, *expected);
    failure.expected = WriteJson(*expected);
  }
  report->Add(row.FindNonNull("disputed") != nullptr, pass, std::move(failure));
}

}  // namespace

Result<CheckReport> CheckParse(const std::string& path, const std::optional<std::string>& format) {
  std::string name = format.value_or("");
  if (!format) {
    HADAL_ASSIGN_OR_RETURN(name, VectorFormat(path, "parse_"));
  }
  const std::optional<AnswerSyntax> syntax = AnswerSyntaxNamed(name);
  if (!syntax)
    return UsageError(path, "the format \"" + name + "\"", AnswerSyntaxNames(),
                      "say which one with --format NAME");
  HADAL_ASSIGN_OR_RETURN(const std::vector<MetadataDocument> rows, ReadVectors(path));
  CheckReport report;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Metadata& row = rows[i].root();
    const Metadata* text = row.FindNonNull("text");
    if (text == nullptr || !text->is_string())
      return Unusable(path, "vector " + std::to_string(i + 1) + " without a text",
                      "the keys of a parse vector", "see golden/text/README.md section 5");
    CheckRow(*syntax, row, &report);
  }
  return report;
}

}  // namespace hadal
