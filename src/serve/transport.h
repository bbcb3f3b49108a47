// Transport: bytes of one connection, in the clear or through TLS. Everything on the connection's
// executor; one read and one write at a time. Internal to the server.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace boost::asio::ssl {
class context;
}

namespace hadal {

class Transport {
 public:
  // ok is false at the end of the connection and after every failure.
  using Done = std::function<void(bool ok, std::size_t bytes)>;

  virtual ~Transport() = default;
  virtual void Handshake(Done done) = 0;
  virtual void ReadSome(char* to, std::size_t bytes, Done done) = 0;
  virtual void WriteSome(std::string_view from, Done done) = 0;
  virtual void EndSending() = 0;
  // At once; pending reads and writes fail.
  virtual void Close() = 0;
};

std::unique_ptr<Transport> PlainTransport(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Transport> TlsTransport(boost::asio::ip::tcp::socket socket,
                                        std::shared_ptr<boost::asio::ssl::context> context);

}  // namespace hadal
