#include <poll.h>
#include <unistd.h>

#include <climits>

#include "base/log_pipe.h"

namespace hadal {

bool WriteUnlessFull(int file_descriptor, std::string_view line) {
  // POSIX: a pipe that poll calls writable takes PIPE_BUF bytes at once without waiting.
  if (line.size() > PIPE_BUF) return false;
  pollfd waits{file_descriptor, POLLOUT, 0};
  if (poll(&waits, 1, 0) != 1 || (waits.revents & POLLOUT) == 0) return false;
  return write(file_descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace hadal
