#include "serve/key_ring.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <sstream>

#include "base/file.h"

namespace hadal {
namespace {

std::optional<KeyHash> HashOfHex(std::string_view text) {
  KeyHash hash{};
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    unsigned char byte = 0;
    const auto [end, error] =
        std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, byte, 16);
    if (error != std::errc() || end != text.data() + 2 * i + 2) return std::nullopt;
    hash[i] = std::byte{byte};
  }
  return hash;
}

template <typename T>
bool ParseCount(std::string_view text, T* to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *to);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseScopes(std::string_view text, unsigned* scopes) {
  *scopes = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word == "infer")
      *scopes |= static_cast<unsigned>(Scope::kInfer);
    else if (word == "manage")
      *scopes |= static_cast<unsigned>(Scope::kManage);
    else if (word == "metrics")
      *scopes |= static_cast<unsigned>(Scope::kMetrics);
    else
      return false;
  }
  return *scopes != 0;
}

bool TakeOption(std::string_view word, ApiKey* key) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return false;
  const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
  if (name == "scopes") return ParseScopes(value, &key->scopes);
  if (name == "calls") return ParseCount(value, &key->most_calls) && key->most_calls > 0;
  if (name == "tokens") return ParseCount(value, &key->most_tokens) && key->most_tokens >= 0;
  if (name == "priority") return ParseCount(value, &key->priority);
  return false;
}

bool TakeSecret(std::string_view word, ApiKey* key) {
  constexpr std::string_view kHash = "sha256:", kPlain = "key:";
  if (word.starts_with(kHash)) {
    const auto hash = HashOfHex(word.substr(kHash.size()));
    if (hash) key->hash = *hash;
    return hash.has_value();
  }
  if (!word.starts_with(kPlain) || word.size() == kPlain.size()) return false;
  key->hash = HashKey(word.substr(kPlain.size()));
  return true;
}

// Names stand in logs, metrics and cache spaces.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text != Anonymous()->name &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

Result<ApiKeys> ParseKeys(std::string_view text, const std::string& where) {
  constexpr char kForm[] =
      "NAME sha256:HEX or NAME key:SECRET, then scopes=, calls=, tokens=, priority=";
  ApiKeys keys;
  std::set<std::string> names;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    const std::string place = where + ":" + std::to_string(number);
    auto key = std::make_shared<ApiKey>();
    std::string word;
    if (!(words >> key->name)) continue;
    key->scopes = static_cast<unsigned>(Scope::kInfer);
    if (!IsName(key->name) || !names.insert(key->name).second)
      return UsageError(place, "a name that is not one, or comes twice",
                        "letters, digits and -_. as the first word", "rename the key");
    if (!(words >> word) || !TakeSecret(word, key.get()))
      return UsageError(place, "no key", kForm, "`hadal serve --make-key NAME` prints such a line");
    while (words >> word)
      if (!TakeOption(word, key.get()))
        return UsageError(place, "an option that is not known", kForm, "correct the line");
    keys.push_back(std::move(key));
  }
  if (keys.empty())
    return UsageError(where, "no key", kForm, "`hadal serve --make-key NAME` prints such a line");
  return keys;
}

Result<ApiKeys> ReadKeyFile(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseKeys(text, path);
}

Result<NewKey> MakeKey(const std::string& name) {
  if (!IsName(name))
    return UsageError("--make-key", name, "letters, digits and -_.", "choose another name");
  std::array<unsigned char, 32> random{};
  if (RAND_bytes(random.data(), random.size()) != 1)
    return Failed("random numbers", "none from the system", "32 bytes", "try again");
  NewKey made;
  made.key = "sk-hadal-" + Hex(std::as_bytes(std::span(random)));
  made.line = name + " sha256:" + Hex(HashKey(made.key)) + " scopes=infer";
  return made;
}

void KeyRing::Set(ApiKeys keys) {
  const std::lock_guard<std::mutex> lock(mutex_);
  keys_ = std::move(keys);
}

bool KeyRing::in_force() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !keys_.empty();
}

bool KeyRing::MayTry(const std::string& remote, Clock::time_point now) {
  const auto at = failures_.find(remote);
  if (at == failures_.end()) return true;
  if (now - at->second.since > std::chrono::minutes(1)) {
    failures_.erase(at);
    return true;
  }
  return at->second.count < kMostFailures;
}

void KeyRing::CountFailure(const std::string& remote, Clock::time_point now) {
  constexpr std::size_t kMostAddresses = 10000;  // then the oldest minute is forgotten
  if (failures_.size() >= kMostAddresses)
    std::erase_if(failures_, [now](const auto& entry) {
      return now - entry.second.since > std::chrono::minutes(1);
    });
  if (failures_.size() >= kMostAddresses) failures_.clear();
  Failures& failures = failures_[remote];
  if (failures.count++ == 0) failures.since = now;
}

ApiResult<std::shared_ptr<const ApiKey>> KeyRing::Find(std::string_view key,
                                                       const std::string& remote) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (keys_.empty()) return Anonymous();
  if (key.empty())
    return ApiError{.kind = ErrorKind::kUnauthorized,
                    .message = "a key is needed: Authorization: Bearer KEY, or x-api-key: KEY",
                    .code = "missing_api_key"};
  const auto now = Clock::now();
  if (!MayTry(remote, now))
    return ApiError{.kind = ErrorKind::kRateLimited,
                    .message = "too many wrong keys; wait a minute",
                    .code = "too_many_wrong_keys",
                    .retry_after_seconds = 60};
  const KeyHash hash = HashKey(key);
  std::shared_ptr<const ApiKey> found;
  for (const auto& candidate : keys_)  // all of them: the time says nothing
    if (SameHash(candidate->hash, hash)) found = candidate;
  if (found != nullptr) return found;
  CountFailure(remote, now);
  return ApiError{.kind = ErrorKind::kUnauthorized,
                  .message = "this key is not known",
                  .code = "invalid_api_key"};
}

}  // namespace hadal
