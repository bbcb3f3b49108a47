// DiskIndex: when the files of the disk tier were used last, by a logical counter. It only orders
// evictions: what is there, and whether it is whole, the files themselves say, so that an index
// that is lost, old or broken costs no entry.
//
// Pure functions; any thread. The format is described in docs/prefix-cache.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace hadal {

using DiskUses = std::map<std::uint64_t, std::uint64_t>;  // number of a file to its last use

std::string EncodeDiskIndex(const DiskUses& uses);
// Unusable or Unsupported where it is broken or of another version.
Result<DiskUses> ParseDiskIndex(ByteSpan bytes);

}  // namespace hadal
