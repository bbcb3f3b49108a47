// RequestLog: a line of JSON for every call, with counts and times and no text of prompts or
// answers. A reader that does not read (a full pipe) never holds the server up: lines are dropped,
// and the next one that gets through says how many.
//
// Any thread may call any function.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "serve/service.h"

namespace hadal {

class RequestLog : public CallObserver {
 public:
  explicit RequestLog(int file_descriptor) : file_descriptor_(file_descriptor) {}
  void Ended(const CallRecord& record) override;
  std::int64_t dropped() const;

 private:
  const int file_descriptor_;
  mutable std::mutex mutex_;
  std::int64_t dropped_ = 0, dropped_since_line_ = 0;
};

// The line, without its end. Everything that a client chose is escaped.
std::string LogLine(const CallRecord& record);

}  // namespace hadal
