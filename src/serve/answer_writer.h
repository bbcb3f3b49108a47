// AnswerWriter: what a dialect makes of an answer. One producer turns engine events into the
// dialect's own pieces and puts them into one of two sinks: a stream, which sends each piece, or a
// whole, which joins them and sends one body. So streaming and not streaming cannot differ.
//
//   class ChatProducer : public AnswerWriter { std::unique_ptr<PieceSink<ChatPiece>> sink_; ... };
//   call.stream ? StreamOf<ChatPiece>(exchange, format) : std::make_unique<ChatWhole>(exchange)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hadal/generate.h"
#include "serve/api_error.h"
#include "serve/exchange.h"

namespace hadal {

// What is known before the first token.
struct AnswerStart {
  std::string model;                 // the name that the answer carries
  std::int64_t created_seconds = 0;  // since 1970
  int answers = 1;                   // indexes 0 ... answers - 1
  int choices = 1;                   // of each prompt
};

// The sum of all answers to a call: a prompt counts once, whatever the number of its choices.
struct AnswerEnd {
  Usage usage = {};
  std::int64_t reasoning_tokens = 0;
  double queue_seconds = 0, total_seconds = 0;
};

// Called by RunCall (generation.h) on the exchange's strand, one at a time: Begin, Event ..., then
// End or Fail. Event sees the events of every answer, its kEnd included; those of one answer are in
// order.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  // By which the client may speak of the answer while it is made; empty where it cannot.
  virtual std::string id() const { return {}; }
  virtual void Begin(const AnswerStart& start) = 0;
  virtual void Event(int answer, const GenerateEvent& event) = 0;
  virtual void End(const AnswerEnd& end) = 0;
  virtual void Fail(const ApiError& error) = 0;
};

// Where a producer's pieces go.
template <typename Piece>
class PieceSink {
 public:
  virtual ~PieceSink() = default;
  virtual void Put(Piece piece) = 0;
  virtual void Close() = 0;
  virtual void Fail(const ApiError& error) = 0;
};

// How a dialect frames a stream.
struct StreamFraming {
  std::string content_type = "text/event-stream";
  std::string heartbeat = ": keep-alive\n\n";
  std::string end = {};  // after the last piece: "data: [DONE]\n\n"
  // The bytes of a failure in the middle of a stream.
  std::function<std::string(const ApiError& error)> failure = {};
};

// Sends each piece as it comes. The response begins with the first piece that has bytes, so a
// failure before it is an ordinary error response.
template <typename Piece>
class StreamSink : public PieceSink<Piece> {
 public:
  using Format = std::function<std::string(const Piece& piece)>;  // bytes; empty: nothing to send
  StreamSink(std::shared_ptr<Exchange> exchange, StreamFraming framing, Format format)
      : exchange_(std::move(exchange)), framing_(std::move(framing)), format_(std::move(format)) {}

  void Put(Piece piece) override { Write(format_(piece)); }
  void Close() override {
    Write(framing_.end);
    if (!begun_) Begin();
    exchange_->Finish();
  }
  void Fail(const ApiError& error) override {
    if (!begun_) return exchange_->Send(ErrorResponse(error, exchange_->request()));
    if (framing_.failure) Write(framing_.failure(error));
    exchange_->Finish();
  }

 private:
  void Begin() {
    begun_ = true;
    exchange_->Begin(200,
                     {{"Content-Type", framing_.content_type},
                      {"Cache-Control", "no-cache"},
                      {"X-Accel-Buffering", "no"}},
                     framing_.heartbeat);
  }
  void Write(std::string bytes) {
    if (bytes.empty()) return;
    if (!begun_) Begin();
    exchange_->Write(std::move(bytes));
  }

  std::shared_ptr<Exchange> exchange_;
  StreamFraming framing_;
  Format format_;
  bool begun_ = false;
};

// Joins the pieces and sends one body.
template <typename Piece>
class WholeSink : public PieceSink<Piece> {
 public:
  explicit WholeSink(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  void Close() override { exchange_->Send(HttpResponse::Json(Body())); }
  void Fail(const ApiError& error) override { SendError(error, exchange_.get()); }

 private:
  virtual std::string Body() = 0;

  const std::shared_ptr<Exchange> exchange_;
};

// Server-sent events (WHATWG HTML section 9.2). `data` is one line of JSON.
std::string SseData(std::string_view data);
std::string SseEvent(std::string_view event, std::string_view data);

}  // namespace hadal
