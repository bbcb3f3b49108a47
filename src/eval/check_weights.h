// hadal check weights, and --verify: have the files of a model changed since they were recorded?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/weight_checksums.h"

namespace hadal {

struct CheckWeightsReport {
  bool recorded = false;  // there was nothing to compare with: what is there now was written down
  std::string record = {};
  std::uint64_t bytes = 0;
  std::int64_t files = 0, tensors = 0;
  double seconds = 0;
  std::vector<ChangedPiece> changed = {};

  bool ok() const { return changed.empty(); }
  // Not ok where something has changed: kUnusable, with the first of it and the number of others.
  Status ToStatus() const;
  // {"ok":bool,"recorded":bool,"record":str,"bytes":int,"files":int,"tensors":int,"seconds":num,
  //  "changed":[{"file","name","tensor":bool,"offset":int,"bytes":int,"found"}]}
  std::string ToJson() const;
  std::string ToText() const;
};

// The record of a model, below the folder of the program's own files: never beside the weights.
std::string ChecksumRecord(const std::string& home, const std::string& model_path);

// `model_path` is what FindModel gives. Without a record, or with `anew`, one is written; else the
// files are compared with it, whatever their dates say. A model whose header has changed need not
// open for that.
Result<CheckWeightsReport> CheckWeights(const std::string& model_path, const std::string& record,
                                        bool anew);

}  // namespace hadal
