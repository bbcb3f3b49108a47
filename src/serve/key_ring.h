// KeyRing: the keys in force, from a file of lines
//
//   # name   the key or its SHA-256      what it may do and how much
//   alice    sha256:9f86d081884c...      scopes=infer calls=8 tokens=4096 priority=1
//   admin    key:sk-...                  scopes=infer,manage,metrics
//
// Left out: scopes=infer, 64 calls at once, tokens without a bound, priority 0. Any thread may
// call.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "serve/api_error.h"
#include "serve/api_key.h"

namespace hadal {

using ApiKeys = std::vector<std::shared_ptr<const ApiKey>>;

// `where` names the text in messages; no message holds a key. kUsage for a line that cannot be read
// and a name that comes twice.
Result<ApiKeys> ParseKeys(std::string_view text, const std::string& where);
Result<ApiKeys> ReadKeyFile(const std::string& path);

// A new key, "sk-hadal-..." with 256 random bits, and the line that lets it in.
struct NewKey {
  std::string key, line;
};
Result<NewKey> MakeKey(const std::string& name);

class KeyRing {
 public:
  static constexpr int kMostFailures = 20;  // wrong keys from one address in a minute

  void Set(ApiKeys keys);
  // Whether keys are needed at all.
  bool in_force() const;
  // Whose key this is: kUnauthorized for a wrong one, kRateLimited after too many from `remote`.
  // An empty key is a missing one, which is not counted. Without keys in force: Anonymous().
  ApiResult<std::shared_ptr<const ApiKey>> Find(std::string_view key, const std::string& remote);

 private:
  using Clock = std::chrono::steady_clock;
  bool MayTry(const std::string& remote, Clock::time_point now);
  void CountFailure(const std::string& remote, Clock::time_point now);

  struct Failures {
    Clock::time_point since = {};
    int count = 0;
  };
  mutable std::mutex mutex_;
  ApiKeys keys_;
  std::map<std::string, Failures> failures_;
};

}  // namespace hadal
