// A pattern as a tree: what PatternParser makes and PatternText builds from. Inside of `sample`.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/code_set.h"

namespace hadal {

struct PatternNode {
  enum class Kind : unsigned char { kSet, kSequence, kChoice, kRepeat, kBegin, kEnd };
  Kind kind = Kind::kSequence;
  CodeSet set = {};                     // kSet
  std::vector<PatternNode> parts = {};  // of kRepeat one
  std::uint32_t min = 0, max = 0;       // kRepeat
};

// Fails with kUsage at `where`. The tree is at most kMostPatternDepth deep.
inline constexpr int kMostPatternDepth = 50;
Result<PatternNode> ParsePattern(std::string_view pattern, const std::string& where);

}  // namespace hadal
