#include "quant/synth_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "text/byte_level.h"
#include "text/utf8.h"

namespace hadal {
namespace {

constexpr std::size_t kBytes = 256;

// Not a template that could be run: the pieces by which readers tell the published one.
std::string TemplateOf(const PromptFormat& format) {
  std::string text = fmt::format("{{# stands for the published template of {}\n", format.models);
  for (const std::string_view piece : format.holds) text += fmt::format("{}\n", piece);
  return text + "#}\n";
}

}  // namespace

SynthVocabulary MakeSynthVocabulary(const ModelSpec& spec, const PromptFormat* format) {
  SynthVocabulary vocabulary;
  vocabulary.tokens.resize(static_cast<std::size_t>(spec.vocabulary));
  const auto name_special = [&](std::int64_t id, std::string_view name) {
    std::string& token = vocabulary.tokens[static_cast<std::size_t>(id)];
    if (!token.empty()) return;
    token = name;
    vocabulary.special.push_back(id);
  };
  if (spec.bos >= 0) name_special(spec.bos, "<|begin|>");
  if (!spec.eos.empty()) name_special(spec.eos.front(), "<|end|>");
  if (format != nullptr) {
    vocabulary.chat_template = TemplateOf(*format);
    std::int64_t id = spec.vocabulary;
    for (const std::string_view mark : format->marks) name_special(--id, mark);
  }
  std::size_t byte = 0;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    std::string& token = vocabulary.tokens[id];
    if (!token.empty()) continue;
    if (byte < kBytes)
      AppendUtf8(&token, ByteLevelCharacter(static_cast<std::uint8_t>(byte++)));
    else
      token = fmt::format("<filler_{}>", id);
  }
  return vocabulary;
}

std::string SynthTokenizerJson(const SynthVocabulary& vocabulary) {
  std::string json = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)";
  std::vector<std::int64_t> special = vocabulary.special;
  std::sort(special.begin(), special.end());
  for (std::size_t i = 0; i < special.size(); ++i) {
    if (i > 0) json += ',';
    json += "{\"id\":" + std::to_string(special[i]) + ",\"content\":";
    AppendJsonString(&json, vocabulary.tokens[static_cast<std::size_t>(special[i])]);
    json +=
        R"(,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true})";
  }
  json +=
      R"(],"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,)"
      R"("trim_offsets":true,"use_regex":false},"post_processor":null,"decoder":{"type":)"
      R"("ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},)"
      R"("model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)"
      R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,)"
      R"("vocab":{)";
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (id > 0) json += ',';
    AppendJsonString(&json, vocabulary.tokens[id]);
    json += ':';
    json += std::to_string(id);
  }
  json += "},\"merges\":[]}}\n";
  return json;
}

std::string SynthTokenizerConfigJson(const SynthVocabulary& vocabulary) {
  std::string json = "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"add_bos_token\":false";
  const char* names[] = {"bos_token", "eos_token"};
  for (std::size_t i = 0; i < vocabulary.special.size() && i < 2; ++i) {
    json += std::string(",\"") + names[i] + "\":";
    AppendJsonString(&json, vocabulary.tokens[static_cast<std::size_t>(vocabulary.special[i])]);
  }
  if (!vocabulary.chat_template.empty()) {
    json += ",\"chat_template\":";
    AppendJsonString(&json, vocabulary.chat_template);
  }
  return json + "}\n";
}

}  // namespace hadal
