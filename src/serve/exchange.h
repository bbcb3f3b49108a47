// Exchange: one request and the way back to its client. A handler answers exactly once: Send for a
// whole response, or Begin, Write ..., Finish for a stream. It may do so later and from any thread;
// it keeps the exchange alive by its shared_ptr. An exchange that is dropped without an answer
// closes the connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "serve/http_message.h"

namespace hadal {

class Exchange {
 public:
  // More than this waiting for a reader that does not read: the exchange is gone.
  static constexpr std::size_t kMostPendingBytes = std::size_t{1} << 20;
  // An answer that takes longer begins before there is anything to say.
  static constexpr int kBeginSeconds = 15;

  virtual ~Exchange() = default;
  // Belongs to the handler until the answer is sent.
  virtual HttpRequest& request() = 0;

  // A whole response. Content-Length, Date and x-request-id are added.
  virtual void Send(HttpResponse response) = 0;

  // Begins a stream of unknown length. `heartbeat` is what is written when nothing else was for
  // HttpLimits::heartbeat_seconds (": keep-alive\n\n"); empty: nothing.
  virtual void Begin(int status, HttpHeaders headers, std::string heartbeat) = 0;
  // The next piece, written as one. False where the client is gone or too slow: nothing further
  // arrives there, and `OnGone` was or will be called.
  virtual bool Write(std::string piece) = 0;
  virtual void Finish() = 0;
  // For the access log: what the call read and wrote. Before the last Write or Send.
  virtual void SetTokens(std::int64_t /*prompt*/, std::int64_t /*generated*/) {}

  // Called once where the client goes away before the answer is complete, on the strand; at once
  // where it is gone already. Replaces an earlier callback.
  virtual void OnGone(std::function<void()> callback) = 0;
  virtual bool gone() const = 0;

  // Runs `work` on this exchange's strand: one at a time and in order, on a thread where computing
  // for a while hurts nobody. Handlers of routes that need a key start there. The work may run, and
  // the exchange be destroyed with it, before Post returns.
  virtual void Post(std::function<void()> work) = 0;
  // The same, once after so many seconds; not at all where the exchange is gone by then.
  virtual void After(double seconds, std::function<void()> work) = 0;
};

}  // namespace hadal
