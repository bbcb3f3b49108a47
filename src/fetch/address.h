// Addresses: where a hub is, and where it may send us. Read by libcurl's own parser, so that what
// is compared is what is spoken to. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace hadal {

struct Address {
  std::string scheme, host, port;  // lower case; the port always stands there

  bool secure() const { return scheme == "https"; }
  bool loopback() const;  // of this machine: localhost, 127.0.0.0/8, ::1
  bool operator==(const Address&) const = default;
};

// Of "https://host[:port]/..." or "http://...". kUnusable for other schemes, and for a name or
// password in it.
Result<Address> ParseAddress(const std::string& url);

// A hub's address as a user gives it, without the '/' at its end; kUsage for a query or fragment.
Result<std::string> ParseBase(const std::string& url);

// Whether a hub at `base` may lead from one address to another: never from https to http, and never
// to this machine, but where the hub is here itself.
Status CheckRedirect(const Address& base, const Address& from, const Address& to);

// A path with every byte spelled as %XX that means something in an address; '/' stays.
std::string EscapedPath(std::string_view path);

}  // namespace hadal
