// JsonObject: one JSON object on one line, members in the order in which they are added.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hadal {

class JsonObject {
 public:
  JsonObject& Add(std::string_view key, std::string_view text);
  JsonObject& Add(std::string_view key, const char* text) {
    return Add(key, std::string_view(text));
  }
  JsonObject& Add(std::string_view key, const std::string& text) {
    return Add(key, std::string_view(text));
  }
  JsonObject& Add(std::string_view key, bool value);
  JsonObject& Add(std::string_view key, int value) {
    return Add(key, static_cast<std::int64_t>(value));
  }
  JsonObject& Add(std::string_view key, std::int64_t value);
  JsonObject& Add(std::string_view key, std::uint64_t value);
  JsonObject& Add(std::string_view key, double value);  // null where it is no finite number
  JsonObject& Add(std::string_view key, const std::vector<std::int32_t>& values);
  JsonObject& Add(std::string_view key, const std::vector<std::string>& values);
  JsonObject& AddNull(std::string_view key) { return AddJson(key, "null"); }
  // A value that is JSON already.
  JsonObject& AddJson(std::string_view key, std::string_view json);

  std::string Text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// "[a,b]" of values that are JSON already.
std::string JsonArray(const std::vector<std::string>& values);

}  // namespace hadal
