#include "serve/anthropic_answer.h"

#include <utility>

#include "base/digest.h"
#include "serve/call_arguments.h"
#include "serve/json_writer.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

enum class BlockKind : unsigned char { kThinking, kText, kToolUse };

// What the model says of its own thoughts when they come back: nothing that anybody checks, the
// same for the same thought.
std::string SignatureOf(std::string_view thought) { return Hex(Sha256Digest(thought)); }

// A step of building the message. Streams send it as an event, a whole keeps what it says.
struct AnthropicPiece {
  enum class Kind : unsigned char { kStart, kOpen, kDelta, kClose, kEnd };
  Kind kind = Kind::kDelta;
  int index = 0;  // of the block
  BlockKind block = BlockKind::kText;
  std::string text = {};           // kDelta: the next piece; kClose of a thought: its signature
  std::string id = {}, name = {};  // kOpen of a call; kStart: id and model of the message
  Usage usage = {};                // kStart, kEnd
  std::int64_t thinking_tokens = 0;
  std::string stop_reason = {}, stop_sequence = {};  // kEnd
};

void WriteUsage(const AnthropicPiece& piece, JsonWriter* json) {
  const Usage& usage = piece.usage;
  json->BeginObject();
  json->Key("input_tokens").Integer(usage.prompt_tokens - usage.cached_tokens);
  json->Key("cache_creation_input_tokens").Integer(0);
  json->Key("cache_read_input_tokens").Integer(usage.cached_tokens);
  json->Key("cache_creation").BeginObject();
  json->Key("ephemeral_5m_input_tokens").Integer(0);
  json->Key("ephemeral_1h_input_tokens").Integer(0).EndObject();
  json->Key("output_tokens").Integer(usage.generated_tokens);
  json->Key("output_tokens_details").BeginObject();
  json->Key("thinking_tokens").Integer(piece.thinking_tokens).EndObject();
  json->Key("service_tier").Text("standard").EndObject();
}

void WriteStop(const AnthropicPiece& end, JsonWriter* json) {
  json->Key("stop_reason");
  end.stop_reason.empty() ? json->Null() : json->Text(end.stop_reason);
  json->Key("stop_sequence");
  end.stop_sequence.empty() ? json->Null() : json->Text(end.stop_sequence);
  json->Key("stop_details").Null();
}

// A block with the text it has, which is none where it opens.
void WriteBlock(const AnthropicPiece& block, std::string_view signature, JsonWriter* json) {
  json->BeginObject().Key("type");
  switch (block.block) {
    case BlockKind::kThinking:
      json->Text("thinking").Key("thinking").Text(block.text).Key("signature").Text(signature);
      break;
    case BlockKind::kText:
      json->Text("text").Key("text").Text(block.text).Key("citations").Null();
      break;
    case BlockKind::kToolUse:
      json->Text("tool_use").Key("id").Text(block.id).Key("name").Text(block.name).Key("input");
      WriteArguments(block.text, json);
      break;
  }
  json->EndObject();
}

// The message; `write_content` writes its blocks.
template <typename WriteContent>
void WriteMessage(const AnthropicPiece& start, const AnthropicPiece& end, JsonWriter* json,
                  const WriteContent& write_content) {
  json->BeginObject().Key("id").Text(start.id).Key("type").Text("message");
  json->Key("role").Text("assistant").Key("model").Text(start.name);
  json->Key("content").BeginArray();
  write_content();
  json->EndArray();
  WriteStop(end, json);
  json->Key("container").Null().Key("usage");
  WriteUsage(end, json);
  json->EndObject();
}

// ---- the stream

std::string StartEvent(const AnthropicPiece& start) {
  JsonWriter json;
  json.BeginObject().Key("type").Text("message_start").Key("message");
  WriteMessage(start, start, &json, [] {});
  return SseEvent("message_start", json.EndObject().Take());
}

std::string OpenEvent(const AnthropicPiece& piece) {
  JsonWriter json;
  json.BeginObject().Key("type").Text("content_block_start").Key("index").Integer(piece.index);
  json.Key("content_block");
  WriteBlock(piece, "", &json);
  return SseEvent("content_block_start", json.EndObject().Take());
}

