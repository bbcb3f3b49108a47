#include "sample/grammar_test_data.h"

#include <cmath>
#include <regex>

#include "base/json.h"
#include "text/byte_level.h"

namespace hadal {
namespace {

constexpr std::string_view kPieces[] = {"{\"",
                                        "\":",
                                        "\": ",
                                        "\", \"",
                                        "\",\"",
                                        "\"}",
                                        "\"]",
                                        "}}",
                                        "]}",
                                        "},",
                                        "[{",
                                        "{}",
                                        "[]",
                                        "\":{\"",
                                        "\":[",
                                        "true",
                                        "false",
                                        "null",
                                        "tru",
                                        "12",
                                        "345",
                                        "0.5",
                                        "-1",
                                        "e+",
                                        "E-",
                                        "\n",
                                        "\n  ",
                                        "\n    ",
                                        "  ",
                                        " the",
                                        "name",
                                        "value",
                                        "a\"",
                                        "\"a",
                                        "\\n",
                                        "\\u00",
                                        "\\\"",
                                        "\\\\",
                                        "abc",
                                        "hello world",
                                        "\xC3",
                                        "\xC3\xA9",
                                        "\xE2\x82",
                                        "\x82\xAC",
                                        "\xF0\x9F",
                                        "\x98\x80",
                                        "\xF0\x9F\x98\x80\"",
                                        "\xE2\x82\xAC, ",
                                        "red",
                                        "green",
                                        "2024-",
                                        "-01",
                                        ", ",
                                        ": ",
                                        "}\n</",
                                        "<tool_call>x",
                                        "/",
                                        "\"name\"",
                                        "{\"name\": \"",
                                        "12}",
                                        "],[",
                                        "\"\"",
                                        "nul",
                                        "l,"};
constexpr std::string_view kMarkPieces[] = {"<tool_call>", "</tool_call>", "\uFF5CDSML\uFF5C"};

std::string Written(std::string_view bytes) {
  std::string written;
  for (const char c : bytes) {
    const char32_t code = ByteLevelCharacter(static_cast<std::uint8_t>(c));
    if (code < 0x80) {
      written += static_cast<char>(code);
    } else {
      written += static_cast<char>(0xC0 | code >> 6);
      written += static_cast<char>(0x80 | (code & 63));
    }
  }
  return written;
}

// How much a byte helps to come to an end.
int Rank(char c) {
  constexpr std::string_view kOrder = "\"x}]n0123456789,:";
  const std::size_t at = kOrder.find(c);
  return at == std::string_view::npos ? 100 : static_cast<int>(at);
}

}  // namespace

std::shared_ptr<const Tokenizer> GrammarTokenizer() {
  std::string vocab, added;
  int id = 0;
  const auto put = [&](std::string_view written) {
    vocab += vocab.empty() ? "" : ",";
    AppendJsonString(&vocab, written);
    vocab += ":" + std::to_string(id++);
  };
  const auto add = [&](std::string_view content, bool special) {
    added += added.empty() ? "" : ",";
    added += "{\"id\":" + std::to_string(id) + ",\"content\":";
    AppendJsonString(&added, content);
    added += std::string(",\"special\":") + (special ? "true}" : "false}");
    put(content);
  };
  add("<|end|>", true);
  for (int byte = 0; byte < 256; ++byte) put(Written(std::string(1, static_cast<char>(byte))));
  for (const std::string_view piece : kPieces)
    if (piece.size() > 1) put(Written(piece));
  for (const std::string_view mark : kMarkPieces) add(mark, false);
  const auto document = ParseJson(
      "{\"added_tokens\":[" + added +
          "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":"
          "false},\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{" +
          vocab + "},\"merges\":[]}}",
      "test");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  const auto tokenizer = Tokenizer::FromJson(document->root(), nullptr, nullptr, "test");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  return *tokenizer;
}

std::shared_ptr<const TokenTrie> GrammarTrie() {
  const auto tokenizer = GrammarTokenizer();
  return std::make_shared<const TokenTrie>(*tokenizer, tokenizer->vocabulary() + 7, CallMarks());
}

Result<std::shared_ptr<const Grammar>> CompileJson(const std::string& schema) {
  AnswerGrammar answer;
  answer.json = true;
  answer.schema = schema;
  return Compile(answer, {});
}

bool Takes(const std::shared_ptr<const Grammar>& grammar, std::string_view text) {
  GrammarWalk walk(grammar);
  const GrammarWalk::State end = walk.Follow(walk.start(), text);
  return end != GrammarWalk::kDead && walk.CanEnd(end);
}

bool SchemaTakes(const std::string& schema, std::string_view text) {
  const auto grammar = CompileJson(schema);
  EXPECT_TRUE(grammar.ok()) << grammar.status().ToString();
  return grammar.ok() && Takes(*grammar, text);
}

std::string RandomText(const std::shared_ptr<const Grammar>& grammar,
                       const std::shared_ptr<const TokenTrie>& trie, Random* random, int soon) {
  GrammarMatcher matcher(grammar, trie);
  std::string text;
  for (int step = 0; !matcher.MustEnd(); ++step) {
    if (matcher.CanEnd() && (step > soon || random->Below(4) == 0)) break;
    const auto mask = matcher.Mask();
    if (!mask.ok()) return "failed: " + mask.status().ToString();
    std::vector<std::int32_t> allowed;
    for (std::int32_t id = 0; id < trie->vocabulary(); ++id)
      if (IsAllowed(id, *mask)) allowed.push_back(id);
    if (allowed.empty() || step > soon + 3000) return "failed: no end after " + text;
    std::int32_t token = allowed[random->Below(allowed.size())];
    if (step > soon)
      for (const std::int32_t other : allowed)
        if (trie->BytesOf(other).size() == 1 &&
            (trie->BytesOf(token).size() > 1 ||
             Rank(trie->BytesOf(other)[0]) < Rank(trie->BytesOf(token)[0])))
          token = other;
    if (!matcher.Accept(token)) return "failed: a token of the mask was refused after " + text;
    text += trie->BytesOf(token);
  }
  return text;
}

namespace {

using nlohmann::json;

bool IsType(const std::string& type, const json& value) {
  if (type == "integer")
    return value.is_number_integer() ||
           (value.is_number_float() && std::floor(value.get<double>()) == value.get<double>());
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  return type == "array" ? value.is_array() : value.is_object();
}

std::size_t Characters(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string InvalidNumber(const json& schema, const json& value) {
  const auto number = value.get<double>();
  if (schema.contains("minimum") && number < schema["minimum"].get<double>()) return "minimum";
  if (schema.contains("maximum") && number > schema["maximum"].get<double>()) return "maximum";
  if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>())
    return "exclusiveMinimum";
  if (schema.contains("exclusiveMaximum") && number >= schema["exclusiveMaximum"].get<double>())
    return "exclusiveMaximum";
  if (schema.contains("multipleOf")) {
    const double times = number / schema["multipleOf"].get<double>();
    if (std::fabs(times - std::round(times)) > 1e-6 * std::max(1.0, std::fabs(times)))
      return "multipleOf";
  }
  return "";
}

std::string InvalidString(const json& schema, const json& value) {
  const std::string text = value.get<std::string>();
  if (schema.contains("minLength") && Characters(text) < schema["minLength"]) return "minLength";
  if (schema.contains("maxLength") && Characters(text) > schema["maxLength"]) return "maxLength";
  if (schema.contains("pattern") &&
      !std::regex_search(text, std::regex(schema["pattern"].get<std::string>())))
    return "pattern";
  return "";
}

std::string InvalidArray(const json& schema, const json& value, const json& document) {
  if (schema.contains("minItems") && value.size() < schema["minItems"]) return "minItems";
  if (schema.contains("maxItems") && value.size() > schema["maxItems"]) return "maxItems";
  const std::size_t prefix = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string wrong;
    if (i < prefix)
      wrong = Invalid(schema["prefixItems"][i], value[i], document);
    else if (schema.contains("items"))
      wrong = Invalid(schema["items"], value[i], document);
    if (!wrong.empty()) return "item " + std::to_string(i) + ": " + wrong;
  }
  return "";
}

std::string InvalidObject(const json& schema, const json& value, const json& document) {
  if (schema.contains("required"))
    for (const json& name : schema["required"])
      if (!value.contains(name.get<std::string>())) return "required " + name.dump();
  for (const auto& [key, member] : value.items()) {
    std::string wrong;
    if (schema.contains("properties") && schema["properties"].contains(key))
      wrong = Invalid(schema["properties"][key], member, document);
    else if (schema.contains("additionalProperties"))
      wrong = Invalid(schema["additionalProperties"], member, document);
    if (!wrong.empty()) return key + ": " + wrong;
  }
  return "";
}

}  // namespace

