// SnapshotRecord: the header of a snapshot in a file of the disk tier, without its rows. The format
// is described in docs/prefix-cache.md.
//
// Parsing trusts nothing: every count is bounded by the bytes that are there before anything is
// allocated, and what is returned hangs together as a timeline does (each state holds the rows that
// it needs, no page has two places).
//
// Pure functions and plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/status.h"
#include "cache/cache_layout.h"
#include "cache/cache_reach.h"
#include "cache/snapshot_tables.h"

namespace hadal {

inline constexpr std::uint32_t kRecordVersion = 1;
inline constexpr std::uint64_t kRecordPreambleBytes = 64;
inline constexpr std::uint64_t kRecordChunkBytes = 1 << 20;  // of rows under one digest

// What a row of a part is, of a layout: a file of another layout is not used.
struct RecordPart {
  std::uint64_t row_bytes = 0;
  std::int64_t tokens_per_entry = 1;
  std::int64_t page_rows = 1;
  CacheWindow window;

  bool operator==(const RecordPart&) const = default;
};

// Rows of a page that a file holds, one behind the other: rows [first_row, end_row) of the page.
struct RecordPage {
  std::uint32_t part = 0;
  std::uint32_t first_row = 0, end_row = 0;
};

struct SnapshotRecord {
  std::uint64_t number = 0;  // the name of its file, so that files that changed places are seen
  std::string fingerprint;   // of model, profile and layout, as the caller names them
  std::string space;
  std::vector<RecordPart> parts;
  SnapshotTables tables;  // pages are places in `pages`
  std::vector<RecordPage> pages;
  std::uint64_t payload_bytes = 0;  // rows of all pages, in their order
  std::vector<Digest> chunks;       // of each kRecordChunkBytes of the payload

  std::int64_t length() const { return static_cast<std::int64_t>(tables.ids.size()); }
  CacheReach Reach() const;
};

// Chunks of kRecordChunkBytes, the last one shorter.
std::uint64_t RecordChunkCount(std::uint64_t payload_bytes);
std::vector<RecordPart> RecordParts(const CacheLayout& layout);

// The bytes before the payload: preamble and header. The record must hang together.
std::string EncodeRecord(const SnapshotRecord& record);

// The preamble, of the first kRecordPreambleBytes of a file of `file_bytes`: how many bytes the
// payload follows. Unsupported where it is of another version, Unusable where it is broken.
Result<std::uint64_t> RecordHeaderBytes(ByteSpan start, std::uint64_t file_bytes);

// `start` holds at least the bytes before the payload of a file of `file_bytes`.
Result<SnapshotRecord> ParseRecord(ByteSpan start, std::uint64_t file_bytes);

// Whether the payload is the one that was written.
bool PayloadMatches(const SnapshotRecord& record, ByteSpan payload);

// Why a record cannot be a timeline; ok where it can. Part of ParseRecord.
Status CheckRecord(const SnapshotRecord& record);

}  // namespace hadal
