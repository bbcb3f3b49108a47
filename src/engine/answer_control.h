// AnswerControl: what those outside of the loop wish of an answer that is on its way. Any thread
// may set it; the loop looks before each token.
#pragma once

#include <atomic>
#include <cstdint>

namespace hadal {

struct AnswerControl {
  std::int64_t prompt_tokens = 0;  // Usage::prompt_tokens; set before the loop has the request
  std::atomic<bool> cancelled{false};
  std::atomic<bool> ends_reasoning{false};
};

}  // namespace hadal
