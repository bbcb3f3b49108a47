#include "serve/ollama_answer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "serve/call_arguments.h"
#include "serve/json_writer.h"
#include "serve/ollama_time.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

struct OllamaLogProbability {
  std::string token;
  float log_probability = 0;
  std::vector<std::pair<std::string, float>> top = {};
};

// A line. The last one has everything else of the answer.
struct OllamaPiece {
  std::string text = {}, thinking = {};
  std::vector<ChatToolCall> calls = {};  // whole ones
  std::vector<OllamaLogProbability> log_probabilities = {};
  bool done = false;
  FinishReason reason = FinishReason::kStop;
  AnswerEnd end = {};
  Timings timings = {};
};

class Lines {
 public:
  Lines(std::string model, bool chat) : model_(std::move(model)), chat_(chat) {}

  std::string Format(const OllamaPiece& piece) const {
    JsonWriter json;
    json.BeginObject().Key("model").Text(model_).Key("created_at").Text(Rfc3339Now());
    if (chat_) {
      json.Key("message").BeginObject().Key("role").Text("assistant").Key("content");
      json.Text(piece.text);
      WriteRest(piece, &json);
      json.EndObject();
    } else {
      json.Key("response").Text(piece.text);
      WriteRest(piece, &json);
    }
    if (!piece.log_probabilities.empty()) WriteLogProbabilities(piece, &json);
    json.Key("done").Boolean(piece.done);
    if (piece.done) WriteEnd(piece, &json);
    return json.EndObject().Take();
  }

 private:
  static void WriteRest(const OllamaPiece& piece, JsonWriter* json) {
    if (!piece.thinking.empty()) json->Key("thinking").Text(piece.thinking);
    if (piece.calls.empty()) return;
    json->Key("tool_calls").BeginArray();
    for (const ChatToolCall& call : piece.calls) {
      json->BeginObject().Key("id").Text(call.id).Key("function").BeginObject();
      json->Key("name").Text(call.name).Key("arguments");
      WriteArguments(call.arguments, json);
      json->EndObject().EndObject();
    }
    json->EndArray();
  }

  static void WriteLogProbabilities(const OllamaPiece& piece, JsonWriter* json) {
    json->Key("logprobs").BeginArray();
    for (const OllamaLogProbability& one : piece.log_probabilities) {
      json->BeginObject().Key("token").Text(one.token).Key("logprob").Number(one.log_probability);
      if (!one.top.empty()) {
        json->Key("top_logprobs").BeginArray();
        for (const auto& [token, value] : one.top)
          json->BeginObject().Key("token").Text(token).Key("logprob").Number(value).EndObject();
        json->EndArray();
      }
      json->EndObject();
    }
    json->EndArray();
  }

  // A prompt is evaluated between the queue and the first token.
  static void WriteEnd(const OllamaPiece& piece, JsonWriter* json) {
    const AnswerEnd& end = piece.end;
    const double prefill = piece.timings.prefill_seconds - end.queue_seconds;
    json->Key("done_reason").Text(piece.reason == FinishReason::kLength ? "length" : "stop");
    json->Key("total_duration").Integer(Nanoseconds(end.total_seconds));
    json->Key("load_duration").Integer(Nanoseconds(end.queue_seconds));
    json->Key("prompt_eval_count").Integer(end.usage.prompt_tokens);
    json->Key("prompt_eval_duration").Integer(Nanoseconds(prefill));
    json->Key("eval_count").Integer(end.usage.generated_tokens);
    json->Key("eval_duration").Integer(Nanoseconds(piece.timings.decode_seconds));
  }

  std::string model_;
  bool chat_;
};

bool IsEmpty(const OllamaPiece& piece) {
  return !piece.done && piece.text.empty() && piece.thinking.empty() && piece.calls.empty() &&
         piece.log_probabilities.empty();
}

class WholeAnswer : public WholeSink<OllamaPiece> {
 public:
  WholeAnswer(std::shared_ptr<Exchange> exchange, const std::shared_ptr<const Lines>& lines)
      : WholeSink(std::move(exchange)), lines_(lines) {}

