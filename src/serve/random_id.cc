#include "serve/random_id.h"

#include <openssl/rand.h>

#include <array>
#include <cstring>

#include "base/check.h"

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
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id(prefix);
  for (const unsigned char byte : RandomBytes<16>()) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

std::uint64_t RandomSeed() {
  const auto bytes = RandomBytes<8>();
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

}  // namespace hadal
