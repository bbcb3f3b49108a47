// Connection: one client's connection: requests one after the other, each answered by its handler,
// which may take its time. Everything here runs on the connection's own strand of the threads that
// serve the network, but for what says otherwise. Internal to the server.
//
// While a handler works the connection goes on reading, so that a client's going is seen at once;
// what a client sends ahead (up to kMostAheadBytes) waits for the next request.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "serve/gate.h"
#include "serve/http_exchange.h"
#include "serve/http_limits.h"
#include "serve/http_parser.h"
#include "serve/service.h"
#include "serve/transport.h"

namespace hadal {

// What all connections of a server share.
struct ConnectionContext {
  HttpLimits limits;
  std::shared_ptr<const Gate> gate;
  std::shared_ptr<Service> service;
  boost::asio::thread_pool* workers = nullptr;  // where handlers compute
  std::atomic<std::uint64_t> body_bytes{0};     // held by all requests
  std::atomic<bool> draining{false};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr std::size_t kMostAheadBytes = 64 << 10;
  using Executor = boost::asio::any_io_executor;
  using Clock = std::chrono::steady_clock;

  // `strand` runs one thing at a time. `ended` is called once, when the connection is closed.
  Connection(Executor strand, std::unique_ptr<Transport> transport, std::string remote, bool tls,
             std::shared_ptr<ConnectionContext> context, std::function<void()> ended);
  ~Connection();

  // From any thread.
  void Start();
  void Drain();  // ends where no request is being answered, else after the answer
  void Kill();   // ends now
  const Executor& strand() const { return strand_; }
  // Waiting for a request, so that it may be closed to make room; since when, in ticks.
  bool idle() const { return idle_.load(); }
  Clock::rep idle_since() const { return idle_since_.load(); }
  const std::string& remote() const { return remote_; }

  // For the exchange in progress, on the strand.
  void Pump(HttpExchange& exchange);
  void Lose();  // the client is gone, or as good as gone

 private:
  enum class Phase : unsigned char {
    kHandshake,
    kIdle,
    kHeader,
    kBody,
    kAnswering,
    kLeaving,
    kClosed
  };

  void BecomeIdle();
  void Read();
  void OnRead(bool ok, std::size_t bytes);
  void Advance();
  bool FeedParser();  // false: more bytes are needed, or the request is refused
  bool AdmitRequest();
  bool CountBody();
  void Dispatch();
  void TurnAway(const ApiError& error);
  void SendWhole(HttpResponse response);

  void Write(std::string bytes);
  void WriteMore();
  void OnWritten(bool ok, std::size_t bytes);
  void AnswerComplete();
  void Leave();
  void Close();
  void ForgetBody();

  void SetDeadline(double seconds_from_phase);
  void OnDeadline();
  void ArmHeartbeat();
  void Record();

  const Executor strand_;
  const std::unique_ptr<Transport> transport_;
  const std::string remote_;
  const bool tls_;
  const std::shared_ptr<ConnectionContext> context_;
  const std::function<void()> ended_;

  Phase phase_ = Phase::kHandshake;
  Clock::time_point phase_since_ = Clock::now();
  std::atomic<bool> idle_{true};
  std::atomic<Clock::rep> idle_since_{Clock::now().time_since_epoch().count()};
  boost::asio::steady_timer deadline_, heartbeat_timer_, write_deadline_;

  // Reading.
  std::array<char, 16 << 10> read_buffer_{};
  bool reading_ = false;
  std::string input_;  // arrived and not yet parsed
  std::unique_ptr<HttpParser> parser_;
  const HttpRoute* route_ = nullptr;
  std::uint64_t counted_body_bytes_ = 0, discarded_bytes_ = 0;

  // Answering.
  std::weak_ptr<HttpExchange> exchange_;
  std::string output_, writing_;
  std::size_t written_ = 0;
  bool write_in_progress_ = false;
  bool complete_ = false;    // the answer's last byte is in output_
  bool keep_alive_ = false;  // after it
  RequestRecord record_;     // of the request in progress
  Clock::time_point began_;  // its first byte
};

}  // namespace hadal
