// The name of this machine on its network; empty where the system says none.
#pragma once

#include <string>

namespace hadal {

std::string MachineName();

}  // namespace hadal
