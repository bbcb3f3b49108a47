#include "fetch/hub_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

namespace hadal {
namespace {

constexpr double kMostRetryAfterSeconds = 60;
constexpr std::uint64_t kProgressBytes = 1 << 20;

Status Cancelled(const std::string& host) {
  return {Code::kCancelled, host, "stopped on request", "", ""};
}
Status Late(const std::string& host) {
  return {Code::kDeadline, host, "not done in the time allowed", "an answer in time",
          "what came is kept: the same command goes on from there"};
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

GetResult Refused(const HttpHead& head, const std::string& host) {
  const std::string found = fmt::format("status {}", head.status);
  switch (head.status) {
    case 401:
    case 403:
      return {GetEnd::kFinal,
              Unusable(host, found, "leave to read",
                       "no such model, or one that needs a token in HF_TOKEN (sent by https alone) "
                       "and its terms accepted at the hub"),
              head};
    case 404:
    case 410:
      return {GetEnd::kFinal,
              Unusable(host, found + ": nothing of this name", "a model",
                       "check owner and name at the hub"),
              head};
    case 408:
    case 416:
    case 429:
      return {GetEnd::kAgain, Failed(host, found, "status 200", "try again later"), head};
    default:
      return {head.status >= 500 ? GetEnd::kAgain : GetEnd::kFinal,
              Failed(host, found, "status 200", "try again later, or another hub with --from"),
              head};
  }
}

double RetryAfterSeconds(const HttpHead& head) {
  int seconds = 0;
  std::from_chars(head.retry_after.data(), head.retry_after.data() + head.retry_after.size(),
                  seconds);
  return std::clamp<double>(seconds, 0, kMostRetryAfterSeconds);
}

Status Wait(double seconds, const FetchLimits& limits, const std::string& host) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (true) {
    if (limits.cancelled && limits.cancelled()) return Cancelled(host);
    if (limits.deadline && Clock::now() > *limits.deadline) return Late(host);
    if (Clock::now() >= end) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Result<HubClient> HubClient::Make(const std::string& base, const std::string& token,
                                  const FetchLimits& limits) {
  HADAL_ASSIGN_OR_RETURN(Address address, ParseAddress(base));
  if (!std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7F; }))
    return UsageError("HF_TOKEN", "spaces or control characters", "a token as the hub gave it",
                      "set it again");
  return HubClient(base, std::move(address), token, limits);
}

bool HubClient::SameHost(const std::string& url) const {
  const auto address = ParseAddress(url);
  return address.ok() && *address == address_;
}

GetResult HubClient::Judge(const HttpClient::Answer& answer, const std::string& host) const {
  constexpr char kLater[] = "check the network, then give the same command again";
  switch (answer.end) {
    case HttpEnd::kDone:
      return {GetEnd::kDone, {}, answer.head};
    case HttpEnd::kStopped:
    case HttpEnd::kBroken:
      return {GetEnd::kAgain,
              Failed(host, "the answer broke off: " + answer.what, "all of it", kLater),
              answer.head};
    case HttpEnd::kUnreachable:
      return {GetEnd::kAgain, Failed(host, "no connection: " + answer.what, "the hub", kLater),
              answer.head};
    case HttpEnd::kStalled:
      return {GetEnd::kAgain,
              Failed(host, fmt::format("no byte for {:g} seconds", limits_.stall_seconds),
                     "an answer that goes on", kLater),
              answer.head};
    case HttpEnd::kUntrusted:
      return {GetEnd::kFinal,
              Failed(host, answer.what, "a certificate that this machine trusts",
                     "check the address, the clock and the package ca-certificates"),
              answer.head};
    case HttpEnd::kDeadline:
      return {GetEnd::kFinal, Late(host), answer.head};
    case HttpEnd::kCancelled:
      break;
  }
  return {GetEnd::kFinal, Cancelled(host), answer.head};
}

GetResult HubClient::GetOnce(const std::string& url, const Address& address,
                             const std::vector<std::string>& headers, const GetSink& sink) {
  HttpClient::Call call{
      .url = url, .headers = headers, .direct = address.loopback(), .on_head = {}, .on_body = {}};
  // To this scheme, host and port and no other; in the clear only on this machine itself.
  if (!token_.empty() && address == address_ && (address.secure() || address.loopback()))
    call.headers.push_back("Authorization: Bearer " + token_);
  Status refused;
  call.on_head = [&](const HttpHead& head) {
    if (head.status != 200 && head.status != 206) return false;
    refused = sink.begin(head);
    return refused.ok();
  };
  call.on_body = [&](std::string_view piece) {
    refused = sink.body(piece);
    return refused.ok();
  };
  const HttpClient::Answer answer = http_->Get(call, limits_);
  const int status = answer.head.status;
  if (!refused.ok()) return {GetEnd::kFinal, refused, answer.head};
  if (answer.end == HttpEnd::kStopped && status != 200 && status != 206)
    return Refused(answer.head, address.host);
  return Judge(answer, address.host);
}

GetResult HubClient::Get(const std::string& url, const std::vector<std::string>& headers,
                         const GetSink& sink) {
  std::string next = url;
  auto address = ParseAddress(next);
  if (!address.ok()) return {GetEnd::kFinal, address.status()};
  for (int redirects = 0;; ++redirects) {
    GetResult result = GetOnce(next, *address, headers, sink);
    if (!IsRedirect(result.head.status)) return result;
    if (result.head.redirect.empty())
      return {GetEnd::kFinal, Unusable(address->host, "a redirect to nowhere", "an address",
                                       "try again, or another hub with --from")};
    if (redirects == kMostRedirects)
      return {GetEnd::kFinal,
              Unusable(address_.host, fmt::format("more than {} redirects", kMostRedirects),
                       "an answer", "the hub leads in a circle; try again, or another hub")};
    auto to = ParseAddress(result.head.redirect);
    if (!to.ok()) return {GetEnd::kFinal, to.status()};
    if (const Status status = CheckRedirect(address_, *address, *to); !status.ok())
      return {GetEnd::kFinal, status};
    next = result.head.redirect;
    address = std::move(to);
  }
}

Status WithRetries(const FetchLimits& limits, const RetryOptions& options,
                   const std::function<GetResult()>& once) {
  for (int failures = 0;;) {
    const GetResult result = once();
    if (result.end == GetEnd::kDone) return {};
    if (result.end == GetEnd::kFinal) return result.status;
    failures = result.gained_bytes >= kProgressBytes ? 1 : failures + 1;
    if (failures > options.retries) return result.status;
    const double wait = std::max(options.first_wait_seconds * (1 << std::min(failures - 1, 10)),
                                 RetryAfterSeconds(result.head));
    if (options.on_retry)
      options.on_retry(fmt::format("{}; try {} of {} in {:g} s", result.status.ToString(), failures,
                                   options.retries, wait));
    HADAL_RETURN_IF_ERROR(Wait(wait, limits, result.status.where()));
  }
}

}  // namespace hadal
