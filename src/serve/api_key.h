// Who asks: a key by its name, what it may do and how much of it. The key itself is never kept,
// only its SHA-256.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace hadal {

// What a route needs and a key may have.
enum class Scope : unsigned char {
  kInfer = 1,    // ask models, list them, count tokens
  kManage = 2,   // fetch and delete models, load and unload them
  kMetrics = 4,  // read what the machine does
};

using KeyHash = Digest;  // SHA-256 of the key's bytes
inline KeyHash HashKey(std::string_view key) { return Sha256Digest(key); }
// Takes the same time whatever differs.
bool SameHash(const KeyHash& a, const KeyHash& b);

struct ApiKey {
  std::string name;  // in logs, metrics and the ledger; no secret
  KeyHash hash{};
  unsigned scopes = 7;           // sum of Scope
  std::int64_t most_calls = 64;  // running and waiting at once
  std::int64_t most_tokens = 0;  // of one answer; 0: no bound but the model's
  int priority = 0;              // higher goes first
  bool may(Scope scope) const { return (scopes & static_cast<unsigned>(scope)) != 0; }
};

// Who asks where no key is in force: every scope, named "anonymous".
std::shared_ptr<const ApiKey> Anonymous();

}  // namespace hadal
