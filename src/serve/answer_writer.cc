#include "serve/answer_writer.h"

namespace hadal {

std::string SseData(std::string_view data) {
  std::string event = "data: ";
  event += data;
  event += "\n\n";
  return event;
}

std::string SseEvent(std::string_view event, std::string_view data) {
  std::string text = "event: ";
  text += event;
  text += '\n';
  return text + SseData(data);
}

}  // namespace hadal
