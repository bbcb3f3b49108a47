#include "serve/llama_completion.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "serve/field_lists.h"
#include "serve/json_writer.h"
#include "serve/log_probability_json.h"
#include "serve/number_limits.h"
#include "serve/openai_usage.h"
#include "serve/random_id.h"
#include "serve/sampling_fields.h"

namespace hadal {
namespace {

// Accepted: the server decides, or it is what happens anyway.
constexpr std::string_view kIgnored[] = {"cache_prompt",
                                         "id_slot",
                                         "n_keep",
                                         "timings_per_token",
                                         "return_progress",
                                         "n_cache_reuse",
                                         "sse_ping_interval",
                                         "post_sampling_probs",
                                         "n_indent"};

// ---- the request

void ReadChoice(Fields* body, GenerateRequest* request) {
  SamplingOptions& sampling = request->sampling;
  sampling.temperature = 0.8f;
  sampling.top_k = 40;
  sampling.top_p = 0.95f;
  sampling.min_p = 0.05f;
  ReadSamplingNumbers(body, &sampling);
  ReadNumber(body, "repeat_penalty", &sampling.repetition_penalty);
  const auto seed = ReadInteger(body, "seed");
  sampling.seed = seed && *seed != -1 ? static_cast<std::uint64_t>(*seed) : RandomSeed();
  if (const auto most = ReadInteger(body, "n_predict"))
    request->max_tokens = std::max<std::int64_t>(0, *most);
  if (const auto probabilities = ReadInteger(body, "n_probs"); probabilities && *probabilities > 0)
    sampling.log_probabilities = static_cast<std::int32_t>(*probabilities);
  request->stops = StopsOf(body, "stop");
  request->ignore_end = body->Boolean("ignore_eos").value_or(false);
  for (const char* key : {"grammar", "samplers", "typical_p", "mirostat", "logit_bias"})
    if (body->Any(key) != nullptr)
      body->Fail(key, "is not supported by this server", "unsupported_parameter");
  if (const auto schema = body->Object("json_schema")) {
    request->form = AnswerForm::kSchema;
    request->schema = WriteJson(schema->object());
  }
}

void ReadPrompt(Fields* body, const ModelAbility& ability, GenerateRequest* request) {
  body->Require("prompt");
  const Metadata* prompt = body->Any("prompt");
  if (prompt == nullptr) return;
  if (prompt->is_string()) {
    request->prompt = RawText{std::string(*prompt->string())};
    return;
  }
  if (const auto items = body->Array("prompt", 1, kMostTokenIds))
    request->prompt =
        TokenIds{ReadTokenIds(*items, body->PathOf("prompt"), ability, body->reader())};
}

void ReadInfill(Fields* body, const ModelAbility& ability, GenerateRequest* request) {
  body->Require("input_prefix");
  body->Require("input_suffix");
  const auto extra = body->Array("input_extra", 0, 1024);
  if (extra && !extra->empty())
    body->Fail("input_extra", "is not supported: the model sees one file", "unsupported_parameter");
  if (!ability.fills_in())
    body->Fail("input_suffix", "is not known to this model: it was not trained to fill in",
               "unsupported_parameter");
  request->prompt =
      FillIn{body->Text("input_prefix").value_or("") + body->Text("prompt").value_or(""),
             body->Text("input_suffix").value_or("")};
}

// ---- the answer

struct LlamaPiece {
  std::string content = {};
  std::vector<std::int32_t> tokens = {};
  std::vector<ChosenToken> probabilities = {};
  bool last = false;
  FinishReason reason = FinishReason::kStop;
  std::string stop = {};
  AnswerEnd end = {};
  Timings timings = {};
};

class Format {
 public:
  Format(std::string model, bool return_tokens, const ModelAbility& ability)
      : model_(std::move(model)), return_tokens_(return_tokens), ability_(ability) {}

  std::string operator()(const LlamaPiece& piece) const {
    JsonWriter json;
    json.BeginObject().Key("index").Integer(0).Key("content").Text(piece.content);
    json.Key("tokens").BeginArray();
    if (return_tokens_)
      for (const std::int32_t token : piece.tokens) json.Integer(token);
    json.EndArray().Key("stop").Boolean(piece.last).Key("id_slot").Integer(0);
    if (!piece.probabilities.empty()) {
      json.Key("completion_probabilities");
      WriteChosenTokens(ability_, piece.probabilities, &json);
    }
    const Usage& usage = piece.end.usage;
    json.Key("tokens_predicted").Integer(usage.generated_tokens);
    json.Key("tokens_evaluated").Integer(usage.prompt_tokens);
    if (piece.last) WriteEnd(piece, &json);
    return json.EndObject().Take();
  }

