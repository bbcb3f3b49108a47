// Names that nobody guesses, and seeds where a request brings none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hadal {

// The prefix and 128 bits from the system's generator, in hexadecimal.
std::string RandomId(std::string_view prefix);
std::uint64_t RandomSeed();

}  // namespace hadal
