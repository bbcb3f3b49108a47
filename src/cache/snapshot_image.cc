#include "cache/snapshot_image.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace hadal {
namespace {

// Changes the pool's pages of tables into places in a list of record pages, and back.
class PageList {
 public:
  explicit PageList(SnapshotRecord* record) : record_(record) {}

  // Names the pages of a table; each gets the rows that any table holds of it.
  void Add(std::uint32_t part_index, std::int64_t length, PageTable* table) {
    const RecordPart& part = record_->parts[part_index];
    const std::int64_t end = length / part.tokens_per_entry;
    for (std::size_t i = 0; i < table->pages.size(); ++i) {
      const std::int64_t begin =
          (table->first_page + static_cast<std::int64_t>(i)) * part.page_rows;
      const auto first = static_cast<std::uint32_t>(std::max(table->held_from, begin) - begin);
      const auto last = static_cast<std::uint32_t>(std::min(end - begin, part.page_rows));
      const auto [at, added] =
          places_.emplace(table->pages[i], static_cast<std::uint32_t>(pages_.size()));
      if (added) {
        pages_.push_back(table->pages[i]);
        record_->pages.push_back({part_index, first, last});
      }
      RecordPage& page = record_->pages[at->second];
      page.first_row = std::min(page.first_row, first);
      page.end_row = std::max(page.end_row, last);
      table->pages[i] = at->second;
    }
  }
  const std::vector<std::uint32_t>& pages() const { return pages_; }

 private:
  SnapshotRecord* record_;
  std::map<std::uint32_t, std::uint32_t> places_;
  std::vector<std::uint32_t> pages_;
};

// Collects rows into whole chunks of the payload.
template <typename TakeChunk>
Status ForChunks(const std::vector<ByteSpan>& rows, const TakeChunk& take) {
  std::vector<std::byte> chunk;
  chunk.reserve(kRecordChunkBytes);
  for (ByteSpan left : rows) {
    while (!left.empty()) {
      const std::size_t count =
          std::min<std::size_t>(left.size(), kRecordChunkBytes - chunk.size());
      chunk.insert(chunk.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
      left = left.subspan(count);
      if (chunk.size() < kRecordChunkBytes) continue;
      HADAL_RETURN_IF_ERROR(take(ByteSpan(chunk)));
      chunk.clear();
    }
  }
  return chunk.empty() ? Status() : take(ByteSpan(chunk));
}

}  // namespace

SnapshotImage::SnapshotImage(std::string space, std::shared_ptr<const CacheSnapshot> snapshot)
    : snapshot_(std::move(snapshot)) {
  record_.space = std::move(space);
  record_.parts = RecordParts(snapshot_->layout());
  record_.tables = snapshot_->Tables();
  PageList list(&record_);
  for (std::size_t s = 0; s < record_.tables.states.size(); ++s) {
    SnapshotState& state = record_.tables.states[s];
    auto table = state.tables.begin();
    for (std::uint32_t i = 0; i < record_.parts.size(); ++i)
      if (s == 0 || record_.parts[i].window.bounded()) list.Add(i, state.length, &*table++);
  }
  for (std::size_t i = 0; i < record_.pages.size(); ++i) {
    const RecordPage& page = record_.pages[i];
    const std::uint64_t row_bytes = record_.parts[page.part].row_bytes;
    rows_.emplace_back(snapshot_->pool()->Fetch(list.pages()[i]) + page.first_row * row_bytes,
                       (page.end_row - page.first_row) * row_bytes);
    record_.payload_bytes += rows_.back().size();
  }
}

std::uint64_t SnapshotImage::FileBytes(const std::string& fingerprint) const {
  SnapshotRecord record = record_;
  record.fingerprint = fingerprint;
  record.chunks.resize(RecordChunkCount(record.payload_bytes));
  return EncodeRecord(record).size() + record.payload_bytes;
}

Status SnapshotImage::WriteTo(std::uint64_t number, const std::string& fingerprint,
                              AtomicFile* file) const {
  SnapshotRecord record = record_;
  record.number = number;
  record.fingerprint = fingerprint;
  HADAL_RETURN_IF_ERROR(ForChunks(rows_, [&record](ByteSpan chunk) {
    record.chunks.push_back(Sha256Digest(chunk));
    return Status();
  }));
  HADAL_RETURN_IF_ERROR(CheckRecord(record));
  HADAL_RETURN_IF_ERROR(file->Write(EncodeRecord(record)));
  return ForChunks(rows_, [file](ByteSpan chunk) { return file->Write(chunk); });
}

SnapshotAdoption::SnapshotAdoption(StoredSnapshot stored, PagePool* pool,
                                   std::shared_ptr<const CacheLayout> layout)
    : stored_(std::move(stored)), pool_(pool), layout_(std::move(layout)) {}

SnapshotAdoption::~SnapshotAdoption() { Release(); }

void SnapshotAdoption::Release() {
  for (const std::uint32_t page : pages_) pool_->Release(page);
  pages_.clear();
  read_bytes_ = 0;
}

Result<bool> SnapshotAdoption::Advance(std::uint64_t most_bytes) {
  const SnapshotRecord& record = stored_.record;
  if (record.parts != RecordParts(*layout_))
    return Unusable("prefix file", "rows of another layout", "the layout of this model and profile",
                    "its tokens are computed again");
  const ByteSpan payload = stored_.payload();
  std::vector<std::byte> content;
  std::uint64_t done = 0;
  for (; pages_.size() < record.pages.size() && done < std::max<std::uint64_t>(most_bytes, 1);) {
    const RecordPage& page = record.pages[pages_.size()];
    const RecordPart& part = record.parts[page.part];
    const std::uint64_t bytes = (page.end_row - page.first_row) * part.row_bytes;
    const std::uint64_t page_bytes = static_cast<std::uint64_t>(part.page_rows) * part.row_bytes;
    const Result<std::uint32_t> taken = pool_->Take(page_bytes);
    if (!taken.ok()) {
      Release();
      return taken.status();
    }
    pages_.push_back(*taken);
    const std::byte* from = payload.data() + read_bytes_;
    if (bytes < page_bytes) {  // the rest of it is zero
      content.assign(page_bytes, std::byte{0});
      std::memcpy(content.data() + page.first_row * part.row_bytes, from, bytes);
      from = content.data();
    }
    pool_->Put(*taken, from);
    read_bytes_ += bytes;
    done += page_bytes;
  }
  return pages_.size() == record.pages.size();
}

std::shared_ptr<const CacheSnapshot> SnapshotAdoption::Take() {
  HADAL_CHECK(pages_.size() == stored_.record.pages.size(), "taken before it was complete");
  SnapshotTables tables = std::move(stored_.record.tables);
  for (SnapshotState& state : tables.states)
    for (PageTable& table : state.tables)
      for (std::uint32_t& page : table.pages) page = pages_[page];
  auto snapshot = CacheSnapshot::Of(pool_, layout_, std::move(tables));
  Release();
  stored_ = {};
  return snapshot;
}

}  // namespace hadal
