#include "base/json.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace hadal {
namespace {

// Builds a Metadata tree from nlohmann's events; no intermediate tree is made.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TreeBuilder(const JsonLimits& limits)
      : limits_(limits), arena_(std::make_shared<StringArena>()) {}

  bool null() override { return Put(Metadata()); }
  bool boolean(bool value) override { return Put(Metadata(value)); }
  bool number_integer(number_integer_t value) override {
    return Put(Metadata(static_cast<std::int64_t>(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Put(Metadata(static_cast<std::uint64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return Put(Metadata(value)); }
  bool string(string_t& value) override { return Put(Metadata(arena_->Add(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(true); }
  bool key(string_t& value) override {
    stack_.back().key = arena_->Add(value);
    if (!limits_.unique_keys || stack_.back().keys.insert(stack_.back().key).second) return true;
    error_ = "the key \"" + value.substr(0, 64) + "\" twice in one object";
    return false;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(false); }
  bool end_array() override { return Close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    error_ = "at byte " + std::to_string(position) + ": " + error.what();
    return false;
  }

  const std::string& error() const { return error_; }
  MetadataDocument Finish() { return MetadataDocument(std::move(root_), arena_); }

 private:
  struct Frame {
    bool object = false;
    std::string_view key;
    Metadata::Array items;
    Metadata::Object members;
    std::unordered_set<std::string_view> keys;  // where they must be unique
  };

  bool Open(bool object) {
    if (static_cast<int>(stack_.size()) >= limits_.max_depth) {
      error_ = "nesting deeper than " + std::to_string(limits_.max_depth);
      return false;
    }
    stack_.push_back({object, {}, {}, {}, {}});
    return true;
  }
  bool Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    return Put(frame.object ? Metadata(std::move(frame.members))
                            : Metadata(std::move(frame.items)));
  }
  bool Put(Metadata value) {
    if (++nodes_ > limits_.max_nodes) {
      error_ = "more than " + std::to_string(limits_.max_nodes) + " values";
      return false;
    }
    if (stack_.empty())
      root_ = std::move(value);
    else if (stack_.back().object)
      stack_.back().members.push_back({stack_.back().key, std::move(value)});
    else
      stack_.back().items.push_back(std::move(value));
    return true;
  }

  const JsonLimits limits_;
  std::int64_t nodes_ = 0;
  std::shared_ptr<StringArena> arena_;
  std::vector<Frame> stack_;
  Metadata root_;
  std::string error_;
};

void AppendReal(std::string* out, double value) {
  if (std::isnan(value)) return void(*out += "NaN");
  if (std::isinf(value)) return void(*out += value > 0 ? "Infinity" : "-Infinity");
  // Python's repr: fixed between 1e-4 and 1e16, otherwise an exponent of at least two digits.
  char buffer[64];
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, format).ptr;
  std::string text(buffer, end);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  *out += text;
}

void Append(std::string* out, const Metadata& value, const JsonStyle& style, int depth);

void NewLine(std::string* out, const JsonStyle& style, int depth) {
  if (style.indent <= 0) return;
  *out += '\n';
  out->append(static_cast<std::size_t>(style.indent) * static_cast<std::size_t>(depth), ' ');
}

void AppendArray(std::string* out, const Metadata& value, const JsonStyle& style, int depth) {
  if (value.items().empty()) return void(*out += "[]");
  *out += '[';
  bool first = true;
  for (const Metadata& item : value.items()) {
    if (!std::exchange(first, false)) *out += style.item_separator;
    NewLine(out, style, depth + 1);
    Append(out, item, style, depth + 1);
  }
  NewLine(out, style, depth);
  *out += ']';
}

void AppendObject(std::string* out, const Metadata& value, const JsonStyle& style, int depth) {
  if (value.members().empty()) return void(*out += "{}");
  *out += '{';
  bool first = true;
  for (const Metadata::Member& member : value.members()) {
    if (!std::exchange(first, false)) *out += style.item_separator;
    NewLine(out, style, depth + 1);
    AppendJsonString(out, member.key, style.escape_non_ascii);
    *out += style.key_separator;
    Append(out, member.value, style, depth + 1);
  }
  NewLine(out, style, depth);
  *out += '}';
}

void Append(std::string* out, const Metadata& value, const JsonStyle& style, int depth) {
  if (value.is_null()) {
    *out += "null";
  } else if (const auto boolean = value.boolean()) {
    *out += *boolean ? "true" : "false";
  } else if (value.is_integer()) {
    if (const auto number = value.integer())
      *out += std::to_string(*number);
    else
      *out += std::to_string(*value.unsigned_integer());
  } else if (value.is_real()) {
    AppendReal(out, *value.real());
  } else if (const auto text = value.string()) {
    AppendJsonString(out, *text, style.escape_non_ascii);
  } else if (value.is_array()) {
    AppendArray(out, value, style, depth);
  } else {
    AppendObject(out, value, style, depth);
  }
}

void AppendUnicodeEscape(std::string* out, unsigned unit) {
  constexpr char kHex[] = "0123456789abcdef";
  *out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) *out += kHex[(unit >> shift) & 15];
}

// Decodes the UTF-8 sequence at text[*at] (known to be valid) and steps over it.
unsigned NextCodePoint(std::string_view text, std::size_t* at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(*at);
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  unsigned value = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length && *at + i < text.size(); ++i)
    value = (value << 6) | (byte(*at + i) & 0x3Fu);
  *at += length;
  return value;
}

}  // namespace

Result<MetadataDocument> ParseJson(std::string_view text, const std::string& where,
                                   const JsonLimits& limits) {
  TreeBuilder builder(limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
    return Unusable(where, "JSON that cannot be read (" + builder.error() + ")", "valid JSON",
                    "is the file complete?");
  return builder.Finish();
}

std::string WriteJson(const Metadata& value, const JsonStyle& style) {
  std::string out;
  Append(&out, value, style, 0);
  return out;
}

void AppendJsonString(std::string* out, std::string_view text, bool escape_non_ascii) {
  *out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80 && escape_non_ascii) {
      const unsigned point = NextCodePoint(text, &i);
      if (point >= 0x10000) {
        AppendUnicodeEscape(out, 0xD800 + ((point - 0x10000) >> 10));
        AppendUnicodeEscape(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
      } else {
        AppendUnicodeEscape(out, point);
      }
      continue;
    }
    ++i;
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\b':
        *out += "\\b";
        break;
      case '\f':
        *out += "\\f";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        if (c < 0x20)
          AppendUnicodeEscape(out, c);
        else
          *out += static_cast<char>(c);
    }
  }
  *out += '"';
}

}  // namespace hadal
