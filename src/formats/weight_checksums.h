// WeightChecksums: what the bytes of a checkpoint were at one time, so that bits that have flipped
// since on a disk are found, and named with tensor, file and place.
//
// Every file is cut into its header, its tensors and what lies between them, and each of those into
// pieces of a mebibyte, with 16 bytes of SHA-256 a piece (as fast as a disk reads, where the
// processor has instructions for it). The record says what lies where, so that a header that has
// changed is found by it and need not be understood. Reading goes past the mapping: a file that
// became shorter is a finding and no fault.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "formats/checkpoint.h"

namespace hadal {

inline constexpr std::uint64_t kChecksumPieceBytes = std::uint64_t{1} << 20;

// A run of bytes of a file that has a name: a tensor, or what is none ("header", "between tensors",
// and "content" of a file that holds none at all).
struct ChecksumSpan {
  std::string name = {};
  bool is_tensor = false;
  std::uint64_t offset_bytes = 0, size_bytes = 0;
  std::vector<std::array<std::byte, 16>> digests = {};  // of each piece, in order
};

struct WeightChecksums {
  struct File {
    std::string path = {};
    std::uint64_t size_bytes = 0;
    std::vector<ChecksumSpan> spans = {};
  };
  std::vector<File> files = {};

  std::uint64_t bytes() const;
  std::int64_t tensors() const;
};

// A piece that is not what it was.
struct ChangedPiece {
  std::string file = {};
  std::string name = {};  // of the span
  bool is_tensor = false;
  std::uint64_t offset_bytes = 0, size_bytes = 0;  // where in the file the change lies
  std::string found = {};                          // "other bytes", or what is wrong with the file
};

// Reads the weights, and the configuration and the tokenizer beside them. kUnusable where a file
// cannot be read.
Result<WeightChecksums> ChecksumsOf(const Checkpoint& checkpoint, ThreadPool* threads);

// In the order of the files and of the places in them; a file of another size, or none, comes
// before its pieces.
std::vector<ChangedPiece> FindChanges(const WeightChecksums& recorded, ThreadPool* threads);

// The record as a file, with a digest of its own. Read: kUnusable where it is damaged.
Status WriteChecksums(const WeightChecksums& checksums, const std::string& path);
Result<WeightChecksums> ReadChecksums(const std::string& path);

}  // namespace hadal