std::string Invalid(const json& schema, const json& value, const json& document) {
  if (schema.is_boolean()) return schema.get<bool>() ? "" : "false";
  if (schema.contains("$ref")) {
    const std::string pointer = schema["$ref"].get<std::string>().substr(1);
    return Invalid(document[json::json_pointer(pointer)], value, document);
  }
  if (schema.contains("const") && schema["const"] != value) return "const";
  if (schema.contains("enum") &&
      std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return "enum";
  for (const char* key : {"anyOf", "oneOf"}) {
    if (!schema.contains(key)) continue;
    int valid = 0;
    for (const json& choice : schema[key]) valid += Invalid(choice, value, document).empty();
    if (valid == 0 || (valid > 1 && std::string(key) == "oneOf")) return key;
  }
  if (schema.contains("type")) {
    bool any = false;
    if (schema["type"].is_string())
      any = IsType(schema["type"], value);
    else
      for (const json& type : schema["type"]) any |= IsType(type, value);
    if (!any) return "type";
  }
  if (value.is_number()) return InvalidNumber(schema, value);
  if (value.is_string()) return InvalidString(schema, value);
  if (value.is_array()) return InvalidArray(schema, value, document);
  if (value.is_object()) return InvalidObject(schema, value, document);
  return "";
}

}  // namespace hadal
