#include "serve/api_key.h"

#include <openssl/crypto.h>

namespace hadal {

bool SameHash(const KeyHash& a, const KeyHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::shared_ptr<const ApiKey> Anonymous() {
  static const auto kAnonymous = [] {
    auto key = std::make_shared<ApiKey>();
    key->name = "anonymous";
    key->most_calls = 512;
    return key;
  }();
  return kAnonymous;
}

}  // namespace hadal
