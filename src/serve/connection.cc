#include "serve/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>

#include "base/unix_time.h"
#include "serve/http_writer.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

namespace asio = boost::asio;

// How long and how much is read from a client that was told off, so that it reads why before its
// own sending fails.
constexpr double kLeaveSeconds = 2;
constexpr std::uint64_t kMostDiscardedBytes = 64u << 20;

Connection::Clock::duration Ticks(double seconds) {
  return std::chrono::duration_cast<Connection::Clock::duration>(
      std::chrono::duration<double>(seconds));
}

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

}  // namespace

Connection::Connection(Executor strand, std::unique_ptr<Transport> transport, std::string remote,
                       bool tls, std::shared_ptr<ConnectionContext> context,
                       std::function<void()> ended)
    : strand_(std::move(strand)),
      transport_(std::move(transport)),
      remote_(std::move(remote)),
      tls_(tls),
      context_(std::move(context)),
      ended_(std::move(ended)),
      deadline_(strand_),
      heartbeat_timer_(strand_),
      write_deadline_(strand_) {}

Connection::~Connection() { ForgetBody(); }

void Connection::Start() {
  asio::post(strand_, [self = shared_from_this()] {
    self->SetDeadline(self->context_->limits.header_seconds);
    self->transport_->Handshake([self](bool ok, std::size_t) {
      if (self->phase_ == Phase::kClosed) return;
      if (!ok) return self->Close();
      self->BecomeIdle();
      // A client that connects has something to say.
      self->SetDeadline(self->context_->limits.header_seconds);
      self->Read();
    });
  });
}

void Connection::Kill() {
  asio::post(strand_, [self = shared_from_this()] { self->Lose(); });
}

void Connection::Drain() {
  asio::post(strand_, [self = shared_from_this()] {
    if (self->phase_ <= Phase::kHeader) self->Close();
  });
}

void Connection::BecomeIdle() {
  phase_ = Phase::kIdle;
  phase_since_ = Clock::now();
  idle_since_ = phase_since_.time_since_epoch().count();
  idle_ = true;
  parser_.reset();
  route_ = nullptr;
  ForgetBody();
}

void Connection::ForgetBody() { context_->body_bytes -= std::exchange(counted_body_bytes_, 0); }

void Connection::Read() {
  if (reading_ || phase_ == Phase::kClosed) return;
  reading_ = true;
  transport_->ReadSome(read_buffer_.data(), read_buffer_.size(),
                       [self = shared_from_this()](bool ok, std::size_t bytes) {
                         self->reading_ = false;
                         self->OnRead(ok, bytes);
                       });
}

void Connection::OnRead(bool ok, std::size_t bytes) {
  if (phase_ == Phase::kClosed) return;
  if (!ok) return Lose();
  if (phase_ == Phase::kLeaving) {
    discarded_bytes_ += bytes;
    return discarded_bytes_ > kMostDiscardedBytes ? Close() : Read();
  }
  input_.append(read_buffer_.data(), bytes);
  if (phase_ != Phase::kAnswering) return Advance();
  if (input_.size() < kMostAheadBytes) Read();
}

// Goes as far as the bytes that are there allow.
void Connection::Advance() {
  if (phase_ == Phase::kIdle) {
    if (input_.empty()) return Read();
    phase_ = Phase::kHeader;
    began_ = phase_since_ = Clock::now();
    record_ = {};
    parser_ = std::make_unique<HttpParser>(context_->limits);
    SetDeadline(context_->limits.header_seconds);
  }
  while (FeedParser()) {
    if (phase_ == Phase::kHeader && !AdmitRequest()) return;
    if (parser_->state() == HttpParser::State::kDone) return Dispatch();
  }
}

bool Connection::FeedParser() {
  if (input_.empty()) {
    Read();
    return false;
  }
  input_.erase(0, parser_->Feed(input_));
  const bool fits = CountBody();
  if (parser_->state() == HttpParser::State::kFailed || !fits) {
    TurnAway(fits ? parser_->error()
                  : ApiError{.kind = ErrorKind::kOverloaded,
                             .message = "too many large requests at once",
                             .code = "bodies_too_large",
                             .retry_after_seconds = 5});
    return false;
  }
  const HttpParser::State state = parser_->state();
  if (state == HttpParser::State::kHeader ||
      (state == HttpParser::State::kBody && phase_ == Phase::kBody)) {
    if (phase_ == Phase::kBody)
      SetDeadline(context_->limits.body_grace_seconds + static_cast<double>(parser_->body_bytes()) /
                                                            context_->limits.body_bytes_per_second);
    Read();
    return false;
  }
  return true;
}

