// Any JSON as the body of a request, in every dialect: it is refused with a reason, or it becomes a
// call within the server's bounds, whose prompt the engine takes or refuses. The first byte says
// which route the rest is for.
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"
#include "engine/prompt.h"
#include "sample/sampler.h"
#include "serve/anthropic_request.h"
#include "serve/llama_completion.h"
#include "serve/ollama_request.h"
#include "serve/openai_chat_request.h"
#include "serve/openai_completions_request.h"
#include "serve/openai_responses_request.h"
#include "serve/openai_tools.h"

namespace hadal {
namespace {

// Single characters of ASCII, behind a token that ends an answer.
std::shared_ptr<const Tokenizer> Characters() {
  std::string text =
      R"({"added_tokens":[{"id":0,"content":"<|end|>","special":true}],"pre_tokenizer":)"
      R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false},"decoder":)"
      R"({"type":"ByteLevel"},"model":{"type":"BPE","merges":[],"vocab":{"<|end|>":0)";
  for (int id = 1; id < 95; ++id) {  // from "!" on, as the byte-level alphabet writes them
    text += ',';
    AppendJsonString(&text, std::string(1, static_cast<char>(' ' + id)));
    text += ":" + std::to_string(id);
  }
  text += ",\"\u0120\":95}}}";
  const auto document = ParseJson(text, "vocabulary");
  HADAL_CHECK(document.ok(), "a vocabulary that is no JSON");
  const auto tokenizer = Tokenizer::FromJson(document->root(), nullptr, nullptr, "vocabulary");
  HADAL_CHECK(tokenizer.ok(), "a vocabulary that is none");
  return *tokenizer;
}

struct Reader {
  explicit Reader(const char* format) {
    language.tokenizer = Characters();
    language.ends = language.chat_ends = {0};
    language.format = *FindPromptFormat(format);
    info.vocabulary = language.tokenizer->vocabulary();
    ability = {language.format, language.tokenizer.get()};
  }
  Language language;
  EngineInfo info;
  ModelAbility ability;
};

const Reader& ReaderOf(bool thinks) {
  static const Reader kThinker("qwen3"), kPlain("qwen2_5");
  return thinks ? kThinker : kPlain;
}

// In the words of every dialect, since any of them may have to tell it.
void CheckError(const ApiError& error) {
  HADAL_CHECK(!error.message.empty(), "a refusal that says nothing");
  for (const Dialect dialect : {Dialect::kOpenAi, Dialect::kAnthropic, Dialect::kOllama})
    HADAL_CHECK(ParseStrictJson(ErrorBody(error, dialect, "r"), "error").ok(),
                "an error body that is no JSON");
}

void CheckCall(const Call& call, const Reader& model) {
  HADAL_CHECK(call.choices >= 1 && call.choices <= 128, "choices out of bounds");
  HADAL_CHECK(call.prompt_count() <= 4096, "more prompts than a request may have");
  const GenerateRequest& request = call.request;
  HADAL_CHECK(request.max_tokens >= 0 && request.reasoning_tokens >= -1, "a negative bound");
  HADAL_CHECK(request.stops.size() <= 16, "more stop strings than a request may have");
  for (const std::string& stop : request.stops)
    HADAL_CHECK(!stop.empty() && IsUtf8(stop), "a stop string that is none");
  if (!CheckSampling(request.sampling, model.info.vocabulary).ok()) return;
  GenerateRequest asked = request;
  if (!call.prompts.empty()) asked.prompt = call.prompts.front();
  const auto prompt = PreparePrompt(asked, model.language, model.info.vocabulary);
  if (!prompt.ok()) return CheckError(ErrorOf(prompt.status()));
  HADAL_CHECK(!prompt->ids.empty(), "a prompt without a token");
  HADAL_CHECK(prompt->open.ids_end <= prompt->ids.size(), "an end behind the prompt");
}

template <typename Request>
void Check(ApiResult<Request> request, const Reader& model) {
  if (!request.ok()) return CheckError(request.error());
  if constexpr (std::is_same_v<Request, Call>)
    CheckCall(*request, model);
  else
    CheckCall(request->call, model);
}

void Try(unsigned route, const std::string& text, const Reader& model) {
  const ModelAbility& ability = model.ability;
  HttpRequest http;
  http.method = "POST";
  http.path = route >= 8 ? "/api/chat" : "/v1/any";
  http.headers.Add("Content-Type", "application/json");
  http.body = text;
  auto body = route >= 8 ? ParseOllamaBody(http) : ParseRequest(http);
  if (!body.ok()) return CheckError(body.error());
  switch (route) {
    case 0:
      if (const auto error = CheckStrictTools(body->root())) CheckError(*error);
      return Check(ReadChatRequest(*body, ability, model.info), model);
    case 1:
      return Check(ReadCompletions(*body, ability), model);
    case 2:
      return Check(ReadResponsesRequest(*body, ability), model);
    case 3:
    case 4:
      return Check(ReadAnthropicRequest(*body, ability, route == 4), model);
    case 5:
    case 6:
      return Check(ReadLlamaRequest(*body, ability, route == 6), model);
    case 8:
      return Check(ReadOllamaChat(body->root(), "fake", ability), model);
    case 9:
      return Check(ReadOllamaGenerate(body->root(), "fake", ability), model);
    default:
      return;
  }
}

}  // namespace
}  // namespace hadal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // '0' to '9', so that seeds can be written by hand; the bit above them chooses the model.
  hadal::Try(data[0] & 15, text, hadal::ReaderOf((data[0] & 16) != 0));
  return 0;
}