std::string DeltaEvent(int index, std::string_view type, std::string_view key,
                       std::string_view text) {
  JsonWriter json;
  json.BeginObject().Key("type").Text("content_block_delta").Key("index").Integer(index);
  json.Key("delta").BeginObject().Key("type").Text(type).Key(key).Text(text).EndObject();
  return SseEvent("content_block_delta", json.EndObject().Take());
}

std::string CloseEvents(const AnthropicPiece& piece) {
  std::string events;
  if (piece.block == BlockKind::kThinking)
    events = DeltaEvent(piece.index, "signature_delta", "signature", piece.text);
  JsonWriter json;
  json.BeginObject().Key("type").Text("content_block_stop").Key("index").Integer(piece.index);
  return events + SseEvent("content_block_stop", json.EndObject().Take());
}

std::string EndEvents(const AnthropicPiece& piece) {
  JsonWriter json;
  json.BeginObject().Key("type").Text("message_delta").Key("delta").BeginObject();
  WriteStop(piece, &json);
  json.EndObject().Key("usage");
  WriteUsage(piece, &json);
  return SseEvent("message_delta", json.EndObject().Take()) +
         SseEvent("message_stop", R"({"type":"message_stop"})");
}

std::string FormatPiece(const AnthropicPiece& piece) {
  switch (piece.kind) {
    case AnthropicPiece::Kind::kStart:
      return StartEvent(piece);
    case AnthropicPiece::Kind::kOpen:
      return OpenEvent(piece);
    case AnthropicPiece::Kind::kDelta:
      if (piece.block == BlockKind::kThinking)
        return DeltaEvent(piece.index, "thinking_delta", "thinking", piece.text);
      if (piece.block == BlockKind::kText)
        return DeltaEvent(piece.index, "text_delta", "text", piece.text);
      return DeltaEvent(piece.index, "input_json_delta", "partial_json", piece.text);
    case AnthropicPiece::Kind::kClose:
      return CloseEvents(piece);
    case AnthropicPiece::Kind::kEnd:
      return EndEvents(piece);
  }
  return "";
}

StreamFraming Framing(const std::shared_ptr<Exchange>& exchange) {
  StreamFraming framing;
  framing.heartbeat = SseEvent("ping", R"({"type":"ping"})");
  framing.failure = [id = exchange->request().id](const ApiError& error) {
    return SseEvent("error", ErrorBody(error, Dialect::kAnthropic, id));
  };
  return framing;
}

// ---- the whole

class WholeMessage : public WholeSink<AnthropicPiece> {
 public:
  using WholeSink::WholeSink;

  void Put(AnthropicPiece piece) override {
    switch (piece.kind) {
      case AnthropicPiece::Kind::kStart:
        start_ = std::move(piece);
        break;
      case AnthropicPiece::Kind::kOpen:
        blocks_.push_back({std::move(piece), ""});
        break;
      case AnthropicPiece::Kind::kDelta:
        blocks_.back().open.text += piece.text;
        break;
      case AnthropicPiece::Kind::kClose:
        blocks_.back().signature = std::move(piece.text);
        break;
      case AnthropicPiece::Kind::kEnd:
        end_ = std::move(piece);
        break;
    }
  }

 private:
  struct Block {
    AnthropicPiece open;  // its text grows
    std::string signature;
  };

  std::string Body() override {
    JsonWriter json;
    WriteMessage(start_, end_, &json, [&] {
      for (const Block& block : blocks_) WriteBlock(block.open, block.signature, &json);
    });
    return json.Take();
  }

  AnthropicPiece start_, end_;
  std::vector<Block> blocks_;
};

// ---- the producer

class AnthropicAnswer : public AnswerWriter {
 public:
  AnthropicAnswer(std::unique_ptr<PieceSink<AnthropicPiece>> sink, bool shows_thinking)
      : sink_(std::move(sink)), shows_thinking_(shows_thinking) {}

  void Begin(const AnswerStart& start) override { model_ = start.model; }

