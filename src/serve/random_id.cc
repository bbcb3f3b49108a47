#include "serve/random_id.h"

#include <openssl/rand.h>

#include <array>
#include <cstring>

#include "base/check.h"
#include "base/digest.h"

namespace hadal {
namespace {

template <std::size_t kSize>
std::array<unsigned char, kSize> RandomBytes() {
  std::array<unsigned char, kSize> bytes{};
  HADAL_CHECK(RAND_bytes(bytes.data(), kSize) == 1, "the system gives no random numbers");
  return bytes;
}

}  // namespace

std::string RandomId(std::string_view prefix) {
  const auto bytes = RandomBytes<16>();
  return std::string(prefix) + Hex(std::as_bytes(std::span(bytes)));
}

std::uint64_t RandomSeed() {
  const auto bytes = RandomBytes<8>();
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

}  // namespace hadal
