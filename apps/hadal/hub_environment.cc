#include "hub_environment.h"

#include <cstdlib>

namespace hadal {

void ReadHubEnvironment(PullOptions* options) {
  if (const char* hub = std::getenv("HF_ENDPOINT"); hub != nullptr && *hub != '\0')
    options->hub = hub;
  if (const char* token = std::getenv("HF_TOKEN"); token != nullptr) options->token = token;
}

}  // namespace hadal
