// Ledger: who used how much, call by call, in a SQLite file that outlives the server. It holds
// counts and times and no text of prompts or answers.
//
// Calls are written by a thread of its own, many in one transaction, so that no answer waits for a
// disk. A call whose record was dropped because the disk was too slow is counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hadal/status.h"
#include "serve/energy_share.h"
#include "serve/service.h"

namespace hadal {

// A row of the table `calls`.
struct LedgerEntry {
  std::int64_t time_milliseconds = 0;                 // of its end, since 1970, UTC
  std::string request_id, key, model, path, outcome;  // outcome: a finish reason or an error's code
  std::int64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0, reasoning_tokens = 0;
  double seconds = 0, first_token_seconds = -1;  // negative: there was none
  std::optional<double> joules = {};
};

// Sums over the calls of a key and model.
struct LedgerTotal {
  std::string key, model;
  std::int64_t calls = 0, prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
  double seconds = 0;
  std::optional<double> joules = {};  // of the calls where it was known
};

// Any thread may call any function.
class Ledger : public CallObserver {
 public:
  // Opens or makes the file. A file that is none of ours, or of a later version, is refused.
  static Result<std::shared_ptr<Ledger>> Open(const std::string& path);
  // Sums by key and model over calls that ended at or after `since_milliseconds`, from a file that
  // is there. Works beside a running server.
  static Result<std::vector<LedgerTotal>> Totals(const std::string& path,
                                                 std::int64_t since_milliseconds);
  ~Ledger() override;  // writes what waits

  void Started(const CallRecord& record) override;
  void Ended(const CallRecord& record) override;

  void Add(LedgerEntry entry);
  // Returns when everything added before is in the file.
  void Flush();
  std::int64_t dropped() const;

  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hadal