 private:
  void WriteEnd(const LlamaPiece& piece, JsonWriter* json) const {
    const bool cut = piece.reason == FinishReason::kLength;
    json->Key("model").Text(model_).Key("truncated").Boolean(false);
    json->Key("stop_type").Text(!piece.stop.empty() ? "word" : (cut ? "limit" : "eos"));
    json->Key("stopping_word").Text(piece.stop);
    json->Key("tokens_cached").Integer(piece.end.usage.cached_tokens).Key("timings");
    WriteTimings(piece.end, piece.timings, json);
  }

  std::string model_;
  bool return_tokens_;
  ModelAbility ability_;
};

class WholeLlama : public WholeSink<LlamaPiece> {
 public:
  WholeLlama(std::shared_ptr<Exchange> exchange, Format format)
      : WholeSink(std::move(exchange)), format_(std::move(format)) {}
  void Put(LlamaPiece piece) override {
    whole_.content += piece.content;
    std::ranges::move(piece.tokens, std::back_inserter(whole_.tokens));
    std::ranges::move(piece.probabilities, std::back_inserter(whole_.probabilities));
    if (!piece.last) return;
    whole_.last = true;
    whole_.reason = piece.reason;
    whole_.stop = std::move(piece.stop);
    whole_.end = piece.end;
    whole_.timings = piece.timings;
  }

 private:
  std::string Body() override { return format_(whole_); }

  Format format_;
  LlamaPiece whole_;
};

class LlamaAnswer : public AnswerWriter {
 public:
  LlamaAnswer(std::shared_ptr<Exchange> exchange, const LlamaRequest& request,
              const ModelAbility& ability)
      : exchange_(std::move(exchange)),
        stream_(request.call.stream),
        return_tokens_(request.return_tokens),
        ability_(ability) {}

  void Begin(const AnswerStart& start) override {
    Format format(start.model, return_tokens_, ability_);
    if (!stream_) {
      sink_ = std::make_unique<WholeLlama>(exchange_, std::move(format));
      return;
    }
    StreamFraming framing;
    framing.failure = [](const ApiError& error) {
      return SseData(ErrorBody(error, Dialect::kOpenAi, ""));
    };
    sink_ = std::make_unique<StreamSink<LlamaPiece>>(
        exchange_, std::move(framing),
        [format = std::move(format)](const LlamaPiece& piece) { return SseData(format(piece)); });
  }

  void Event(int, const GenerateEvent& event) override {
    if (event.kind == GenerateEvent::Kind::kEnd) last_ = event;
    LlamaPiece piece{.content = event.text};
    if (event.kind == GenerateEvent::Kind::kToken) piece.tokens.push_back(event.token);
    if (event.log_probability)
      piece.probabilities.push_back(
          {event.token, *event.log_probability, event.top_log_probabilities});
    if (!piece.content.empty() || !piece.tokens.empty()) sink_->Put(std::move(piece));
  }

  void End(const AnswerEnd& end) override {
    sink_->Put({.last = true,
                .reason = last_.finish_reason,
                .stop = last_.stop,
                .end = end,
                .timings = last_.timings});
    sink_->Close();
  }

  void Fail(const ApiError& error) override {
    if (sink_ != nullptr) return sink_->Fail(error);
    SendError(error, exchange_.get());
  }

 private:
  std::shared_ptr<Exchange> exchange_;
  const bool stream_, return_tokens_;
  const ModelAbility ability_;
  std::unique_ptr<PieceSink<LlamaPiece>> sink_;
  GenerateEvent last_;
};

}  // namespace

ApiResult<LlamaRequest> ReadLlamaRequest(const MetadataDocument& document,
                                         const ModelAbility& ability, bool infill) {
  RequestReader reader;
  Fields body(document.root(), "", &reader);
  LlamaRequest out;
  body.Text("model");
  if (infill)
    ReadInfill(&body, ability, &out.call.request);
  else
    ReadPrompt(&body, ability, &out.call.request);
  ReadChoice(&body, &out.call.request);
  out.call.stream = body.Boolean("stream").value_or(false);
  out.return_tokens = body.Boolean("return_tokens").value_or(false);
  body.Ignore(kIgnored);
  body.Finish();
  if (reader.failed()) return reader.error();
  return out;
}

std::unique_ptr<AnswerWriter> MakeLlamaAnswer(std::shared_ptr<Exchange> exchange,
                                              const LlamaRequest& request,
                                              const ModelAbility& ability) {
  return std::make_unique<LlamaAnswer>(std::move(exchange), request, ability);
}

}  // namespace hadal
