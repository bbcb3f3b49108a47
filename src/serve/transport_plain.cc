#include <boost/asio/buffer.hpp>

#include "serve/transport.h"

namespace hadal {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

class Plain : public Transport {
 public:
  explicit Plain(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  void Handshake(Done done) override { done(true, 0); }
  void ReadSome(char* to, std::size_t bytes, Done done) override {
    socket_.async_read_some(
        asio::buffer(to, bytes),
        [done = std::move(done)](Error error, std::size_t n) { done(!error, n); });
  }
  void WriteSome(std::string_view from, Done done) override {
    socket_.async_write_some(
        asio::buffer(from.data(), from.size()),
        [done = std::move(done)](Error error, std::size_t n) { done(!error, n); });
  }
  void EndSending() override {
    Error ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  void Close() override {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  asio::ip::tcp::socket socket_;
};

}  // namespace

std::unique_ptr<Transport> PlainTransport(asio::ip::tcp::socket socket) {
  return std::make_unique<Plain>(std::move(socket));
}

}  // namespace hadal
