// Snapshots in files: what comes back is what went, bit for bit, and nothing else is taken for it.
#include "cache/snapshot_record.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "cache/cache_test_data.h"
#include "cache/disk_index.h"
#include "cache/snapshot_image.h"
#include "cache/write_budget.h"

namespace hadal {
namespace {

class SnapshotRecordTest : public ::testing::Test {
 protected:
  SnapshotRecordTest() {
    path_ = ::testing::TempDir() + "/hadal_record_" + std::to_string(::getpid());
  }
  ~SnapshotRecordTest() override { std::filesystem::remove(path_); }

  std::unique_ptr<SequenceCache> New() { return std::make_unique<SequenceCache>(&pool_, layout_); }
  Ids Some(std::int64_t count) {
    Ids ids;
    for (std::int64_t i = 0; i < count; ++i)
      ids.push_back(static_cast<std::int32_t>(random_.Below(1000)));
    return ids;
  }

  std::string Bytes(std::shared_ptr<const CacheSnapshot> snapshot) {
    const SnapshotImage image("space", std::move(snapshot));
    auto file = AtomicFile::Create(path_);
    EXPECT_TRUE(image.WriteTo(7, "model", &*file).ok());
    EXPECT_TRUE(file->Commit().ok());
    std::string bytes = *ReadFile(path_);
    EXPECT_EQ(bytes.size(), image.FileBytes("model"));
    return bytes;
  }

  static Result<StoredSnapshot> Parse(std::string bytes) {
    StoredSnapshot stored;
    stored.file = std::move(bytes);
    const ByteSpan all = std::as_bytes(std::span(stored.file));
    HADAL_ASSIGN_OR_RETURN(stored.record, ParseRecord(all, all.size()));
    if (!PayloadMatches(stored.record, stored.payload())) return Failed("payload", "changed");
    return stored;
  }

  std::shared_ptr<const CacheSnapshot> Adopt(std::string bytes, PagePool* pool,
                                             std::uint64_t at_once = 1000) {
    auto stored = Parse(std::move(bytes));
    EXPECT_TRUE(stored.ok()) << stored.status().ToString();
    SnapshotAdoption adoption(std::move(*stored), pool, layout_);
    for (;;) {
      const Result<bool> done = adoption.Advance(at_once);
      EXPECT_TRUE(done.ok()) << done.status().ToString();
      if (!done.ok()) return nullptr;
      if (*done) return adoption.Take();
    }
  }