  void Put(OllamaPiece piece) override {
    whole_.text += piece.text;
    whole_.thinking += piece.thinking;
    std::ranges::move(piece.calls, std::back_inserter(whole_.calls));
    std::ranges::move(piece.log_probabilities, std::back_inserter(whole_.log_probabilities));
    if (!piece.done) return;
    whole_.done = true;
    whole_.reason = piece.reason;
    whole_.end = piece.end;
    whole_.timings = piece.timings;
  }

 private:
  std::string Body() override { return lines_->Format(whole_); }

  std::shared_ptr<const Lines> lines_;
  OllamaPiece whole_;
};

class OllamaAnswer : public AnswerWriter {
 public:
  OllamaAnswer(std::shared_ptr<Exchange> exchange, const OllamaAnswerOptions& options)
      : exchange_(std::move(exchange)), options_(options) {}

  void Begin(const AnswerStart& start) override {
    const auto lines = std::make_shared<const Lines>(start.model, options_.chat);
    if (!options_.stream) {
      sink_ = std::make_unique<WholeAnswer>(exchange_, lines);
      return;
    }
    StreamFraming framing;
    framing.content_type = "application/x-ndjson";
    framing.heartbeat = "";  // a line means something to every reader
    framing.failure = [](const ApiError& error) {
      return ErrorBody(error, Dialect::kOllama, "") + "\n";
    };
    sink_ = std::make_unique<StreamSink<OllamaPiece>>(
        exchange_, std::move(framing), [lines](const OllamaPiece& piece) {
          return IsEmpty(piece) ? std::string() : lines->Format(piece) + "\n";
        });
  }

  void Event(int, const GenerateEvent& event) override {
    OllamaPiece piece{.text = event.text, .thinking = event.reasoning};
    if (event.log_probability) piece.log_probabilities.push_back(ReadProbability(event));
    for (const GenerateEvent::ToolCallPiece& call : event.tool_calls) {
      if (call.call != call_) TakeCall(&piece);
      call_ = call.call;
      open_.name += call.name;
      open_.arguments += call.arguments;
    }
    if (event.kind == GenerateEvent::Kind::kEnd) {
      TakeCall(&piece);
      reason_ = event.finish_reason;
      timings_ = event.timings;
    }
    sink_->Put(std::move(piece));
  }

  void End(const AnswerEnd& end) override {
    sink_->Put({.done = true, .reason = reason_, .end = end, .timings = timings_});
    sink_->Close();
  }

  void Fail(const ApiError& error) override {
    if (sink_ != nullptr) return sink_->Fail(error);
    SendError(error, exchange_.get());
  }

 private:
  OllamaLogProbability ReadProbability(const GenerateEvent& event) const {
    OllamaLogProbability one{std::string(TokenBytes(options_.ability, event.token)),
                             *event.log_probability};
    for (const TokenLogProbability& other : event.top_log_probabilities)
      one.top.emplace_back(TokenBytes(options_.ability, other.token), other.log_probability);
    return one;
  }

  // The call so far is whole.
  void TakeCall(OllamaPiece* piece) {
    if (call_ < 0 || open_.name.empty()) return;
    open_.id = RandomId("call_");
    piece->calls.push_back(std::exchange(open_, {}));
  }

  std::shared_ptr<Exchange> exchange_;
  const OllamaAnswerOptions options_;
  std::unique_ptr<PieceSink<OllamaPiece>> sink_;
  int call_ = -1;
  ChatToolCall open_;
  FinishReason reason_ = FinishReason::kStop;
  Timings timings_;
};

}  // namespace

std::unique_ptr<AnswerWriter> MakeOllamaAnswer(std::shared_ptr<Exchange> exchange,
                                               const OllamaAnswerOptions& options) {
  return std::make_unique<OllamaAnswer>(std::move(exchange), options);
}

std::string OllamaLoaded(const std::string& model, bool chat, std::string_view reason) {
  JsonWriter json;
  json.BeginObject().Key("model").Text(model).Key("created_at").Text(Rfc3339Now());
  if (chat)
    json.Key("message")
        .BeginObject()
        .Key("role")
        .Text("assistant")
        .Key("content")
        .Text("")
        .EndObject();
  else
    json.Key("response").Text("");
  json.Key("done").Boolean(true).Key("done_reason").Text(reason);
  return json.EndObject().Take();
}

}  // namespace hadal
