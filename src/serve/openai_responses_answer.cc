#include "serve/openai_responses_answer.h"

#include <functional>
#include <utility>

#include "base/unix_time.h"
#include "serve/json_writer.h"
#include "serve/log_probability_json.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

enum class ItemKind : unsigned char { kReasoning, kMessage, kCall };

// An output item while it grows.
struct Item {
  ItemKind kind = ItemKind::kMessage;
  std::string id = {}, text = {};  // the text, the reasoning or the arguments
  std::string call_id = {}, name = {};
  std::vector<ChosenToken> tokens = {};
};

// An event. A whole answer is the response object of the last one.
struct ResponsesPiece {
  std::string type;
  std::string fields;    // its members beside type and sequence_number, without brackets
  std::string response;  // the object, where the event carries one
};

// Builds {"a":1,"b":2} and takes the brackets off.
std::string Members(const std::function<void(JsonWriter*)>& write) {
  JsonWriter json;
  json.BeginObject();
  write(&json);
  const std::string text = json.EndObject().Take();
  return text.substr(1, text.size() - 2);
}

class Formatter {
 public:
  std::string operator()(const ResponsesPiece& piece) {
    const std::string text = Members([&](JsonWriter* json) {
      json->Key("type").Text(piece.type).Key("sequence_number").Integer(sequence_++);
    });
    std::string data = "{" + text;
    if (!piece.fields.empty()) data += "," + piece.fields;
    if (!piece.response.empty()) data += ",\"response\":" + piece.response;
    return SseEvent(piece.type, data + "}");
  }

 private:
  std::int64_t sequence_ = 0;
};

class WholeResponse : public WholeSink<ResponsesPiece> {
 public:
  using WholeSink::WholeSink;
  void Put(ResponsesPiece piece) override {
    if (!piece.response.empty()) last_ = std::move(piece.response);
  }

 private:
  std::string Body() override { return std::move(last_); }

  std::string last_;
};

class ResponsesAnswer : public AnswerWriter {
 public:
  ResponsesAnswer(std::unique_ptr<PieceSink<ResponsesPiece>> sink, const ResponsesRequest& request,
                  const ModelAbility& ability)
      : sink_(std::move(sink)),
        settings_(request.settings),
        stream_(request.call.stream),
        ability_(ability) {}

  void Begin(const AnswerStart& start) override {
    start_ = start;
    id_ = RandomId("resp_");
    begun_ = true;
    sink_->Put({"response.created", "", Response("in_progress")});
    sink_->Put({"response.in_progress", "", Response("in_progress")});
  }

  void Event(int, const GenerateEvent& event) override {
    if (event.log_probability)
      pending_.push_back({event.token, *event.log_probability, event.top_log_probabilities});
    if (!event.reasoning.empty()) {
      pending_.clear();  // log-probabilities are those of the text
      Open(ItemKind::kReasoning);
      Delta("response.reasoning_text.delta", event.reasoning, true);
    }
    if (!event.text.empty()) {
      Open(ItemKind::kMessage);
      TextDelta(event.text);
    }
    for (const GenerateEvent::ToolCallPiece& piece : event.tool_calls) Call(piece);
    if (event.kind == GenerateEvent::Kind::kEnd) reason_ = event.finish_reason;
  }

  void End(const AnswerEnd& end) override {
    const bool cut = reason_ == FinishReason::kLength;
    if (outputs_.empty() && !open_) Open(ItemKind::kMessage);  // an answer without a word
    Close(cut ? "incomplete" : "completed");
    end_ = end;
    ended_ = true;
    const std::string status = cut ? "incomplete" : "completed";
    sink_->Put({"response." + status, "", Response(status)});
    sink_->Close();
  }

  void Fail(const ApiError& error) override {
    if (!begun_ || !stream_) return sink_->Fail(error);
    error_ = error.message;
    sink_->Put({"response.failed", "", Response("failed")});
    sink_->Close();
  }

 private:
  // ---- items

