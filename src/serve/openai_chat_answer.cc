#include "serve/openai_chat_answer.h"

#include <optional>
#include <utility>

#include "serve/json_writer.h"
#include "serve/log_probability_json.h"
#include "serve/openai_usage.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

// What every chunk and the whole object begin with.
struct ChatHead {
  std::string id, model;
  std::int64_t created_seconds = 0;
  int answers = 1;
};

// One delta of one choice; or, with `usage`, of none.
struct ChatPiece {
  int choice = 0;
  bool begins = false;  // brings the role
  std::string content = {}, reasoning = {};
  struct Call {
    int index = 0;
    std::string id = {}, name = {}, arguments = {};  // id and name in the first piece of a call
  };
  std::vector<Call> calls = {};
  std::vector<ChosenToken> tokens = {}, thought = {};  // log-probabilities
  std::optional<std::string> finish_reason = {};
  Usage own_usage = {};  // with the finish reason
  Timings timings = {};  // likewise
  std::optional<AnswerEnd> usage = {};
};

void WriteHead(const ChatHead& head, std::string_view object, JsonWriter* json) {
  json->BeginObject().Key("id").Text(head.id).Key("object").Text(object);
  json->Key("created").Integer(head.created_seconds).Key("model").Text(head.model);
  json->Key("system_fingerprint").Text(kSystemFingerprint);
}

void WriteLogProbabilities(const ModelAbility& ability, const std::vector<ChosenToken>& content,
                           const std::vector<ChosenToken>& reasoning, bool wanted,
                           JsonWriter* json) {
  json->Key("logprobs");
  if (!wanted) return void(json->Null());
  json->BeginObject().Key("content");
  WriteChosenTokens(ability, content, json);
  if (!reasoning.empty()) {
    json->Key("reasoning_content");
    WriteChosenTokens(ability, reasoning, json);
  }
  json->Key("refusal").Null().EndObject();
}

void WriteCall(const ChatPiece::Call& call, bool streamed, JsonWriter* json) {
  json->BeginObject();
  if (streamed) json->Key("index").Integer(call.index);
  if (!call.id.empty()) json->Key("id").Text(call.id).Key("type").Text("function");
  json->Key("function").BeginObject();
  if (!call.name.empty()) json->Key("name").Text(call.name);
  json->Key("arguments").Text(call.arguments).EndObject().EndObject();
}

// A chunk: {"choices": [{"index", "delta", "logprobs", "finish_reason"}], ...}
class ChunkFormat {
 public:
  ChunkFormat(std::shared_ptr<const ChatHead> head, bool log_probabilities, bool include_usage,
              const ModelAbility& ability)
      : head_(std::move(head)),
        log_probabilities_(log_probabilities),
        include_usage_(include_usage),
        ability_(ability) {}

  std::string operator()(const ChatPiece& piece) const {
    if (piece.usage && !include_usage_) return {};
    JsonWriter json;
    WriteHead(*head_, "chat.completion.chunk", &json);
    json.Key("choices").BeginArray();
    if (!piece.usage) WriteChoice(piece, &json);
    json.EndArray();
    if (piece.finish_reason) {
      json.Key("timings");
      WriteTimings({.usage = piece.own_usage}, piece.timings, &json);
    }
    if (include_usage_) {
      json.Key("usage");
      if (piece.usage)
        WriteTextUsage(*piece.usage, &json);
      else
        json.Null();
    }
    return SseData(json.EndObject().Take());
  }

 private:
  void WriteChoice(const ChatPiece& piece, JsonWriter* json) const {
    json->BeginObject().Key("index").Integer(piece.choice).Key("delta").BeginObject();
    if (piece.begins) json->Key("role").Text("assistant").Key("content").Text("");
    if (!piece.reasoning.empty()) json->Key("reasoning_content").Text(piece.reasoning);
    if (!piece.content.empty()) json->Key("content").Text(piece.content);
    if (!piece.calls.empty()) {
      json->Key("tool_calls").BeginArray();
      for (const ChatPiece::Call& call : piece.calls) WriteCall(call, true, json);
      json->EndArray();
    }
    json->EndObject();
    const bool has_tokens = !piece.tokens.empty() || !piece.thought.empty();
    WriteLogProbabilities(ability_, piece.tokens, piece.thought, log_probabilities_ && has_tokens,
                          json);
    json->Key("finish_reason");
    piece.finish_reason ? json->Text(*piece.finish_reason) : json->Null();
    json->EndObject();
  }

  const std::shared_ptr<const ChatHead> head_;
  const bool log_probabilities_, include_usage_;
  const ModelAbility ability_;
};

// The whole object: every piece of a choice joined.
class WholeChat : public WholeSink<ChatPiece> {
 public:
  WholeChat(std::shared_ptr<Exchange> exchange, std::shared_ptr<const ChatHead> head,
            bool log_probabilities, const ModelAbility& ability)
      : WholeSink(std::move(exchange)),
        head_(std::move(head)),
        log_probabilities_(log_probabilities),
        ability_(ability) {}

  void Put(ChatPiece piece) override {
    if (piece.usage) {
      end_ = *piece.usage;
      return;
    }
    const auto index = static_cast<std::size_t>(piece.choice);
    if (choices_.size() <= index) choices_.resize(index + 1);
    ChatPiece& whole = choices_[index];
    whole.content += piece.content;
    whole.reasoning += piece.reasoning;
    for (ChatPiece::Call& call : piece.calls) {
      const auto at = static_cast<std::size_t>(call.index);
      if (whole.calls.size() <= at) whole.calls.resize(at + 1);
      whole.calls[at].id += call.id;
      whole.calls[at].name += call.name;
      whole.calls[at].arguments += call.arguments;
    }
    for (ChosenToken& token : piece.tokens) whole.tokens.push_back(std::move(token));
    for (ChosenToken& token : piece.thought) whole.thought.push_back(std::move(token));
    if (!piece.finish_reason) return;
    whole.finish_reason = std::move(piece.finish_reason);
    whole.own_usage = piece.own_usage;
    whole.timings = piece.timings;
  }

