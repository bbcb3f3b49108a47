// RequestLog: a line of JSON for every call of a model and one for every HTTP request, with counts
// and times and no text of prompts or answers. Both carry the request's id. A reader that does not
// read (a full pipe) never holds the server up: lines are dropped, and the next one that gets
// through says how many.
//
// Any thread may call any function.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "serve/service.h"

namespace hadal {

class RequestLog : public CallObserver, public RequestObserver {
 public:
  explicit RequestLog(int file_descriptor) : file_descriptor_(file_descriptor) {}
  void Ended(const CallRecord& record) override;
  void Answered(const RequestRecord& record) override;
  std::int64_t dropped() const;

 private:
  void Write(std::string line);

  const int file_descriptor_;
  mutable std::mutex mutex_;
  std::int64_t dropped_ = 0, dropped_since_line_ = 0;
};

// The line, without its end. Everything that a client chose is escaped.
std::string LogLine(const CallRecord& record);
std::string LogLine(const RequestRecord& record);

}  // namespace hadal
