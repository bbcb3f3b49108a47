#include "serve/http_message.h"

#include <algorithm>

#include "base/utf8.h"

namespace hadal {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

void HttpHeaders::Set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const Field& field) { return EqualsIgnoringCase(field.first, name); });
  Add(std::string(name), std::move(value));
}

std::string_view HttpHeaders::Find(std::string_view name) const {
  for (const auto& [field, value] : fields_)
    if (EqualsIgnoringCase(field, name)) return value;
  return {};
}

bool HttpHeaders::Has(std::string_view name) const { return Count(name) > 0; }

std::size_t HttpHeaders::Count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Field& field) { return EqualsIgnoringCase(field.first, name); }));
}

std::string_view HttpRequest::Parameter(std::string_view name) const {
  for (const auto& [parameter, value] : parameters)
    if (parameter == name) return value;
  return {};
}

HttpResponse HttpResponse::Json(std::string body, int status) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse HttpResponse::Text(std::string body, int status) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

bool PercentDecode(std::string_view text, std::string* out) {
  out->clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return false;
    *out += c;
  }
  return IsUtf8(*out);
}

}  // namespace hadal
