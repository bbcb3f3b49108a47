#include <unistd.h>

#include "serve/machine_name.h"

namespace hadal {

std::string MachineName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? std::string(name) : std::string();
}

}  // namespace hadal
