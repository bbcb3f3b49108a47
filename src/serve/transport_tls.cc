#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "serve/transport.h"

namespace hadal {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

class Tls : public Transport {
 public:
  Tls(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void Handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](Error error) { done(!error, 0); });
  }
  void ReadSome(char* to, std::size_t bytes, Done done) override {
    stream_.async_read_some(
        asio::buffer(to, bytes),
        [done = std::move(done)](Error error, std::size_t n) { done(!error, n); });
  }
  void WriteSome(std::string_view from, Done done) override {
    stream_.async_write_some(
        asio::buffer(from.data(), from.size()),
        [done = std::move(done)](Error error, std::size_t n) { done(!error, n); });
  }
  void EndSending() override {
    // Not TLS's own farewell, which would wait for the read in progress: every body here says its
    // length, so that nobody takes this end for an early one.
    Error ignored;
    stream_.next_layer().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  void Close() override {
    Error ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  const std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Transport> TlsTransport(asio::ip::tcp::socket socket,
                                        std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<Tls>(std::move(socket), std::move(context));
}

}  // namespace hadal
