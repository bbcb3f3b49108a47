#include "serve/openai_completions_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "serve/json_writer.h"
#include "serve/log_probability_json.h"
#include "serve/openai_usage.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

// A token with its place in the choice's text, the prompt's included where it is repeated.
struct PlacedToken {
  ChosenToken chosen;
  bool first = false;  // of an echoed prompt: nothing is known of it
  std::size_t offset = 0;
};

// The next piece of a choice. A whole is its pieces joined.
struct CompletionsPiece {
  int choice = 0;
  std::string text = {};
  std::vector<PlacedToken> tokens = {};
  std::optional<FinishReason> reason = {};  // with the last one
};

// Part of a character: as OpenAI writes it.
std::string TokenText(const ModelAbility& ability, std::int32_t token) {
  const std::string_view bytes = TokenBytes(ability, token);
  if (IsUtf8(bytes)) return std::string(bytes);
  std::string text = "bytes:";
  for (const char byte : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return text;
}

void WriteLogProbabilities(const ModelAbility& ability, const std::vector<PlacedToken>& tokens,
                           JsonWriter* json) {
  json->BeginObject().Key("tokens").BeginArray();
  for (const PlacedToken& token : tokens) json->Text(TokenText(ability, token.chosen.token));
  json->EndArray().Key("token_logprobs").BeginArray();
  for (const PlacedToken& token : tokens)
    token.first ? json->Null() : json->Number(token.chosen.log_probability);
  json->EndArray().Key("top_logprobs").BeginArray();
  for (const PlacedToken& token : tokens) {
    if (token.first) {
      json->Null();
      continue;
    }
    json->BeginObject();
    for (const TokenLogProbability& other : token.chosen.top)
      json->Key(TokenText(ability, other.token)).Number(other.log_probability);
    json->EndObject();
  }
  json->EndArray().Key("text_offset").BeginArray();
  for (const PlacedToken& token : tokens) json->Integer(static_cast<std::int64_t>(token.offset));
  json->EndArray().EndObject();
}

class Writer {
 public:
  Writer(const CompletionsRequest& request, const ModelAbility& ability)
      : shows_probabilities_(request.log_probabilities >= 0), ability_(ability) {}

  void Begin(const AnswerStart& start) { start_ = start; }

  void WriteHead(JsonWriter* json) const {
    json->Key("id").Text(id_).Key("object").Text("text_completion");
    json->Key("created").Integer(start_.created_seconds).Key("model").Text(start_.model);
    json->Key("system_fingerprint").Text(kSystemFingerprint);
  }

  void WriteChoice(const CompletionsPiece& piece, JsonWriter* json) const {
    json->BeginObject().Key("text").Text(piece.text).Key("index").Integer(piece.choice);
    json->Key("logprobs");
    if (shows_probabilities_ && !piece.tokens.empty())
      WriteLogProbabilities(ability_, piece.tokens, json);
    else
      json->Null();
    json->Key("finish_reason");
    piece.reason ? json->Text(*piece.reason == FinishReason::kLength ? "length" : "stop")
                 : json->Null();
    json->EndObject();
  }

 private:
  const bool shows_probabilities_;
  const ModelAbility ability_;
  const std::string id_ = RandomId("cmpl-");
  AnswerStart start_;
};

// Where the choices go.
class ChoiceSink {
 public:
  virtual ~ChoiceSink() = default;
  virtual void Put(CompletionsPiece piece) = 0;
  virtual void Close(const AnswerEnd& end) = 0;
  virtual void Fail(const ApiError& error) = 0;
};

class ChoiceStream : public ChoiceSink {
 public:
  ChoiceStream(std::shared_ptr<Exchange> exchange, std::shared_ptr<const Writer> writer,
               bool include_usage)
      : writer_(std::move(writer)),
        include_usage_(include_usage),
        sink_(std::move(exchange), Framing(),
              [](const std::string& data) { return SseData(data); }) {}

  void Put(CompletionsPiece piece) override {
    if (piece.text.empty() && piece.tokens.empty() && !piece.reason) return;
    JsonWriter json;
    json.BeginObject();
    writer_->WriteHead(&json);
    json.Key("choices").BeginArray();
    writer_->WriteChoice(piece, &json);
    json.EndArray();
    if (include_usage_) json.Key("usage").Null();
    sink_.Put(json.EndObject().Take());
  }
  void Close(const AnswerEnd& end) override {
    if (include_usage_) {
      JsonWriter json;
      json.BeginObject();
      writer_->WriteHead(&json);
      json.Key("choices").BeginArray().EndArray().Key("usage");
      WriteTextUsage(end, &json);
      sink_.Put(json.EndObject().Take());
    }
    sink_.Close();
  }
  void Fail(const ApiError& error) override { sink_.Fail(error); }

 private:
  static StreamFraming Framing() {
    StreamFraming framing;
    framing.end = "data: [DONE]\n\n";
    framing.failure = [](const ApiError& error) {
      return SseData(ErrorBody(error, Dialect::kOpenAi, ""));
    };
    return framing;
  }

  std::shared_ptr<const Writer> writer_;
  bool include_usage_;
  StreamSink<std::string> sink_;
};

class ChoiceWhole : public ChoiceSink {
 public:
  ChoiceWhole(std::shared_ptr<Exchange> exchange, std::shared_ptr<const Writer> writer,
              const CompletionsRequest& request)
      : exchange_(std::move(exchange)),
        writer_(std::move(writer)),
        per_prompt_(request.call.choices),
        best_(request.best),
        choices_(static_cast<std::size_t>(request.call.answer_count())) {}

  void Put(CompletionsPiece piece) override {
    CompletionsPiece& choice = choices_[static_cast<std::size_t>(piece.choice)];
    choice.choice = piece.choice;
    choice.text += piece.text;
    std::ranges::move(piece.tokens, std::back_inserter(choice.tokens));
    if (piece.reason) choice.reason = piece.reason;
  }
  void Close(const AnswerEnd& end) override {
    if (best_ > 0) KeepBest();
    JsonWriter json;
    json.BeginObject();
    writer_->WriteHead(&json);
    json.Key("choices").BeginArray();
    for (const CompletionsPiece& choice : choices_) writer_->WriteChoice(choice, &json);
    json.EndArray().Key("usage");
    WriteTextUsage(end, &json);
    exchange_->Send(HttpResponse::Json(json.EndObject().Take()));
  }
  void Fail(const ApiError& error) override {
    exchange_->Send(ErrorResponse(error, exchange_->request()));
  }

 private:
  static double MeanLogProbability(const CompletionsPiece& choice) {
    const double sum = std::accumulate(
        choice.tokens.begin(), choice.tokens.end(), 0.0,
        [](double so_far, const PlacedToken& t) { return so_far + t.chosen.log_probability; });
    return choice.tokens.empty() ? 0 : sum / static_cast<double>(choice.tokens.size());
  }

  // Of each prompt the likeliest by token, numbered afresh.
  void KeepBest() {
    std::vector<CompletionsPiece> kept;
    for (auto at = choices_.begin(); at != choices_.end(); at += per_prompt_) {
      std::stable_sort(at, at + per_prompt_, [](const auto& a, const auto& b) {
        return MeanLogProbability(a) > MeanLogProbability(b);
      });
      std::move(at, at + best_, std::back_inserter(kept));
    }
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i].choice = static_cast<int>(i);
    choices_ = std::move(kept);
  }

  std::shared_ptr<Exchange> exchange_;
  std::shared_ptr<const Writer> writer_;
  const std::ptrdiff_t per_prompt_, best_;
  std::vector<CompletionsPiece> choices_;
};

