// Writing log lines to a descriptor that may be a pipe which nobody reads.
#pragma once

#include <string_view>

namespace hadal {

// Writes the line whole, or nothing: false where there is no room now, where nobody reads any more,
// or where it is longer than what a pipe takes at once (4096 bytes).
bool WriteUnlessFull(int file_descriptor, std::string_view line);

}  // namespace hadal
