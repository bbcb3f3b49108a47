#include "report.h"

#include <cstdio>

namespace hadal {

int Fail(const Status& status) {
  Say("hadal: " + status.ToString() + "\n");
  return status.ExitCode();
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Say(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace hadal
