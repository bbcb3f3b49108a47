// CheckReport: what a run over a file of vectors found, and its two printed forms. The JSON form is
// the contract of `check tokenizer|encode|parse --json` (docs/cli.md).
#pragma once

#include <string>
#include <vector>

namespace hadal {

// One vector that did not come out as written. `found` and `expected` are whole, never shortened.
struct CheckFailure {
  std::string name, found, expected;
};

// Plain data, filled by one thread. Vectors marked as disputed (implementations differ on them) are
// counted apart: they are in neither `total` nor `failures`, and do not decide ok().
struct CheckReport {
  int total = 0;
  int passed = 0;
  std::vector<CheckFailure> failures;
  int disputed_total = 0;
  int disputed_passed = 0;

  // Counts one vector; keeps the failure where it did not pass.
  void Add(bool disputed, bool pass, CheckFailure failure);

  // An empty file proves nothing, so it is not ok.
  bool ok() const { return passed == total && total + disputed_total > 0; }

  // {"ok":bool,"total":int,"passed":int,"failures":[{"name","found","expected"}],
  //  "disputed":{"total":int,"passed":int}} on one line.
  std::string ToJson() const;
  // Lines for people: the counts, then the first ten failures in full.
  std::string ToText() const;
};

}  // namespace hadal