bool Connection::CountBody() {
  const std::uint64_t bytes = parser_->body_bytes();
  if (bytes <= counted_body_bytes_) return true;
  const std::uint64_t more = bytes - std::exchange(counted_body_bytes_, bytes);
  return (context_->body_bytes += more) <= context_->limits.all_bodies_bytes;
}

// The header is there: may this request be?
bool Connection::AdmitRequest() {
  HttpRequest& request = parser_->request();
  request.remote = remote_;
  request.tls = tls_;
  const std::string_view id = request.headers.Find("x-request-id");
  request.id = IsRequestId(id) ? std::string(id) : RandomId("req_");
  record_.request_id = request.id;
  record_.method = request.method;
  idle_ = false;
  phase_ = Phase::kBody;
  phase_since_ = Clock::now();
  auto pass = context_->gate->Admit(&request);
  if (!pass.ok()) {
    TurnAway(pass.error());
    return false;
  }
  if (pass->response) {
    SendWhole(*std::move(pass->response));
    return false;
  }
  route_ = pass->route;
  record_.route = route_->pattern;
  record_.key = request.key->name;
  if (parser_->state() != HttpParser::State::kBody) return true;
  SetDeadline(context_->limits.body_grace_seconds);
  if (parser_->expects_continue() && !parser_->version_1_0())
    Write("HTTP/1.1 100 Continue\r\n\r\n");
  return true;
}

void Connection::Dispatch() {
  phase_ = Phase::kAnswering;
  deadline_.cancel();
  keep_alive_ = parser_->keep_alive() && !context_->draining;
  HttpRequest request = std::move(parser_->request());
  ReplyForm form{.head_only = request.method == "HEAD",
                 .keep_alive = keep_alive_,
                 .chunked = !parser_->version_1_0()};
  context_->gate->AddCorsHeaders(request, &form.extra);
  if (!form.chunked) keep_alive_ = false;
  const auto exchange = std::make_shared<HttpExchange>(std::move(request), std::move(form),
                                                       shared_from_this(), context_->workers);
  exchange_ = exchange;
  // Whatever a handler throws (memory, most likely) is one request's end and not the server's.
  const auto run = [exchange, route = route_] {
    try {
      route->handler(exchange);
    } catch (const std::exception&) {
      exchange->Send(ErrorResponse({.kind = ErrorKind::kInternal,
                                    .message = "the server failed to handle this request",
                                    .code = "internal_error"},
                                   exchange->request()));
    }
  };
  if (route_->access.is_public())
    run();
  else
    exchange->Post(run);
  Read();
}

void Connection::TurnAway(const ApiError& error) {
  SendWhole(ErrorResponse(error, parser_->request()));
}

// An answer of the connection itself. What is left of the request is not read as another one.
void Connection::SendWhole(HttpResponse response) {
  HttpRequest& request = parser_->request();
  if (request.id.empty()) request.id = RandomId("req_");
  phase_ = Phase::kAnswering;
  idle_ = false;
  deadline_.cancel();
  keep_alive_ = parser_->state() == HttpParser::State::kDone && parser_->keep_alive() &&
                !parser_->version_1_0() && !context_->draining;
  record_.status = response.status;
  context_->gate->AddCorsHeaders(request, &response.headers);
  HeadOptions options{
      .keep_alive = keep_alive_, .request_id = request.id, .unix_seconds = UnixSeconds()};
  if (response.status != 204) options.content_length = response.body.size();
  complete_ = true;
  std::string bytes = ResponseHead(response.status, response.headers, options);
  if (request.method != "HEAD") bytes += response.body;
  Write(std::move(bytes));
  Read();
}

void Connection::Pump(HttpExchange& exchange) {
  if (phase_ != Phase::kAnswering || exchange_.lock().get() != &exchange) return;
  HttpExchange::Output output = exchange.Take();
  record_.status = output.status;
  record_.prompt_tokens = output.prompt_tokens;
  record_.generated_tokens = output.generated_tokens;
  complete_ = output.finished;
  ArmHeartbeat();
  Write(std::move(output.bytes));
}

