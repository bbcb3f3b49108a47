#include "serve/log_probability_json.h"

namespace hadal {
namespace {

void WriteToken(std::string_view bytes, float log_probability, JsonWriter* json) {
  json->Key("token").Text(bytes).Key("logprob").Number(log_probability).Key("bytes").BeginArray();
  for (const char byte : bytes) json->Integer(static_cast<unsigned char>(byte));
  json->EndArray();
}

}  // namespace

void WriteChosenToken(const ModelAbility& ability, const ChosenToken& token, JsonWriter* json) {
  json->BeginObject();
  WriteToken(TokenBytes(ability, token.token), token.log_probability, json);
  json->Key("top_logprobs").BeginArray();
  for (const TokenLogProbability& other : token.top) {
    json->BeginObject();
    WriteToken(TokenBytes(ability, other.token), other.log_probability, json);
    json->EndObject();
  }
  json->EndArray().EndObject();
}

void WriteChosenTokens(const ModelAbility& ability, const std::vector<ChosenToken>& tokens,
                       JsonWriter* json) {
  json->BeginArray();
  for (const ChosenToken& token : tokens) WriteChosenToken(ability, token, json);
  json->EndArray();
}

}  // namespace hadal
