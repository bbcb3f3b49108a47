// The certificate of a server, ready for connections. Internal to the server.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"

namespace boost::asio::ssl {
class context;
}

namespace hadal {

// TLS 1.2 and 1.3. kUsage where the files cannot be used.
Result<std::shared_ptr<boost::asio::ssl::context>> ReadCertificate(const std::string& certificate,
                                                                   const std::string& key);

}  // namespace hadal