class CompletionsAnswer : public AnswerWriter {
 public:
  CompletionsAnswer(std::shared_ptr<Exchange> exchange, const CompletionsRequest& request,
                    const ModelAbility& ability)
      : writer_(std::make_shared<Writer>(request, ability)),
        ability_(ability),
        echoes_(request.echoes),
        per_prompt_(request.call.choices),
        only_echo_(request.only_echo),
        shows_prompt_(request.call.request.prompt_log_probabilities),
        states_(static_cast<std::size_t>(request.call.answer_count())) {
    if (request.call.stream)
      sink_ =
          std::make_unique<ChoiceStream>(std::move(exchange), writer_, request.call.include_usage);
    else
      sink_ = std::make_unique<ChoiceWhole>(std::move(exchange), writer_, request);
  }

  void Begin(const AnswerStart& start) override { writer_->Begin(start); }

  void Event(int answer, const GenerateEvent& event) override {
    State& state = states_[static_cast<std::size_t>(answer)];
    CompletionsPiece piece{.choice = answer};
    if (!std::exchange(state.begun, true)) piece.text = Echo(answer);
    if (event.kind == GenerateEvent::Kind::kPrompt) {
      Place(
          {.chosen = {event.token, event.log_probability.value_or(0), event.top_log_probabilities},
           .first = !event.log_probability},
          &state, &piece);
    } else if (event.log_probability && !only_echo_) {
      if (!shows_prompt_ && state.tokens == 0) state.offset = Echo(answer).size();
      Place({.chosen = {event.token, *event.log_probability, event.top_log_probabilities}}, &state,
            &piece);
    }
    if (!only_echo_) piece.text += event.text;
    if (event.kind == GenerateEvent::Kind::kEnd)
      piece.reason = only_echo_ ? FinishReason::kLength : event.finish_reason;
    sink_->Put(std::move(piece));
  }

  void End(const AnswerEnd& end) override {
    AnswerEnd shown = end;
    if (only_echo_) shown.usage.generated_tokens = 0;
    sink_->Close(shown);
  }
  void Fail(const ApiError& error) override { sink_->Fail(error); }

 private:
  struct State {
    bool begun = false;
    std::size_t tokens = 0, offset = 0;
  };

  std::string Echo(int answer) const {
    return echoes_.empty() ? "" : echoes_[static_cast<std::size_t>(answer / per_prompt_)];
  }

  void Place(PlacedToken token, State* state, CompletionsPiece* piece) const {
    token.offset = state->offset;
    state->offset += TokenBytes(ability_, token.chosen.token).size();
    ++state->tokens;
    piece->tokens.push_back(std::move(token));
  }

  std::shared_ptr<Writer> writer_;
  const ModelAbility ability_;
  const std::vector<std::string> echoes_;
  const int per_prompt_;
  const bool only_echo_, shows_prompt_;
  std::vector<State> states_;
  std::unique_ptr<ChoiceSink> sink_;
};

}  // namespace

std::unique_ptr<AnswerWriter> MakeCompletionsAnswer(std::shared_ptr<Exchange> exchange,
                                                    const CompletionsRequest& request,
                                                    const ModelAbility& ability) {
  return std::make_unique<CompletionsAnswer>(std::move(exchange), request, ability);
}

}  // namespace hadal
