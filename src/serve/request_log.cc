#include "serve/request_log.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/log_pipe.h"
#include "base/unix_time.h"

namespace hadal {

namespace {

// An ordered object: a line reads the same way every time.
nlohmann::ordered_json BeginLine(const char* event, const std::string& request_id) {
  nlohmann::ordered_json line;
  line["time_ms"] = UnixMilliseconds();
  line["event"] = event;
  line["request_id"] = request_id;
  return line;
}

std::string Written(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string LogLine(const CallRecord& record) {
  nlohmann::ordered_json line = BeginLine("call", record.request_id);
  line["key"] = record.key;
  line["model"] = record.model;
  line["path"] = record.path;
  line["prompt_tokens"] = record.usage.prompt_tokens;
  line["cached_tokens"] = record.usage.cached_tokens;
  line["generated_tokens"] = record.usage.generated_tokens;
  line["queue_seconds"] = record.queue_seconds;
  if (record.first_token_seconds >= 0) line["first_token_seconds"] = record.first_token_seconds;
  line["seconds"] = record.total_seconds;
  if (record.cancelled) line["status"] = 499;  // the client went away
  if (record.failed) line["error"] = record.error_code.empty() ? "failed" : record.error_code;
  for (const FinishReason reason : record.finish_reasons)
    line["finish_reasons"].push_back(Name(reason));
  return Written(line);
}

std::string LogLine(const RequestRecord& record) {
  nlohmann::ordered_json line = BeginLine("request", record.request_id);
  line["key"] = record.key;
  line["method"] = record.method;
  line["route"] = record.route;
  line["status"] = record.status;
  line["bytes"] = record.sent_bytes;
  line["ms"] = std::llround(record.seconds * 1000);
  line["prompt_tokens"] = record.prompt_tokens;
  line["generated_tokens"] = record.generated_tokens;
  return Written(line);
}

void RequestLog::Ended(const CallRecord& record) { Write(LogLine(record)); }
void RequestLog::Answered(const RequestRecord& record) { Write(LogLine(record)); }

void RequestLog::Write(std::string line) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (dropped_since_line_ > 0) {
    line.pop_back();
    line += ",\"dropped_lines\":" + std::to_string(dropped_since_line_) + "}";
  }
  line += '\n';
  if (WriteUnlessFull(file_descriptor_, line)) {
    dropped_since_line_ = 0;
  } else {
    ++dropped_;
    ++dropped_since_line_;
  }
}

std::int64_t RequestLog::dropped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dropped_;
}

}  // namespace hadal
