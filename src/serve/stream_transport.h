// StreamTransport: what a socket and a TLS stream of Asio have in common. Private to the room.
#pragma once

#include <boost/asio/buffer.hpp>
#include <utility>

#include "serve/transport.h"

namespace hadal {

template <typename Stream>
class StreamTransport : public Transport {
 public:
  template <typename... Arguments>
  explicit StreamTransport(Arguments&&... arguments)
      : stream_(std::forward<Arguments>(arguments)...) {}

  void ReadSome(char* to, std::size_t bytes, Done done) override {
    stream_.async_read_some(
        boost::asio::buffer(to, bytes),
        [done = std::move(done)](Error error, std::size_t n) { done(!error, n); });
  }
  void WriteSome(std::string_view from, Done done) override {
    stream_.async_write_some(
        boost::asio::buffer(from.data(), from.size()),
        [done = std::move(done)](Error error, std::size_t n) { done(!error, n); });
  }
  // Not TLS's own farewell, which would wait for the read in progress: every body here says its
  // length, so that nobody takes this end for an early one.
  void EndSending() override {
    Error ignored;
    stream_.lowest_layer().shutdown(boost::asio::socket_base::shutdown_send, ignored);
  }
  void Close() override {
    Error ignored;
    stream_.lowest_layer().close(ignored);
  }

 protected:
  using Error = boost::system::error_code;
  Stream stream_;
};

}  // namespace hadal
