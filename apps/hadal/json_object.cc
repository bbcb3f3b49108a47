#include "json_object.h"

#include <fmt/format.h>

#include <cmath>

#include "base/json.h"

namespace hadal {

JsonObject& JsonObject::AddJson(std::string_view key, std::string_view json) {
  if (!members_.empty()) members_ += ',';
  AppendJsonString(&members_, key);
  members_ += ':';
  members_ += json;
  return *this;
}

JsonObject& JsonObject::Add(std::string_view key, std::string_view text) {
  std::string quoted;
  AppendJsonString(&quoted, text);
  return AddJson(key, quoted);
}
JsonObject& JsonObject::Add(std::string_view key, bool value) {
  return AddJson(key, value ? "true" : "false");
}
JsonObject& JsonObject::Add(std::string_view key, std::int64_t value) {
  return AddJson(key, fmt::to_string(value));
}
JsonObject& JsonObject::Add(std::string_view key, std::uint64_t value) {
  return AddJson(key, fmt::to_string(value));
}
JsonObject& JsonObject::Add(std::string_view key, double value) {
  return AddJson(key, std::isfinite(value) ? fmt::format("{}", value) : "null");
}
JsonObject& JsonObject::Add(std::string_view key, const std::vector<std::int32_t>& values) {
  std::vector<std::string> texts;
  for (const std::int32_t value : values) texts.push_back(fmt::to_string(value));
  return AddJson(key, JsonArray(texts));
}
JsonObject& JsonObject::Add(std::string_view key, const std::vector<std::string>& values) {
  std::vector<std::string> texts;
  for (const std::string& value : values) AppendJsonString(&texts.emplace_back(), value);
  return AddJson(key, JsonArray(texts));
}

std::string JsonArray(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) {
    if (text.size() > 1) text += ',';
    text += value;
  }
  return text + "]";
}

}  // namespace hadal
