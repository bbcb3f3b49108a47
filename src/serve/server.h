// Server: listens, and answers requests by a router's handlers. HTTP/1.1, with TLS where there is a
// certificate.
//
// It never ends by what a client does: limits (http_limits.h), no thread a connection, no
// descriptor that it cannot spare. Any thread may call any function.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "serve/gate.h"
#include "serve/http_limits.h"
#include "serve/service.h"

namespace hadal {

struct ServerOptions {
  std::string host = "localhost";  // this means 127.0.0.1 and, where there is one, ::1
  int port = 8080;                 // 0: one that is free
  std::string tls_certificate = {}, tls_key = {};  // PEM files; both or none
  bool allow_without_key = false;                  // on other addresses than loopback
  GateOptions gate = {};
  HttpLimits limits = {};
  int network_threads = 1, worker_threads = 2;
};

class Server {
 public:
  // Listens and serves from now on. kUsage where the address is not loopback and no key is in
  // force; kFailed where the port is taken.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               std::shared_ptr<const Router> router,
                                               std::shared_ptr<Service> service,
                                               std::shared_ptr<KeyRing> keys);
  ~Server();  // ends at once what is left

  int port() const;
  std::string url() const;  // "http://127.0.0.1:8080"
  int connections() const;

  // Takes no more connections, lets running requests finish for so long, then ends them with an
  // error. Returns when nothing is left.
  void Drain(double seconds);
  // Reads the certificate again; connections from now on use it.
  Status ReloadCertificate();

  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hadal
