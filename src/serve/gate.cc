#include "serve/gate.h"

#include <algorithm>

#include "serve/machine_name.h"

namespace hadal {
namespace {

// The host of "host:port", "[::1]:port" or an address; empty where it is neither.
std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == host.npos ? std::string_view() : host.substr(0, end + 1);
  }
  return host.substr(0, host.find(':'));
}

bool AllDigitsAndDots(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// Only names can be rebound; an address is what the client connected to.
bool IsAddress(std::string_view host) { return host.starts_with('[') || AllDigitsAndDots(host); }

std::string_view KeyOf(const HttpRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.headers.Find("Authorization");
  if (authorization.size() > kBearer.size() &&
      EqualsIgnoringCase(authorization.substr(0, kBearer.size()), kBearer))
    return authorization.substr(kBearer.size());
  return request.headers.Find("x-api-key");
}

ApiError Forbidden(std::string message, std::string code) {
  return {.kind = ErrorKind::kForbidden, .message = std::move(message), .code = std::move(code)};
}

}  // namespace

Gate::Gate(GateOptions options, std::shared_ptr<const Router> router, std::shared_ptr<KeyRing> keys)
    : options_(std::move(options)),
      machine_name_(MachineName()),
      router_(std::move(router)),
      keys_(std::move(keys)) {}

bool Gate::HostAllowed(const HttpRequest& request) const {
  if (request.headers.Count("Host") != 1) return false;
  std::string_view host = WithoutPort(request.headers.Find("Host"));
  if (host.ends_with('.')) host.remove_suffix(1);
  if (IsAddress(host) || EqualsIgnoringCase(host, "localhost")) return true;
  if (!machine_name_.empty() && EqualsIgnoringCase(host, machine_name_)) return true;
  return std::any_of(options_.hosts.begin(), options_.hosts.end(),
                     [&](const std::string& allowed) { return EqualsIgnoringCase(host, allowed); });
}

Gate::OriginKind Gate::OriginOf(const HttpRequest& request) const {
  const std::string_view origin = request.headers.Find("Origin");
  if (origin.empty()) {
    // Requests for images and the like say no origin, but current browsers say from where.
    const std::string_view site = request.headers.Find("Sec-Fetch-Site");
    const bool foreign = site == "cross-site" || site == "same-site";
    const bool navigation = request.headers.Find("Sec-Fetch-Mode") == "navigate";
    return foreign && !(navigation && request.method == "GET") ? OriginKind::kForeign
                                                               : OriginKind::kNone;
  }
  const std::string own =
      (request.tls ? "https://" : "http://") + std::string(request.headers.Find("Host"));
  if (request.headers.Count("Origin") == 1 && EqualsIgnoringCase(origin, own))
    return OriginKind::kSame;
  for (const std::string& listed : options_.origins)
    if (EqualsIgnoringCase(origin, listed)) return OriginKind::kListed;
  return OriginKind::kForeign;
}

HttpResponse Gate::Preflight(const HttpRequest& request) const {
  HttpResponse response{204, {}, {}};
  AddCorsHeaders(request, &response.headers);
  response.headers.Add("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
  // The clients' own headers: x-stainless-* are many, so what is asked for is allowed.
  const std::string_view wanted = request.headers.Find("Access-Control-Request-Headers");
  if (!wanted.empty()) response.headers.Add("Access-Control-Allow-Headers", std::string(wanted));
  response.headers.Add("Access-Control-Max-Age", "600");
  return response;
}

void Gate::AddCorsHeaders(const HttpRequest& request, HttpHeaders* headers) const {
  if (!options_.origins.empty()) headers->Add("Vary", "Origin");
  if (OriginOf(request) != OriginKind::kListed) return;
  headers->Add("Access-Control-Allow-Origin", std::string(request.headers.Find("Origin")));
  headers->Add("Access-Control-Expose-Headers", "x-request-id, retry-after");
}

ApiResult<Gate::Pass> Gate::Admit(HttpRequest* request) const {
  if (!HostAllowed(*request))
    return Forbidden("the Host header does not name this server; allow a name with --allowed-host",
                     "host_not_allowed");
  const OriginKind origin = OriginOf(*request);
  if (request->method == "OPTIONS" && request->headers.Has("Access-Control-Request-Method")) {
    if (origin == OriginKind::kForeign)
      return Forbidden("pages of this origin may not ask; allow it with --origin",
                       "origin_not_allowed");
    return Pass{nullptr, Preflight(*request)};
  }
  auto match = router_->Find(request->method, request->path);
  if (!match.ok()) return match.error();
  const HttpRoute& route = *match->route;
  // A foreign page holds no key of its own; with one, somebody gave it that.
  const bool foreign = origin == OriginKind::kForeign;
  if (foreign && (route.access.is_public() || !keys_->in_force()))
    return Forbidden("pages of this origin may not ask; allow it with --origin",
                     "origin_not_allowed");
  request->key = Anonymous();
  if (!route.access.is_public()) {
    auto key = keys_->Find(KeyOf(*request), request->remote);
    if (!key.ok()) return key.error();
    if (!(*key)->may(route.access.scope()))
      return Forbidden("this key may not do that", "scope_missing");
    request->key = *key;
  }
  request->parameters = std::move(match->parameters);
  return Pass{&route, {}};
}

}  // namespace hadal
