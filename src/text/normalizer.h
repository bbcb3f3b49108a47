// Normalizer: what tokenizer.json's `normalizer` does to a text before it is cut into pieces.
#pragma once

#include <string>
#include <string_view>

#include "base/metadata.h"
#include "base/status.h"

namespace hadal {

// Immutable; any thread may use it.
//
// NFC (Qwen's files) and NFD, alone or in a Sequence; others are refused by name. Decompositions
// and pairs come from utf8proc (Debian 12: Unicode 14, Debian 13: Unicode 16). The reference
// library normalises by the tables of Unicode 9: marks and composites that are younger take no part
// in it. normalizer.cc lists the younger ones that matter, so that neither library's version
// decides.
class Normalizer {
 public:
  // `description` may be null (JSON null or nullptr): nothing is changed.
  static Result<Normalizer> FromJson(const Metadata* description, const std::string& where);

  bool IsIdentity() const { return form_ == Form::kNone; }
  // `text` is valid UTF-8; so is the result. Time is linear but for the sorting of marks.
  std::string Apply(std::string_view text) const;

 private:
  enum class Form : unsigned char { kNone, kComposed, kDecomposed };
  Form form_ = Form::kNone;
};

}  // namespace hadal