  HostMemory memory_;
  PagePool pool_{&memory_, 0};
  std::shared_ptr<const CacheLayout> layout_ = std::make_shared<CacheLayout>(EveryKind());
  Random random_{21};
  std::string path_;
};

// Both are made of rows that tell their past: they read the same, and go on and back the same.
TEST_F(SnapshotRecordTest, RestoredIsAsIfItHadNeverLeft) {
  for (int line = 0; line < 12; ++line) {
    const auto cache = New();
    const auto steps = 1 + random_.Below(15);
    for (std::uint64_t step = 0; step < steps; ++step) {
      const std::int64_t unfinished = 128 - cache->length() % 128;
      ASSERT_TRUE(TakeStep(cache.get(), Some(random_.Below(2) == 0 ? unfinished
                                                                   : static_cast<std::int64_t>(
                                                                         1 + random_.Below(150)))));
      if (random_.Below(3) == 0) cache->KeepSnapshot();
      if (random_.Below(6) == 0)
        cache->Truncate(cache->length() -
                        std::min<std::int64_t>(cache->length() - 1,
                                               static_cast<std::int64_t>(random_.Below(200))));
    }
    if (cache->length() == 0) continue;
    const std::string bytes = Bytes(cache->Snapshot());
    PagePool other(&memory_, 0);
    for (PagePool* pool : {&pool_, &other}) {
      const auto snapshot = Adopt(bytes, pool);
      ASSERT_NE(snapshot, nullptr);
      SequenceCache restored(pool, layout_);
      restored.Restore(*snapshot);
      ASSERT_TRUE(std::equal(restored.ids().begin(), restored.ids().end(), cache->ids().begin(),
                             cache->ids().end()));
      ExpectReadable(restored);
      EXPECT_LE(restored.held_bytes(), cache->held_bytes());
      for (std::int64_t at = cache->length(); at >= 0; at -= 1 + at % 7) {
        const auto fork = restored.Fork();
        ASSERT_EQ(fork->Truncate(at), cache->Fork()->Truncate(at)) << at;
        ExpectReadable(*fork);
      }
      const Ids more = Some(130);
      const auto left = cache->Fork();
      ASSERT_TRUE(TakeStep(left.get(), more));
      ASSERT_TRUE(TakeStep(&restored, more));
      ExpectReadable(restored);
      // A second leave writes the same bytes: nothing was added, nothing lost.
      EXPECT_EQ(Bytes(restored.Snapshot()), Bytes(left->Snapshot()));
    }
  }
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

// Rows of the number formats that the layouts have, of random bits.
TEST_F(SnapshotRecordTest, KeepsEveryBitOfEveryFormat) {
  CacheLayout layout;
  const std::int64_t width = 7;
  for (const DType dtype : {DType::kF32, DType::kBF16, DType::kU8}) {
    CachePartLayout part;
    part.dtype = dtype;
    part.width = width;
    part.packed_bytes = 584;
    layout.parts.push_back(part);
    part.tokens_per_entry = 4;
    layout.parts.push_back(part);
  }
  layout_ = std::make_shared<CacheLayout>(layout);
  const auto cache = New();
  ASSERT_TRUE(cache->Reserve(203).ok());
  std::vector<std::string> wrote;
  const auto row = [](const SequenceCache& of, std::size_t part, std::int64_t at) {
    const PagedRows rows = of.Part(part);
    return reinterpret_cast<char*>(
               rows.pages[static_cast<std::size_t>(at / rows.page_rows - rows.first_page)]) +
           static_cast<std::uint64_t>(at % rows.page_rows) * of.layout().parts[part].row_bytes();
  };
  for (std::size_t i = 0; i < layout.parts.size(); ++i) {
    for (std::int64_t at = 0; at < layout.parts[i].rows(203); ++at) {
      std::string bits;
      for (std::uint64_t b = 0; b < layout.parts[i].row_bytes(); ++b)
        bits += static_cast<char>(random_.Next32());
      std::memcpy(row(*cache, i, at), bits.data(), bits.size());
      wrote.push_back(std::move(bits));
    }
  }
  cache->Advance(Some(203));
  SequenceCache restored(&pool_, layout_);
  restored.Restore(*Adopt(Bytes(cache->Snapshot()), &pool_));
  auto expected = wrote.begin();
  for (std::size_t i = 0; i < layout.parts.size(); ++i)
    for (std::int64_t at = 0; at < layout.parts[i].rows(203); ++at, ++expected)
      ASSERT_EQ(std::memcmp(row(restored, i, at), expected->data(), expected->size()), 0) << i;
}

TEST_F(SnapshotRecordTest, D08_EveryChangedByteIsSeen) {
  const auto cache = New();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(TakeStep(cache.get(), Some(128)));
  ASSERT_TRUE(TakeStep(cache.get(), Some(3)));
  const std::string bytes = Bytes(cache->Snapshot());
  const std::uint64_t header = *RecordHeaderBytes(std::as_bytes(std::span(bytes)), bytes.size());
  ASSERT_TRUE(Parse(bytes).ok());
  for (std::uint64_t at = 0; at < header; ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << random_.Below(8)));
    ASSERT_FALSE(Parse(changed).ok()) << "header byte " << at;
  }
  for (int i = 0; i < 300; ++i) {
    std::string changed = bytes;
    const std::uint64_t at = header + random_.Below(bytes.size() - header);
    changed[at] = static_cast<char>(changed[at] ^ (1 << random_.Below(8)));
    ASSERT_FALSE(Parse(changed).ok()) << "payload byte " << at;
  }
  for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + cut / 8)
    ASSERT_FALSE(Parse(bytes.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(Parse(bytes + '\0').ok());
  std::string older = bytes;
  older[8] = 0;
  EXPECT_EQ(Parse(older).status().code(), Code::kUnsupported);
}

// Hostile headers with a right digest: each number changed alone is refused, or the record still
// hangs together, and then taking it over stays within its bounds.
TEST_F(SnapshotRecordTest, AForgedHeaderIsNoTimeline) {
  const auto cache = New();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(TakeStep(cache.get(), Some(128)));
  cache->KeepSnapshot();
  ASSERT_TRUE(TakeStep(cache.get(), Some(5)));
  const auto stored = Parse(Bytes(cache->Snapshot()));
  ASSERT_TRUE(stored.ok());
  const auto refused = [&stored](auto change) {
    SnapshotRecord record = stored->record;
    change(&record);
    return !CheckRecord(record).ok();
  };
  EXPECT_FALSE(refused([](SnapshotRecord*) {}));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->tables.ids.pop_back(); }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->tables.states.clear(); }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->tables.states[1].length = 1000; }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->tables.states[1].tables.pop_back(); }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->parts.pop_back(); }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->parts[0].page_rows = 0; }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->parts[0].row_bytes *= 2; }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->pages.push_back(r->pages[0]); }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->pages[0].part = 1; }));
  EXPECT_TRUE(refused([](SnapshotRecord* r) { r->pages[0].end_row = 1 << 30; }));
  for (std::size_t i = 0; i < stored->record.parts.size(); ++i) {
    const auto table = [i](SnapshotRecord* r) -> PageTable& {
      return r->tables.states[0].tables[i];
    };
    EXPECT_TRUE(refused([&](SnapshotRecord* r) { table(r).held_from = 261; })) << i;
    EXPECT_TRUE(refused([&](SnapshotRecord* r) { table(r).held_from = -1; })) << i;
    EXPECT_TRUE(refused([&](SnapshotRecord* r) { table(r).first_page += 1; })) << i;
    if (table(&const_cast<SnapshotRecord&>(stored->record)).pages.empty()) continue;
    EXPECT_TRUE(refused([&](SnapshotRecord* r) { table(r).pages.pop_back(); })) << i;
    EXPECT_TRUE(refused([&](SnapshotRecord* r) { table(r).pages[0] = 0xffffffff; })) << i;
    EXPECT_TRUE(refused([&](SnapshotRecord* r) {
      r->pages[table(r).pages[0]].end_row = r->pages[table(r).pages[0]].first_row + 1;
    })) << i;
  }
}

