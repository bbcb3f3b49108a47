#include "fetch/address.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace hadal {
namespace {

using Parsed = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string Part(const Parsed& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  std::ranges::transform(copy, copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return copy;
}

Result<Parsed> Parse(const std::string& url) {
  Parsed parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return Unusable(url, "no address", "https://HOST/...", "check the address");
  return parsed;
}

}  // namespace

bool Address::loopback() const {
  const auto digits = [](char c) { return c == '.' || (c >= '0' && c <= '9'); };
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && std::ranges::all_of(host, digits));
}

Result<Address> ParseAddress(const std::string& url) {
  HADAL_ASSIGN_OR_RETURN(const Parsed parsed, Parse(url));
  Address address{Part(parsed, CURLUPART_SCHEME), Part(parsed, CURLUPART_HOST),
                  Part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if ((address.scheme != "https" && address.scheme != "http") || address.host.empty())
    return Unusable(url, "the scheme " + address.scheme, "https", "check the address");
  if (!Part(parsed, CURLUPART_USER).empty() || !Part(parsed, CURLUPART_PASSWORD).empty())
    return Unusable(address.host, "a name or a password in an address", "none",
                    "put the token into HF_TOKEN");
  return address;
}

Result<std::string> ParseBase(const std::string& url) {
  std::string base = url;
  while (base.ends_with('/')) base.pop_back();
  const auto address = ParseAddress(base);
  if (!address.ok() || base.find_first_of("?# ") != std::string::npos)
    return UsageError("the hub's address", url, "https://HOST", "check --from and HF_ENDPOINT");
  return base;
}

Status CheckRedirect(const Address& base, const Address& from, const Address& to) {
  if (base.loopback()) return {};
  if (from.secure() && !to.secure())
    return Unusable(from.host, "a redirect from https to http (" + to.host + ")", "https",
                    "the hub or something before it cannot be trusted; choose another with --from");
  if (to.loopback())
    return Unusable(from.host, "a redirect to this machine (" + to.host + ")",
                    "an address of the hub's", "choose another hub with --from");
  return {};
}

std::string EscapedPath(std::string_view path) {
  std::string text;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || c == '/';
    if (plain)
      text += c;
    else
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

}  // namespace hadal
