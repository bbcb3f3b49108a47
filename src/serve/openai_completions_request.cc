#include "serve/openai_completions_request.h"

#include <utility>

#include "serve/field_lists.h"
#include "serve/number_limits.h"
#include "serve/openai_sampling.h"

namespace hadal {
namespace {

constexpr std::size_t kMostPrompts = 16;
constexpr std::int64_t kDefaultTokens = 16;

// A list is either of ids, of texts, or of lists of ids.
void ReadPromptList(Fields* body, const ModelAbility& ability, std::vector<CallPrompt>* out) {
  const auto items = body->Array("prompt", 1, kMostTokenIds);
  if (!items) return;
  if (items->front().is_number()) {
    out->emplace_back(
        TokenIds{ReadTokenIds(*items, body->PathOf("prompt"), ability, body->reader())});
    return;
  }
  if (items->size() > kMostPrompts)
    return body->Fail("prompt", "has more than " + std::to_string(kMostPrompts) + " prompts",
                      "array_above_max_length");
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Metadata& item = (*items)[i];
    if (item.is_string())
      out->emplace_back(RawText{std::string(*item.string())});
    else if (item.is_array() && !item.items().empty())
      out->emplace_back(
          TokenIds{ReadTokenIds(item.items(), body->PathOf("prompt", i), ability, body->reader())});
    else
      return body->Fail("prompt", "must be a text, texts, ids or lists of ids", "invalid_type");
  }
}

void ReadPrompts(Fields* body, const ModelAbility& ability, std::vector<CallPrompt>* out) {
  body->Require("prompt");
  const Metadata* prompt = body->Any("prompt");
  if (prompt == nullptr) return;
  if (prompt->is_string())
    out->emplace_back(RawText{std::string(*prompt->string())});
  else
    ReadPromptList(body, ability, out);
}

// Between the prompt and the suffix.
void ReadSuffix(Fields* body, const ModelAbility& ability, std::vector<CallPrompt>* prompts) {
  const auto suffix = body->Text("suffix");
  if (!suffix || suffix->empty()) return;
  if (!ability.fills_in())
    return body->Fail("suffix", "is not known to this model: it was not trained to fill in",
                      "unsupported_parameter");
  for (CallPrompt& prompt : *prompts) {
    if (!std::holds_alternative<RawText>(prompt))
      return body->Fail("suffix", "needs a prompt of text", "invalid_value");
    std::string before = std::move(std::get<RawText>(prompt).text);
    prompt = FillIn{std::move(before), *suffix};
  }
}

// Whether the last tokens of a prompt may be chosen anew; the field has its name from transformers
// and from the servers that followed them.
bool ReadHealing(Fields* body, std::vector<CallPrompt>* prompts) {
  if (!body->Boolean("token_healing").value_or(false)) return false;
  for (CallPrompt& prompt : *prompts) {
    if (auto* text = std::get_if<RawText>(&prompt)) text->heal = true;
    if (std::holds_alternative<TokenIds>(prompt))
      body->Fail("token_healing", "needs a prompt of text", "invalid_value");
  }
  return true;
}

std::string TextOf(const CallPrompt& prompt, const ModelAbility& ability) {
  if (const auto* text = std::get_if<RawText>(&prompt)) return text->text;
  if (const auto* fill = std::get_if<FillIn>(&prompt)) return fill->before;
  const auto* ids = std::get_if<TokenIds>(&prompt);
  return ids == nullptr || ability.tokenizer == nullptr ? "" : ability.tokenizer->Decode(ids->ids);
}

void ReadBestOf(Fields* body, CompletionsRequest* out) {
  const auto best_of = ReadInteger(body, "best_of");
  if (!best_of || *best_of == out->call.choices) return;
  if (*best_of < out->call.choices)
    return body->Fail("best_of", "must be at least n", "invalid_value");
  if (out->call.stream)
    return body->Fail("best_of", "cannot be more than n in a stream", "invalid_value");
  out->best = out->call.choices;
  out->call.choices = static_cast<int>(*best_of);
}

}  // namespace

ApiResult<CompletionsRequest> ReadCompletions(const MetadataDocument& document,
                                              const ModelAbility& ability) {
  RequestReader reader;
  Fields body(document.root(), "", &reader);
  CompletionsRequest out;
  Call& call = out.call;
  GenerateRequest& request = call.request;
  body.Require("model");
  body.Text("model");
  ReadPrompts(&body, ability, &call.prompts);
  ReadSuffix(&body, ability, &call.prompts);
  const bool heals = ReadHealing(&body, &call.prompts);
  ReadOpenAiSampling(&body, ability, &request);
  ReadOpenAiDelivery(&body, &call);
  ReadBestOf(&body, &out);
  request.max_tokens = ReadInteger(&body, "max_tokens").value_or(kDefaultTokens);
  out.log_probabilities = static_cast<int>(ReadInteger(&body, "logprobs").value_or(-1));
  request.sampling.log_probabilities =
      out.best > 0 ? std::max(0, out.log_probabilities) : out.log_probabilities;
  const bool echo = body.Boolean("echo").value_or(false);
  if (echo)
    for (const CallPrompt& prompt : call.prompts) out.echoes.push_back(TextOf(prompt, ability));
  request.prompt_log_probabilities = echo && out.log_probabilities >= 0;
  if (request.prompt_log_probabilities && body.object().FindNonNull("suffix") != nullptr)
    body.Fail("echo", "with logprobs does not go with a suffix", "invalid_value");
  if (request.prompt_log_probabilities && heals)
    body.Fail("echo", "with logprobs does not go with token_healing", "invalid_value");
  if (request.max_tokens == 0) {
    out.only_echo = true;
    request.max_tokens = 1;
  }
  body.Finish();
  if (reader.failed()) return reader.error();
  return out;
}

}  // namespace hadal
