#include "fetch/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace hadal {
namespace {

using Clock = std::chrono::steady_clock;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

constexpr int kPollMilliseconds = 100;
constexpr long kConnectSeconds = 30, kBufferBytes = 512 << 10;
constexpr std::size_t kMostHeadBytes = 64 << 10;

// An answer on its way.
struct Transfer {
  const HttpClient::Call* call;
  CURL* curl;
  HttpHead head;
  Clock::time_point moved = Clock::now();  // when a byte came last
  std::size_t head_bytes = 0;
  bool begun = false, stopped = false;

  // Once, before the body's first byte or at its end.
  bool Begin() {
    if (begun) return !stopped;
    begun = true;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    head.status = static_cast<int>(status);
    stopped = !call->on_head(head);
    return !stopped;
  }
};

std::string_view Trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

void Keep(std::string_view line, HttpHead* head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (name == "etag") head->etag = value;
  if (name == "content-range") head->content_range = value;
  if (name == "link") head->link = value;
  if (name == "retry-after") head->retry_after = value;
  if (name == "content-length") {
    std::uint64_t length = 0;
    const char* end = value.data() + value.size();
    if (std::from_chars(value.data(), end, length).ptr == end) head->content_length = length;
  }
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  transfer->moved = Clock::now();
  transfer->head_bytes += line.size();
  if (transfer->head_bytes > kMostHeadBytes) return 0;
  if (line.starts_with("HTTP/")) transfer->head = {};  // after a "100 Continue"
  if (!transfer->begun) Keep(line, &transfer->head);
  return line.size();
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  if (!transfer->Begin()) return 0;
  const std::string_view piece(data, size * count);
  transfer->stopped = !transfer->call->on_body(piece);
  transfer->moved = Clock::now();
  return transfer->stopped ? 0 : piece.size();
}

HttpEnd EndOf(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return HttpEnd::kUnreachable;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return HttpEnd::kUntrusted;
    default:
      return HttpEnd::kBroken;
  }
}

std::optional<HttpEnd> LimitReached(const FetchLimits& limits, Clock::time_point moved) {
  if (limits.cancelled && limits.cancelled()) return HttpEnd::kCancelled;
  const Clock::time_point now = Clock::now();
  if (limits.deadline && now > *limits.deadline) return HttpEnd::kDeadline;
  if (now - moved > std::chrono::duration<double>(limits.stall_seconds)) return HttpEnd::kStalled;
  return std::nullopt;
}

void Prepare(CURL* curl, Transfer* transfer, curl_slist* headers) {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, transfer->call->url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "hadal");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (transfer->call->direct) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
}

// libcurl is made ready once, before any thread uses it.
void InitializeOnce() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  HADAL_CHECK(ready == CURLE_OK, "libcurl starts");
}

}  // namespace

struct HttpClient::Handles {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
};

HttpClient::HttpClient() {
  InitializeOnce();
  handles_ = std::make_unique<Handles>();
  HADAL_CHECK(handles_->multi != nullptr && handles_->easy != nullptr, "libcurl has memory");
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(handles_->easy);
  curl_multi_cleanup(handles_->multi);
}

HttpClient::Answer HttpClient::Get(const Call& call, const FetchLimits& limits) {
  CURL* curl = handles_->easy;
  Transfer transfer{.call = &call, .curl = curl, .head = {}};
  Headers headers(nullptr, &curl_slist_free_all);
  for (const std::string& header : call.headers)
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  Prepare(curl, &transfer, headers.get());
  curl_multi_add_handle(handles_->multi, curl);
  std::optional<HttpEnd> limit;
  for (int running = 1; !limit;) {
    curl_multi_perform(handles_->multi, &running);
    if (running == 0) break;
    limit = LimitReached(limits, transfer.moved);
    if (!limit) curl_multi_poll(handles_->multi, nullptr, 0, kPollMilliseconds, nullptr);
  }
  Answer answer;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(handles_->multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    answer.what = curl_easy_strerror(code);
    // A body of no bytes has not begun yet.
    answer.end = code == CURLE_OK && transfer.Begin() ? HttpEnd::kDone : EndOf(code);
  }
  if (transfer.stopped) answer.end = HttpEnd::kStopped;
  if (limit) answer.end = *limit;
  char* redirect = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) transfer.head.redirect = redirect;
  curl_multi_remove_handle(handles_->multi, curl);
  answer.head = std::move(transfer.head);
  return answer;
}

}  // namespace hadal
