// HttpExchange: the Exchange of a connection. Handlers call it from any thread; what they write is
// gathered here and taken by the connection on its own strand. Internal to the server.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/exchange.h"

namespace hadal {

class Connection;

// How the answer must be framed.
struct ReplyForm {
  bool head_only = false;  // HEAD
  bool keep_alive = false;
  bool chunked = true;     // else a stream ends with its connection (HTTP/1.0)
  HttpHeaders extra = {};  // for every response (CORS)
};

class HttpExchange : public Exchange, public std::enable_shared_from_this<HttpExchange> {
 public:
  HttpExchange(HttpRequest request, ReplyForm form, std::shared_ptr<Connection> connection,
               boost::asio::thread_pool* workers);
  ~HttpExchange() override;

  HttpRequest& request() override { return request_; }
  void Send(HttpResponse response) override;
  void Begin(int status, HttpHeaders headers, std::string heartbeat) override;
  bool Write(std::string piece) override;
  void Finish() override;
  void SetTokens(std::int64_t prompt, std::int64_t generated) override;
  void OnGone(std::function<void()> callback) override;
  bool gone() const override { return gone_.load(); }
  void Post(std::function<void()> work) override;
  void After(double seconds, std::function<void()> work) override;

  // For the connection, on its strand.
  struct Output {
    std::string bytes;
    bool finished = false;
    int status = 0;
    std::int64_t prompt_tokens = 0, generated_tokens = 0;
  };
  Output Take();
  void Written(std::size_t bytes);
  void ClientGone();
  // What to write where nothing was written for a while; empty: nothing.
  std::string Heartbeat() const;
  const ReplyForm& form() const { return form_; }

 private:
  std::string Framed(std::string piece) const;
  void Append(std::string bytes, bool finished);
  void CancelTimers();

  HttpRequest request_;
  const ReplyForm form_;
  const std::shared_ptr<Connection> connection_;
  const boost::asio::strand<boost::asio::thread_pool::executor_type> strand_;
  std::atomic<bool> gone_{false};

  mutable std::mutex mutex_;
  std::string buffer_;             // not yet taken by the connection
  std::size_t pending_bytes_ = 0;  // buffer_, and what the connection has not yet written
  bool announced_ = false;         // the connection knows that there is something
  bool streaming_ = false, finished_ = false;
  int status_ = 0;
  std::int64_t prompt_tokens_ = 0, generated_tokens_ = 0;
  std::string heartbeat_;
  std::function<void()> on_gone_;
  std::vector<std::shared_ptr<boost::asio::steady_timer>> timers_;
};

}  // namespace hadal