  void Event(int, const GenerateEvent& event) override {
    Start(event);
    if (!event.reasoning.empty()) Think(event.reasoning);
    if (!event.text.empty()) {
      Open(BlockKind::kText);
      Delta(event.text);
    }
    for (const GenerateEvent::ToolCallPiece& piece : event.tool_calls) Call(piece);
    if (event.kind == GenerateEvent::Kind::kEnd) last_ = event;
  }

  void End(const AnswerEnd& end) override {
    CloseBlock();
    AnthropicPiece piece{.kind = AnthropicPiece::Kind::kEnd, .usage = end.usage};
    piece.thinking_tokens = end.reasoning_tokens;
    piece.stop_reason = StopReason();
    piece.stop_sequence = last_.stop;
    sink_->Put(std::move(piece));
    sink_->Close();
  }

  void Fail(const ApiError& error) override { sink_->Fail(error); }

 private:
  // The first event says how long the prompt is, which message_start has to.
  void Start(const GenerateEvent& event) {
    if (std::exchange(started_, true)) return;
    AnthropicPiece piece{.kind = AnthropicPiece::Kind::kStart, .usage = event.usage};
    piece.usage.prompt_tokens = std::max(event.usage.prompt_tokens, event.prompt_total);
    piece.id = RandomId("msg_");
    piece.name = model_;
    sink_->Put(std::move(piece));
  }

  void Think(const std::string& text) {
    Open(BlockKind::kThinking);
    thought_ += text;
    if (shows_thinking_) Delta(text);
  }

  void Call(const GenerateEvent::ToolCallPiece& piece) {
    if (!open_ || block_ != BlockKind::kToolUse || call_ != piece.call) {
      CloseBlock();
      call_ = piece.call;
      Open(BlockKind::kToolUse, piece.name);
    }
    if (!piece.arguments.empty()) Delta(piece.arguments);
  }

  void Open(BlockKind block, const std::string& name = {}) {
    if (open_ && block_ == block) return;
    CloseBlock();
    open_ = true;
    block_ = block;
    AnthropicPiece piece{.kind = AnthropicPiece::Kind::kOpen, .index = index_, .block = block};
    if (block == BlockKind::kToolUse) piece.id = RandomId("toolu_");
    piece.name = name;
    sink_->Put(std::move(piece));
  }

  void Delta(const std::string& text) {
    sink_->Put(
        {.kind = AnthropicPiece::Kind::kDelta, .index = index_, .block = block_, .text = text});
  }

  void CloseBlock() {
    if (!std::exchange(open_, false)) return;
    AnthropicPiece piece{.kind = AnthropicPiece::Kind::kClose, .index = index_, .block = block_};
    if (block_ == BlockKind::kThinking) piece.text = SignatureOf(std::exchange(thought_, {}));
    sink_->Put(std::move(piece));
    ++index_;
  }

  std::string StopReason() const {
    if (!last_.stop.empty()) return "stop_sequence";
    switch (last_.finish_reason) {
      case FinishReason::kToolCalls:
        return "tool_use";
      case FinishReason::kLength:
        return "max_tokens";
      case FinishReason::kStop:
      case FinishReason::kCancelled:
        break;
    }
    return "end_turn";
  }

  std::unique_ptr<PieceSink<AnthropicPiece>> sink_;
  const bool shows_thinking_;
  std::string model_;
  bool started_ = false, open_ = false;
  BlockKind block_ = BlockKind::kText;
  int index_ = 0, call_ = -1;
  std::string thought_;
  GenerateEvent last_;
};

}  // namespace

std::unique_ptr<AnswerWriter> MakeAnthropicAnswer(std::shared_ptr<Exchange> exchange,
                                                  const AnthropicAnswerOptions& options) {
  std::unique_ptr<PieceSink<AnthropicPiece>> sink;
  if (options.stream) {
    StreamFraming framing = Framing(exchange);
    sink = std::make_unique<StreamSink<AnthropicPiece>>(std::move(exchange), std::move(framing),
                                                        FormatPiece);
  } else {
    sink = std::make_unique<WholeMessage>(std::move(exchange));
  }
  return std::make_unique<AnthropicAnswer>(std::move(sink), options.shows_thinking);
}

}  // namespace hadal
