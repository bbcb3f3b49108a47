// What a row of the cache depends on beside token ids: a prefix of another fingerprint is not used.
#pragma once

#include <string>

#include "base/status.h"
#include "formats/checkpoint.h"

namespace hadal {

// 64 hexadecimal digits over the checkpoint's files (names, sizes, times of the last change, first
// megabyte), config.json, tokenizer.json, the profile, whether draft layers take part, and the
// version of the cache's content. Weights are not read: a file that is changed in place with its
// size and time kept is not seen.
Result<std::string> CacheFingerprint(const Checkpoint& checkpoint, const std::string& profile,
                                     bool draft_layers);

}  // namespace hadal