  void Open(ItemKind kind, const std::string& name = {}) {
    if (open_ && item_.kind == kind && kind != ItemKind::kCall) return;
    Close("completed");
    constexpr std::string_view kPrefixes[] = {"rs_", "msg_", "fc_"};
    item_ = {.kind = kind, .id = RandomId(kPrefixes[static_cast<unsigned char>(kind)])};
    item_.name = name;
    if (kind == ItemKind::kCall) item_.call_id = RandomId("call_");
    open_ = true;
    Say("response.output_item.added", [&](JsonWriter* json) {
      json->Key("output_index").Integer(std::ssize(outputs_));
      json->Key("item").Raw(ItemJson("in_progress", true));
    });
    if (kind == ItemKind::kMessage)
      SayOfItem("response.content_part.added", true,
                [&](JsonWriter* json) { json->Key("part").Raw(PartJson()); });
  }

  void Close(const std::string& status) {
    if (!std::exchange(open_, false)) return;
    switch (item_.kind) {
      case ItemKind::kReasoning:
        SayOfItem("response.reasoning_text.done", true,
                  [&](JsonWriter* json) { json->Key("text").Text(item_.text); });
        break;
      case ItemKind::kMessage:
        SayOfItem("response.output_text.done", true, [&](JsonWriter* json) {
          json->Key("text").Text(item_.text).Key("logprobs");
          WriteChosenTokens(ability_, item_.tokens, json);
        });
        SayOfItem("response.content_part.done", true,
                  [&](JsonWriter* json) { json->Key("part").Raw(PartJson()); });
        break;
      case ItemKind::kCall:
        SayOfItem("response.function_call_arguments.done", false, [&](JsonWriter* json) {
          json->Key("name").Text(item_.name).Key("arguments").Text(item_.text);
        });
        break;
    }
    const std::string item = ItemJson(status, false);
    Say("response.output_item.done", [&](JsonWriter* json) {
      json->Key("output_index").Integer(std::ssize(outputs_));
      json->Key("item").Raw(item);
    });
    outputs_.push_back(item);
  }

  // An event without the response object, which only a stream sends.
  void Say(const char* type, const std::function<void(JsonWriter*)>& write) {
    if (stream_) sink_->Put({type, Members(write), ""});
  }

  // item_id and indexes, then what `write` adds.
  void SayOfItem(const char* type, bool content, const std::function<void(JsonWriter*)>& write) {
    Say(type, [&](JsonWriter* json) {
      json->Key("item_id").Text(item_.id).Key("output_index").Integer(std::ssize(outputs_));
      if (content) json->Key("content_index").Integer(0);
      write(json);
    });
  }

  void Delta(const char* type, const std::string& text, bool content) {
    item_.text += text;
    SayOfItem(type, content, [&](JsonWriter* json) { json->Key("delta").Text(text); });
  }

  void TextDelta(const std::string& text) {
    item_.text += text;
    SayOfItem("response.output_text.delta", true, [&](JsonWriter* json) {
      json->Key("delta").Text(text).Key("logprobs");
      WriteChosenTokens(ability_, pending_, json);
    });
    for (ChosenToken& token : pending_) item_.tokens.push_back(std::move(token));
    pending_.clear();
  }

  void Call(const GenerateEvent::ToolCallPiece& piece) {
    if (!open_ || item_.kind != ItemKind::kCall || call_ != piece.call) {
      call_ = piece.call;
      Open(ItemKind::kCall, piece.name);
    }
    if (!piece.arguments.empty())
      Delta("response.function_call_arguments.delta", piece.arguments, false);
  }

  std::string PartJson() const {
    JsonWriter json;
    json.BeginObject().Key("type").Text("output_text").Key("text").Text(item_.text);
    json.Key("annotations").BeginArray().EndArray().Key("logprobs");
    WriteChosenTokens(ability_, item_.tokens, &json);
    return json.EndObject().Take();
  }

