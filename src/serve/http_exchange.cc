#include "serve/http_exchange.h"

#include <boost/asio/post.hpp>
#include <chrono>

#include "base/unix_time.h"
#include "serve/connection.h"
#include "serve/http_writer.h"

namespace hadal {

namespace asio = boost::asio;

HttpExchange::HttpExchange(HttpRequest request, ReplyForm form,
                           std::shared_ptr<Connection> connection, asio::thread_pool* workers)
    : request_(std::move(request)),
      form_(std::move(form)),
      connection_(std::move(connection)),
      strand_(workers->get_executor()) {}

// A handler that never answered: the client must not wait for ever.
HttpExchange::~HttpExchange() {
  if (finished_) return;
  CancelTimers();
  connection_->Kill();
}

void HttpExchange::Send(HttpResponse response) {
  for (const auto& [name, value] : form_.extra.fields()) response.headers.Add(name, value);
  HeadOptions options{
      .keep_alive = form_.keep_alive, .request_id = request_.id, .unix_seconds = UnixSeconds()};
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) options.content_length = response.body.size();
  std::string bytes = ResponseHead(response.status, response.headers, options);
  if (has_body && !form_.head_only) bytes += response.body;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = response.status;
  }
  Append(std::move(bytes), true);
}

void HttpExchange::Begin(int status, HttpHeaders headers, std::string heartbeat) {
  for (const auto& [name, value] : form_.extra.fields()) headers.Add(name, value);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    streaming_ = true;
    heartbeat_ = std::move(heartbeat);
  }
  Append(ResponseHead(status, headers,
                      {.chunked = form_.chunked,
                       .keep_alive = form_.keep_alive && form_.chunked,
                       .request_id = request_.id,
                       .unix_seconds = UnixSeconds()}),
         false);
}

std::string HttpExchange::Framed(std::string piece) const {
  if (form_.head_only || piece.empty()) return {};
  return form_.chunked ? Chunk(piece) : std::move(piece);
}

bool HttpExchange::Write(std::string piece) {
  if (gone()) return false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (pending_bytes_ > 0 && pending_bytes_ + piece.size() > kMostPendingBytes) {
      buffer_.clear();
      announced_ = true;  // nothing further is taken
      asio::post(connection_->strand(), [connection = connection_] { connection->Lose(); });
      return false;
    }
  }
  Append(Framed(std::move(piece)), false);
  return true;
}

void HttpExchange::Finish() { Append(form_.chunked && !form_.head_only ? "0\r\n\r\n" : "", true); }

void HttpExchange::SetTokens(std::int64_t prompt, std::int64_t generated) {
  const std::lock_guard<std::mutex> lock(mutex_);
  prompt_tokens_ = prompt;
  generated_tokens_ = generated;
}

void HttpExchange::Append(std::string bytes, bool finished) {
  bool announce = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    finished_ = finished;
    if (finished) on_gone_ = nullptr;
    pending_bytes_ += bytes.size();
    buffer_ += bytes;
    announce = !std::exchange(announced_, true);
  }
  if (finished) CancelTimers();
  if (announce)
    asio::post(connection_->strand(),
               [self = shared_from_this()] { self->connection_->Pump(*self); });
}

HttpExchange::Output HttpExchange::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  announced_ = false;
  return {std::exchange(buffer_, {}), finished_, status_, prompt_tokens_, generated_tokens_};
}

void HttpExchange::Written(std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  pending_bytes_ -= std::min(pending_bytes_, bytes);
}

std::string HttpExchange::Heartbeat() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return streaming_ && !finished_ ? Framed(heartbeat_) : std::string();
}

void HttpExchange::ClientGone() {
  gone_ = true;
  // What was to happen to this answer in minutes would hold on to it until then.
  CancelTimers();
  std::function<void()> callback;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    callback = std::exchange(on_gone_, nullptr);
  }
  if (callback) asio::post(strand_, std::move(callback));
}

void HttpExchange::OnGone(std::function<void()> callback) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    if (!gone_) {
      on_gone_ = std::move(callback);
      return;
    }
  }
  if (callback) asio::post(strand_, std::move(callback));
}

void HttpExchange::Post(std::function<void()> work) {
  const auto strand = strand_;  // the work may end this exchange before post returns
  asio::post(strand, std::move(work));
}

void HttpExchange::After(double seconds, std::function<void()> work) {
  const auto timer = std::make_shared<asio::steady_timer>(
      strand_, std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                   std::chrono::duration<double>(seconds)));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_ || gone_) return;
    timers_.push_back(timer);
  }
  timer->async_wait([timer, work = std::move(work), weak = weak_from_this()](auto error) {
    if (!error && !weak.expired()) work();
  });
}

void HttpExchange::CancelTimers() {
  std::vector<std::shared_ptr<asio::steady_timer>> timers;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    timers.swap(timers_);
  }
  // Timers belong to the strand.
  if (!timers.empty())
    asio::post(strand_, [timers = std::move(timers)] {
      for (const auto& timer : timers) timer->cancel();
    });
}

}  // namespace hadal
