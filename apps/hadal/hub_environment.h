// Which hub models come from, as the hub's own tools are told.
#pragma once

#include "fetch/pull.h"

namespace hadal {

// The address of HF_ENDPOINT and the token of HF_TOKEN, where they are set.
void ReadHubEnvironment(PullOptions* options);

}  // namespace hadal
