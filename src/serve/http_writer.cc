#include "serve/http_writer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

namespace hadal {
namespace {

constexpr std::pair<int, std::string_view> kReasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {529, "Overloaded"},
};

std::string_view ReasonOf(int status) {
  for (const auto& [number, reason] : kReasons)
    if (number == status) return reason;
  return "Status";
}

void AppendField(std::string* head, std::string_view name, std::string_view value) {
  *head += name;
  *head += ": ";
  for (const char c : value) *head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  *head += "\r\n";
}

}  // namespace

std::string HttpDate(std::int64_t unix_seconds) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using std::chrono::days;
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

std::string Chunk(std::string_view data) {
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

std::string ResponseHead(int status, const HttpHeaders& headers, const HeadOptions& options) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, ReasonOf(status));
  AppendField(&head, "Date", HttpDate(options.unix_seconds));
  AppendField(&head, "x-request-id", options.request_id);
  AppendField(&head, "X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : headers.fields()) AppendField(&head, name, value);
  if (options.content_length)
    AppendField(&head, "Content-Length", std::to_string(*options.content_length));
  else if (options.chunked)
    AppendField(&head, "Transfer-Encoding", "chunked");
  AppendField(&head, "Connection", options.keep_alive ? "keep-alive" : "close");
  return head + "\r\n";
}

}  // namespace hadal