 private:
  std::string Body() override {
    JsonWriter json;
    WriteHead(*head_, "chat.completion", &json);
    json.Key("choices").BeginArray();
    for (std::size_t i = 0; i < choices_.size(); ++i) WriteChoice(i, choices_[i], &json);
    json.EndArray().Key("usage");
    WriteTextUsage(end_, &json);
    json.Key("timings");
    WriteTimings({.usage = choices_.front().own_usage}, choices_.front().timings, &json);
    return json.EndObject().Take();
  }

  void WriteChoice(std::size_t index, const ChatPiece& choice, JsonWriter* json) const {
    json->BeginObject().Key("index").Integer(static_cast<std::int64_t>(index));
    json->Key("message").BeginObject().Key("role").Text("assistant").Key("content");
    choice.content.empty() && !choice.calls.empty() ? json->Null() : json->Text(choice.content);
    json->Key("refusal").Null();
    if (!choice.reasoning.empty()) json->Key("reasoning_content").Text(choice.reasoning);
    if (!choice.calls.empty()) {
      json->Key("tool_calls").BeginArray();
      for (const ChatPiece::Call& call : choice.calls) WriteCall(call, false, json);
      json->EndArray();
    }
    json->EndObject();
    WriteLogProbabilities(ability_, choice.tokens, choice.thought, log_probabilities_, json);
    json->Key("finish_reason").Text(choice.finish_reason.value_or("stop")).EndObject();
  }

  const std::shared_ptr<const ChatHead> head_;
  const bool log_probabilities_;
  const ModelAbility ability_;
  std::vector<ChatPiece> choices_;
  AnswerEnd end_;
};

// Events to pieces.
class ChatAnswer : public AnswerWriter {
 public:
  ChatAnswer(std::shared_ptr<ChatHead> head, std::unique_ptr<PieceSink<ChatPiece>> sink)
      : head_(std::move(head)), sink_(std::move(sink)) {
    head_->id = RandomId("chatcmpl-");
  }

  std::string id() const override { return head_->id; }
  void Begin(const AnswerStart& start) override {
    head_->model = start.model;
    head_->created_seconds = start.created_seconds;
    held_.resize(static_cast<std::size_t>(start.answers));
    // In order, before anything else: clients take the choices as they come.
    for (int choice = 0; choice < start.answers; ++choice)
      sink_->Put({.choice = choice, .begins = true});
  }

  void Event(int answer, const GenerateEvent& event) override {
    if (event.kind == GenerateEvent::Kind::kPrefill) return;
    std::vector<ChosenToken>& held = held_[static_cast<std::size_t>(answer)];
    if (event.log_probability)
      held.push_back({event.token, *event.log_probability, event.top_log_probabilities});
    if (!event.reasoning.empty())
      sink_->Put(
          {.choice = answer,
           .reasoning = event.reasoning,
           .thought = event.text.empty() ? std::exchange(held, {}) : std::vector<ChosenToken>()});
    if (!event.text.empty())
      sink_->Put({.choice = answer, .content = event.text, .tokens = std::exchange(held, {})});
    if (!event.tool_calls.empty()) PutCalls(answer, event, &held);
    if (event.kind == GenerateEvent::Kind::kEnd)
      sink_->Put({.choice = answer,
                  .tokens = std::exchange(held, {}),
                  .finish_reason = std::string(Name(event.finish_reason)),
                  .own_usage = event.usage,
                  .timings = event.timings});
  }

  void End(const AnswerEnd& end) override {
    sink_->Put({.usage = end});
    sink_->Close();
  }

  void Fail(const ApiError& error) override { sink_->Fail(error); }

 private:
  void PutCalls(int answer, const GenerateEvent& event, std::vector<ChosenToken>* held) {
    ChatPiece piece{.choice = answer, .tokens = std::exchange(*held, {})};
    for (const GenerateEvent::ToolCallPiece& call : event.tool_calls) {
      ChatPiece::Call& to = piece.calls.emplace_back();
      to.index = call.call;
      to.arguments = call.arguments;
      if (call.name.empty()) continue;
      to.name = call.name;
      to.id = RandomId("call_");
    }
    sink_->Put(std::move(piece));
  }

  const std::shared_ptr<ChatHead> head_;
  const std::unique_ptr<PieceSink<ChatPiece>> sink_;
  std::vector<std::vector<ChosenToken>> held_;  // of each answer: those whose text is to come
};

}  // namespace

std::unique_ptr<AnswerWriter> MakeChatAnswer(std::shared_ptr<Exchange> exchange, const Call& call,
                                             const ModelAbility& ability) {
  const auto head = std::make_shared<ChatHead>();
  const bool log_probabilities = call.request.sampling.log_probabilities >= 0;
  std::unique_ptr<PieceSink<ChatPiece>> sink;
  if (call.stream) {
    const std::string id = exchange->request().id;
    StreamFraming framing;
    framing.end = SseData("[DONE]");
    framing.failure = [id](const ApiError& error) {
      return SseData(ErrorBody(error, Dialect::kOpenAi, id));
    };
    sink = std::make_unique<StreamSink<ChatPiece>>(
        std::move(exchange), std::move(framing),
        ChunkFormat(head, log_probabilities, call.include_usage, ability));
  } else {
    sink = std::make_unique<WholeChat>(std::move(exchange), head, log_probabilities, ability);
  }
  return std::make_unique<ChatAnswer>(head, std::move(sink));
}

}  // namespace hadal
