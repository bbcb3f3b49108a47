// A file of the disk tier, or its index: whatever it says, the work is bounded, and a record that
// is accepted can be taken over into pages and be read as the timeline that it claims to be. A
// digest keeps a fuzzer from the fields, so that each input is tried with the right one too.
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/digest.h"
#include "cache/disk_index.h"
#include "cache/snapshot_image.h"
#include "cache/snapshot_record.h"

namespace {

class FuzzMemory : public hadal::Memory {
 public:
  hadal::View Allocate(std::uint64_t bytes) noexcept override {
    return hadal::HostView(std::calloc(bytes, 1), hadal::DType::kU8,
                           {static_cast<std::int64_t>(bytes)});
  }
  void Free(const hadal::View& view) noexcept override {
    std::free(reinterpret_cast<void*>(view.handle));
  }
  const void* Fetch(const hadal::View& view) noexcept override {
    return reinterpret_cast<const void*>(view.handle);
  }
  void Put(const hadal::View& view, const void* from, std::uint64_t bytes) noexcept override {
    std::memcpy(reinterpret_cast<void*>(view.handle), from, bytes);
  }
};

// The layout that the record names, as a model with it would have.
std::shared_ptr<const hadal::CacheLayout> LayoutOf(const hadal::SnapshotRecord& record) {
  hadal::CacheLayout layout;
  for (const hadal::RecordPart& part : record.parts) {
    hadal::CachePartLayout& one = layout.parts.emplace_back();
    one.dtype = hadal::DType::kU8;
    one.packed_bytes = part.row_bytes;
    one.tokens_per_entry = part.tokens_per_entry;
    one.page_rows = part.page_rows;
    one.window = part.window;
  }
  return std::make_shared<const hadal::CacheLayout>(std::move(layout));
}

void TakeOver(hadal::StoredSnapshot stored) {
  constexpr std::uint64_t kRoom = 1 << 24;
  FuzzMemory memory;
  hadal::PagePool pool(&memory, kRoom);
  const auto layout = LayoutOf(stored.record);
  const hadal::CacheReach reach = stored.record.Reach();
  {
    hadal::SnapshotAdoption adoption(std::move(stored), &pool, layout);
    const auto done = adoption.Advance(~0ull);
    if (!done.ok()) return;
    HADAL_CHECK(*done, "all at once");
    hadal::SequenceCache cache(&pool, layout);
    cache.Restore(*adoption.Take());
    HADAL_CHECK(cache.length() == reach.length, "the length that it claims");
    for (const std::int64_t length : {reach.length, reach.length - 1, reach.length / 2}) {
      const std::int64_t held = cache.Fork()->Truncate(length);
      HADAL_CHECK(held == reach.Usable(length), "what its reach says");
    }
    for (std::size_t i = 0; i < cache.parts(); ++i) {
      const hadal::PagedRows rows = cache.Part(i);
      const std::int64_t end = layout->parts[i].rows(cache.length());
      for (std::int64_t r = layout->parts[i].window.NeedFrom(cache.length()); r < end;
           r += rows.page_rows)
        HADAL_CHECK(rows.pages[static_cast<std::size_t>(r / rows.page_rows - rows.first_page)] != 0,
                    "a row that the next token reads");
    }
  }
  HADAL_CHECK(pool.used_bytes() == 0, "every page given back");
}

void Try(const std::string& file) {
  const hadal::ByteSpan bytes = std::as_bytes(std::span(file));
  auto record = hadal::ParseRecord(bytes, bytes.size());
  if (!record.ok()) return;
  HADAL_CHECK(hadal::EncodeRecord(*record).size() + record->payload_bytes == file.size(),
              "a record of another size");
  (void)hadal::PayloadMatches(*record, bytes.last(record->payload_bytes));
  TakeOver({std::move(*record), file});
}

// With the lengths and the digest that its bytes should have.
void Mend(std::string* file) {
  constexpr std::size_t kDigestAt = 32;
  if (file->size() < hadal::kRecordPreambleBytes) return;
  const auto header_bytes = hadal::LoadUnaligned<std::uint64_t>(file->data() + 16);
  if (header_bytes < hadal::kRecordPreambleBytes || header_bytes > file->size()) return;
  hadal::StoreUnaligned<std::uint64_t>(file->data() + 24, file->size());
  std::string covered = file->substr(0, header_bytes);
  covered.erase(kDigestAt, sizeof(hadal::Digest));
  const hadal::Digest digest = hadal::Sha256Digest(std::as_bytes(std::span(covered)));
  hadal::StoreUnaligned(file->data() + kDigestAt, digest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  Try(file);
  Mend(&file);
  Try(file);
  if (size >= sizeof(hadal::Digest)) {
    std::string index(reinterpret_cast<const char*>(data), size);
    const hadal::ByteSpan covered =
        std::as_bytes(std::span(index)).first(size - sizeof(hadal::Digest));
    hadal::StoreUnaligned(index.data() + covered.size(), hadal::Sha256Digest(covered));
    const auto uses = hadal::ParseDiskIndex(std::as_bytes(std::span(index)));
    if (uses.ok()) {
      const std::string again = hadal::EncodeDiskIndex(*uses);
      HADAL_CHECK(hadal::ParseDiskIndex(std::as_bytes(std::span(again))).value() == *uses,
                  "an index that comes back");
    }
  }
  return 0;
}