  // `fresh`: nothing of its content is there yet.
  std::string ItemJson(std::string_view status, bool fresh) const {
    JsonWriter json;
    json.BeginObject().Key("id").Text(item_.id);
    switch (item_.kind) {
      case ItemKind::kReasoning:
        json.Key("type").Text("reasoning").Key("summary").BeginArray().EndArray();
        json.Key("content").BeginArray();
        if (!fresh)
          json.BeginObject()
              .Key("type")
              .Text("reasoning_text")
              .Key("text")
              .Text(item_.text)
              .EndObject();
        json.EndArray().Key("encrypted_content").Null();
        break;
      case ItemKind::kMessage:
        json.Key("type").Text("message").Key("role").Text("assistant").Key("content").BeginArray();
        if (!fresh) json.Raw(PartJson());
        json.EndArray();
        break;
      case ItemKind::kCall:
        json.Key("type").Text("function_call").Key("call_id").Text(item_.call_id);
        json.Key("name").Text(item_.name).Key("arguments").Text(item_.text);
        break;
    }
    json.Key("status").Text(status);
    return json.EndObject().Take();
  }

  // ---- the response object

  std::string Response(const std::string& status) const {
    JsonWriter json;
    json.BeginObject().Key("id").Text(id_).Key("object").Text("response");
    json.Key("created_at").Integer(start_.created_seconds).Key("status").Text(status);
    json.Key("completed_at");
    status == "completed" ? json.Integer(UnixSeconds()) : json.Null();
    json.Key("error");
    if (status == "failed")
      json.BeginObject().Key("code").Text("server_error").Key("message").Text(error_).EndObject();
    else
      json.Null();
    json.Key("incomplete_details");
    if (status == "incomplete")
      json.BeginObject().Key("reason").Text("max_output_tokens").EndObject();
    else
      json.Null();
    json.Key("model").Text(start_.model).Key("output").BeginArray();
    for (const std::string& item : outputs_) json.Raw(item);
    json.EndArray();
    for (const auto& [name, value] : settings_) json.Key(name).Raw(value);
    json.Key("service_tier").Text("default").Key("store").Boolean(false).Key("usage");
    ended_ ? WriteUsage(&json) : static_cast<void>(json.Null());
    return json.EndObject().Take();
  }

  void WriteUsage(JsonWriter* json) const {
    const Usage& usage = end_.usage;
    json->BeginObject().Key("input_tokens").Integer(usage.prompt_tokens);
    json->Key("input_tokens_details").BeginObject();
    json->Key("cached_tokens").Integer(usage.cached_tokens);
    json->Key("cache_write_tokens").Integer(0).EndObject();
    json->Key("output_tokens").Integer(usage.generated_tokens);
    json->Key("output_tokens_details").BeginObject();
    json->Key("reasoning_tokens").Integer(end_.reasoning_tokens).EndObject();
    json->Key("total_tokens").Integer(usage.prompt_tokens + usage.generated_tokens);
    json->EndObject();
  }

  const std::unique_ptr<PieceSink<ResponsesPiece>> sink_;
  const std::vector<std::pair<std::string, std::string>> settings_;
  const bool stream_;
  const ModelAbility ability_;
  AnswerStart start_;
  AnswerEnd end_;
  std::string id_, error_;
  bool begun_ = false, ended_ = false, open_ = false;
  Item item_;
  int call_ = -1;
  std::vector<ChosenToken> pending_;  // tokens whose text is still to come
  std::vector<std::string> outputs_;  // finished items, as JSON
  FinishReason reason_ = FinishReason::kStop;
};

}  // namespace

std::unique_ptr<AnswerWriter> MakeResponsesAnswer(std::shared_ptr<Exchange> exchange,
                                                  const ResponsesRequest& request,
                                                  const ModelAbility& ability) {
  std::unique_ptr<PieceSink<ResponsesPiece>> sink;
  if (request.call.stream)
    sink = std::make_unique<StreamSink<ResponsesPiece>>(std::move(exchange), StreamFraming{},
                                                        Formatter{});
  else
    sink = std::make_unique<WholeResponse>(std::move(exchange));
  return std::make_unique<ResponsesAnswer>(std::move(sink), request, ability);
}

}  // namespace hadal
