#include "text/dsml_arguments.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "text/call_reader.h"
#include "text/json_value_scanner.h"

namespace hadal::dsml {
namespace {

// A deeper value is taken as a text; whoever reads the arguments has limits too.
constexpr int kMostDepth = 128;

// The schema of a tool's parameters, {"name": schema}; nullptr where it is not known.
const Metadata* PropertiesOf(const Metadata* tools, std::string_view tool) {
  const Metadata* function = FindTool(tools, tool);
  const Metadata* parameters = function == nullptr ? nullptr : function->FindNonNull("parameters");
  return parameters == nullptr ? nullptr : parameters->FindNonNull("properties");
}

// "string", "integer", ...; empty where the schema does not say, or allows several.
std::string_view TypeOf(const Metadata* properties, std::string_view key) {
  const Metadata* schema = properties == nullptr ? nullptr : properties->FindNonNull(key);
  const Metadata* type = schema == nullptr ? nullptr : schema->FindNonNull("type");
  return type == nullptr ? std::string_view() : type->string().value_or(std::string_view());
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(&out, text);
  return out;
}

std::string ValueJson(const Parameter& parameter, std::string_view type) {
  const bool is_text = parameter.is_string.value_or(type.empty() || type == "string");
  if (parameter.is_string != false && is_text) return Quoted(parameter.value);
  const auto parsed = ParseJson(parameter.value, parameter.key, {.max_depth = kMostDepth});
  if (!parsed.ok() || (type == "string" && !parsed->root().is_string()))
    return Quoted(parameter.value);
  return std::string(TrimSpace(parameter.value));
}

// The whole object where it stands in one parameter.
std::optional<std::string> Unwrapped(const std::vector<Parameter>& parameters,
                                     const Metadata* properties) {
  if (parameters.size() != 1 || properties == nullptr) return std::nullopt;
  const Parameter& only = parameters.front();
  if (only.key != "arguments" && only.key != "input") return std::nullopt;
  if (properties->Find(only.key) != nullptr) return std::nullopt;
  const auto parsed = ParseJson(only.value, only.key, {.max_depth = kMostDepth});
  if (!parsed.ok() || !parsed->root().is_object() || parsed->root().members().empty())
    return std::nullopt;
  const auto known = [properties](const Metadata::Member& member) {
    return properties->Find(member.key) != nullptr;
  };
  if (!std::ranges::all_of(parsed->root().members(), known)) return std::nullopt;
  return std::string(TrimSpace(only.value));
}

// Takes `key="` and the text up to the next quote from the front of *text.
std::optional<std::string> TakeAttribute(std::string_view key, std::string_view* text) {
  const std::string begin = std::string(key) + "=\"";
  if (!text->starts_with(begin)) return std::nullopt;
  text->remove_prefix(begin.size());
  const std::size_t end = text->find('"');
  if (end == std::string_view::npos) return std::nullopt;
  std::string value(text->substr(0, end));
  *text = TrimSpace(text->substr(end + 1));
  return value;
}

}  // namespace

std::optional<TagHead> ParseTagHead(std::string_view text) {
  if (text.empty() || !IsJsonSpace(text.front())) return std::nullopt;
  text = TrimSpace(text);
  TagHead head;
  const auto name = TakeAttribute("name", &text);
  if (!name || name->empty()) return std::nullopt;
  head.name = *name;
  if (text.empty()) return head;
  const auto flag = TakeAttribute("string", &text);
  if (!flag || (flag != "true" && flag != "false") || !text.empty()) return std::nullopt;
  head.is_string = flag == "true";
  return head;
}

std::string ArgumentsJson(const std::vector<Parameter>& parameters, std::string_view tool,
                          const Metadata* tools) {
  const Metadata* properties = PropertiesOf(tools, tool);
  if (const auto whole = Unwrapped(parameters, properties)) return *whole;
  std::map<std::string_view, const Parameter*> last;
  for (const Parameter& parameter : parameters) last[parameter.key] = &parameter;
  std::string out = "{";
  for (const Parameter& parameter : parameters) {
    if (last[parameter.key] != &parameter) continue;
    if (out.size() > 1) out += ", ";
    AppendJsonString(&out, parameter.key);
    out += ": " + ValueJson(parameter, TypeOf(properties, parameter.key));
  }
  return out + "}";
}

}  // namespace hadal::dsml
