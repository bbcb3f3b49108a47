// Runs this program again, as a process of its own.
#pragma once

#include <string>
#include <vector>

#include "hadal/status.h"

namespace hadal {

// The standard output of `hadal ARGUMENTS`, without its last line end. Fails where the child does;
// what it says on standard error goes to ours.
Result<std::string> OutputOfOurselves(const std::vector<std::string>& arguments);

}  // namespace hadal
