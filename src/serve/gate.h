// Gate: what a request must show before its body is read: a Host that is ours (DNS rebinding), an
// Origin that may speak for its user (cross-site requests), a key where the route needs one. Pure
// but for the count of wrong keys; any thread may call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/key_ring.h"
#include "serve/router.h"

namespace hadal {

struct GateOptions {
  std::vector<std::string> hosts = {};    // beside localhost, addresses and the machine's name
  std::vector<std::string> origins = {};  // "https://chat.example": other pages that may ask
};

class Gate {
 public:
  Gate(GateOptions options, std::shared_ptr<const Router> router, std::shared_ptr<KeyRing> keys);

  struct Pass {
    const HttpRoute* route = nullptr;  // null: `response` is the whole answer (a preflight)
    std::optional<HttpResponse> response = {};
  };
  // Fills in the request's key and parameters.
  ApiResult<Pass> Admit(HttpRequest* request) const;

  // Adds what a page of an allowed other origin needs to see the response.
  void AddCorsHeaders(const HttpRequest& request, HttpHeaders* headers) const;

 private:
  bool HostAllowed(const HttpRequest& request) const;
  enum class OriginKind : unsigned char { kNone, kSame, kListed, kForeign };
  OriginKind OriginOf(const HttpRequest& request) const;
  HttpResponse Preflight(const HttpRequest& request) const;

  const GateOptions options_;
  const std::string machine_name_;
  const std::shared_ptr<const Router> router_;
  const std::shared_ptr<KeyRing> keys_;
};

}  // namespace hadal
