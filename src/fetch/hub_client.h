// HubClient: asks a hub, follows where it leads, and says of every failure whether trying again may
// help. The token goes to the hub's own host alone. One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "fetch/address.h"
#include "fetch/http_client.h"

namespace hadal {

inline constexpr int kMostRedirects = 5;

enum class GetEnd : unsigned char { kDone, kAgain, kFinal };

struct GetResult {
  GetEnd end = GetEnd::kFinal;
  Status status = {};  // why it is not kDone
  HttpHead head = {};
  std::uint64_t gained_bytes = 0;  // that no try had brought before; set by who asks
};

// Takes an answer of status 200 or 206. A failure of either ends the call for good.
struct GetSink {
  std::function<Status(const HttpHead&)> begin;
  std::function<Status(std::string_view)> body;
};

struct RetryOptions {
  int retries = 6;                // without a mebibyte gained between them
  double first_wait_seconds = 1;  // doubles
  std::function<void(const std::string&)> on_retry = {};
};

class HubClient {
 public:
  // `base` is of ParseBase. kUsage where the token is no token.
  static Result<HubClient> Make(const std::string& base, const std::string& token,
                                const FetchLimits& limits);

  const std::string& base() const { return base_; }
  const FetchLimits& limits() const { return limits_; }
  bool SameHost(const std::string& url) const;

  GetResult Get(const std::string& url, const std::vector<std::string>& headers,
                const GetSink& sink);

 private:
  HubClient(std::string base, Address address, std::string token, FetchLimits limits)
      : base_(std::move(base)),
        address_(std::move(address)),
        token_(std::move(token)),
        limits_(std::move(limits)),
        http_(std::make_unique<HttpClient>()) {}
  GetResult GetOnce(const std::string& url, const Address& address,
                    const std::vector<std::string>& headers, const GetSink& sink);
  GetResult Judge(const HttpClient::Answer& answer, const std::string& host) const;

  std::string base_;
  Address address_;
  std::string token_;
  FetchLimits limits_;
  std::unique_ptr<HttpClient> http_;
};

// Calls until it is done, hopeless, cancelled, or has failed too often.
Status WithRetries(const FetchLimits& limits, const RetryOptions& options,
                   const std::function<GetResult()>& once);

}  // namespace hadal
