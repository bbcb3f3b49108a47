#include <boost/asio/ssl/stream.hpp>

#include "serve/stream_transport.h"

namespace hadal {
namespace {

using boost::asio::ip::tcp;
namespace ssl = boost::asio::ssl;

// A base, so that it outlives the stream.
struct HeldContext {
  const std::shared_ptr<ssl::context> context;
};

class Tls : private HeldContext, public StreamTransport<ssl::stream<tcp::socket>> {
 public:
  Tls(tcp::socket socket, std::shared_ptr<ssl::context> held)
      : HeldContext{std::move(held)}, StreamTransport(std::move(socket), *context) {}

  void Handshake(Done done) override {
    stream_.async_handshake(ssl::stream_base::server,
                            [done = std::move(done)](Error error) { done(!error, 0); });
  }
};

}  // namespace

std::unique_ptr<Transport> TlsTransport(tcp::socket socket, std::shared_ptr<ssl::context> context) {
  return std::make_unique<Tls>(std::move(socket), std::move(context));
}

}  // namespace hadal
