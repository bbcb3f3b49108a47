#include "serve/stream_transport.h"

namespace hadal {
namespace {

using Socket = boost::asio::ip::tcp::socket;

class Plain : public StreamTransport<Socket> {
 public:
  explicit Plain(Socket socket) : StreamTransport(std::move(socket)) {}
  void Handshake(Done done) override { done(true, 0); }
};

}  // namespace

std::unique_ptr<Transport> PlainTransport(Socket socket) {
  return std::make_unique<Plain>(std::move(socket));
}

}  // namespace hadal
