#include "serve/tls_context.h"

#include <boost/asio/ssl/context.hpp>

namespace hadal {

namespace ssl = boost::asio::ssl;

Result<std::shared_ptr<ssl::context>> ReadCertificate(const std::string& certificate,
                                                      const std::string& key) {
  const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                       ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                       ssl::context::no_compression);
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate, error);
  if (error)
    return UsageError("--tls-cert", certificate + ": " + error.message(),
                      "a chain of PEM certificates", "check the file and its permissions");
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error)
    return UsageError("--tls-key", key + ": " + error.message(),
                      "the PEM key that belongs to the certificate",
                      "check the file and its permissions");
  return context;
}

}  // namespace hadal