void Connection::Write(std::string bytes) {
  if (output_.empty())
    output_ = std::move(bytes);
  else
    output_ += bytes;
  WriteMore();
}

void Connection::WriteMore() {
  if (write_in_progress_ || phase_ == Phase::kClosed) return;
  if (written_ == writing_.size()) {
    writing_ = std::exchange(output_, {});
    written_ = 0;
  }
  if (writing_.empty()) {
    if (phase_ == Phase::kAnswering && complete_) AnswerComplete();
    return;
  }
  write_in_progress_ = true;
  write_deadline_.expires_after(Ticks(context_->limits.write_stall_seconds));
  write_deadline_.async_wait([self = shared_from_this()](auto error) {
    if (!error && self->write_in_progress_ && Clock::now() >= self->write_deadline_.expiry())
      self->Lose();
  });
  transport_->WriteSome(std::string_view(writing_).substr(written_),
                        [self = shared_from_this()](bool ok, std::size_t bytes) {
                          self->write_in_progress_ = false;
                          self->OnWritten(ok, bytes);
                        });
}

void Connection::OnWritten(bool ok, std::size_t bytes) {
  write_deadline_.cancel();
  if (phase_ == Phase::kClosed) return;
  if (!ok) return Lose();
  written_ += bytes;
  record_.sent_bytes += static_cast<std::int64_t>(bytes);
  if (const auto exchange = exchange_.lock()) exchange->Written(bytes);
  WriteMore();
}

void Connection::AnswerComplete() {
  heartbeat_timer_.cancel();
  Record();
  exchange_.reset();
  complete_ = false;
  if (!keep_alive_ || context_->draining) return Leave();
  BecomeIdle();
  SetDeadline(context_->limits.idle_seconds);
  Advance();
}

// Our half is over; the client's is read for a while, since closing would cut off what it has not
// yet read of the answer.
void Connection::Leave() {
  BecomeIdle();
  phase_ = Phase::kLeaving;
  input_.clear();
  SetDeadline(kLeaveSeconds);
  transport_->EndSending();
  Read();
}

void Connection::Lose() {
  if (phase_ == Phase::kClosed) return;
  constexpr int kClientGone = 499;  // nginx's number
  if (phase_ == Phase::kAnswering) {
    record_.status = kClientGone;
    Record();
  }
  if (const auto exchange = exchange_.lock()) exchange->ClientGone();
  Close();
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  idle_ = false;
  deadline_.cancel();
  heartbeat_timer_.cancel();
  write_deadline_.cancel();
  exchange_.reset();
  ForgetBody();
  transport_->Close();
  ended_();
}

void Connection::SetDeadline(double seconds_from_phase) {
  deadline_.expires_at(phase_since_ + Ticks(seconds_from_phase));
  deadline_.async_wait([weak = weak_from_this()](auto error) {
    if (error) return;
    const auto self = weak.lock();
    if (self != nullptr && Clock::now() >= self->deadline_.expiry()) self->OnDeadline();
  });
}

void Connection::OnDeadline() {
  if (phase_ == Phase::kAnswering || phase_ == Phase::kClosed) return;
  if (phase_ != Phase::kHeader && phase_ != Phase::kBody) return Close();
  TurnAway({.kind = ErrorKind::kTooSlow,
            .message = "the request came too slowly",
            .code = "request_timeout"});
}

void Connection::ArmHeartbeat() {
  heartbeat_timer_.expires_after(Ticks(context_->limits.heartbeat_seconds));
  heartbeat_timer_.async_wait([weak = weak_from_this()](auto error) {
    const auto self = weak.lock();
    if (error || self == nullptr || self->phase_ != Phase::kAnswering) return;
    const auto exchange = self->exchange_.lock();
    if (exchange == nullptr) return;
    if (!self->write_in_progress_) self->Write(exchange->Heartbeat());
    self->ArmHeartbeat();
  });
}

void Connection::Record() {
  record_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  for (const auto& observer : context_->service->request_observers()) observer->Answered(record_);
}

}  // namespace hadal
