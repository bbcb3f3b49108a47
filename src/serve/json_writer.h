// JsonWriter: builds one JSON text front to back.
//
//   JsonWriter json;
//   json.BeginObject().Key("id").Text(id).Key("choices").BeginArray().EndArray().EndObject();
//   Send(json.Take());
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/metadata.h"

namespace hadal {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);
  JsonWriter& Text(std::string_view value);  // what is not UTF-8 becomes U+FFFD
  JsonWriter& Integer(std::int64_t value);
  JsonWriter& Number(double value);  // what is not finite becomes null
  JsonWriter& Number(float value);   // the shortest decimal that gives it
  JsonWriter& Boolean(bool value);
  JsonWriter& Null();
  JsonWriter& Raw(std::string_view json);  // a JSON value that is text already
  JsonWriter& Value(const Metadata& value);

  std::string Take();

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void BeforeValue();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace hadal