TEST_F(SnapshotRecordTest, AnAdoptionWithoutRoomLeavesNothing) {
  const auto cache = New();
  ASSERT_TRUE(TakeStep(cache.get(), Some(500)));
  const std::string bytes = Bytes(cache->Snapshot());
  PagePool small(&memory_, 3000);
  {
    SnapshotAdoption adoption(*Parse(bytes), &small, layout_);
    EXPECT_EQ(adoption.Advance(1 << 20).status().code(), Code::kNoRoom);
    EXPECT_EQ(small.used_bytes(), 0u);
  }
  CacheLayout other = *layout_;
  other.parts[0].packed_bytes = 16;
  SnapshotAdoption adoption(*Parse(bytes), &pool_, std::make_shared<CacheLayout>(other));
  EXPECT_EQ(adoption.Advance(1).status().code(), Code::kUnusable);
}

// Files of this version stay readable: those of tests/corpus/prefix (seeds of the fuzzer too) are
// what this program writes, byte for byte. A change of the format is a new version and new files.
TEST_F(SnapshotRecordTest, WritesTheFilesOfItsVersion) {
  const std::string corpus = std::string(HADAL_SOURCE_DIR) + "/tests/corpus/prefix/";
  CacheLayout rows_only = EveryKind();
  rows_only.parts.resize(3);
  rows_only.snapshot_alignment = 0;
  for (const std::string name : {"windows", "rows"}) {
    layout_ = std::make_shared<CacheLayout>(name == "rows" ? rows_only : EveryKind());
    Random random(3);
    const auto cache = New();
    for (const int step : {128, 3, 9}) {
      Ids ids;
      for (int i = 0; i < step; ++i) ids.push_back(static_cast<std::int32_t>(random.Below(1000)));
      ASSERT_TRUE(TakeStep(cache.get(), ids));
      cache->KeepSnapshot();
    }
    const auto kept = ReadFile(corpus + name + ".prefix");
    ASSERT_TRUE(kept.ok()) << kept.status().ToString();
    EXPECT_TRUE(Bytes(cache->Snapshot()) == *kept) << name << ": the format is another one";
  }
  const auto index = ReadFile(corpus + "index");
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(EncodeDiskIndex({{1, 4}, {2, 3}, {17, 5}}), *index);
}

TEST(DiskIndexTest, ComesBackOrIsRefused) {
  const DiskUses uses{{1, 9}, {7, 3}, {~0ull, ~0ull}};
  const std::string bytes = EncodeDiskIndex(uses);
  const auto parse = [](const std::string& text) {
    return ParseDiskIndex(std::as_bytes(std::span(text)));
  };
  EXPECT_EQ(*parse(bytes), uses);
  EXPECT_TRUE(parse(EncodeDiskIndex({}))->empty());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    EXPECT_FALSE(parse(changed).ok()) << at;
    EXPECT_FALSE(parse(bytes.substr(0, at)).ok()) << at;
  }
}

TEST(WriteBudgetTest, D09_HoldsItsRateWhateverTheClockDoes) {
  WriteBudget budget(100, 1000);
  EXPECT_TRUE(budget.Take(1000, 50.0));
  EXPECT_FALSE(budget.Take(1, 50.0));
  EXPECT_FALSE(budget.Take(101, 51.0));
  EXPECT_TRUE(budget.Take(100, 51.0));
  EXPECT_FALSE(budget.Take(1, 10.0));  // set back
  EXPECT_FALSE(budget.Take(1, 51.0));
  EXPECT_FALSE(budget.Take(1001, 1e9));  // never more than the burst
  EXPECT_TRUE(budget.Take(1000, 1e9));
  WriteBudget unbounded(0, 0);
  EXPECT_TRUE(unbounded.Take(~0ull, 0.0));
  Random random(1);
  WriteBudget steady(1000, 5000);
  double now = 0.0, written = 0.0;
  for (int i = 0; i < 5000; ++i) {
    now += random.Uniform();
    const auto bytes = random.Below(4000);
    if (steady.Take(bytes, now)) written += static_cast<double>(bytes);
    ASSERT_LE(written, 5000.0 + now * 1000.0);
  }
  EXPECT_GT(written, now * 900.0);
}

}  // namespace
}  // namespace hadal
