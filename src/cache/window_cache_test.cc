// Timelines whose parts forget: windows, histories of compressors, entries for several tokens.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"
#include "cache/cache_test_data.h"
#include "cache/sequence_cache.h"

namespace hadal {
namespace {

class WindowCacheTest : public ::testing::Test {
 protected:
  std::unique_ptr<SequenceCache> New() { return std::make_unique<SequenceCache>(&pool_, layout_); }

  bool Step(SequenceCache* cache, std::span<const std::int32_t> ids) {
    return TakeStep(cache, ids);
  }

  bool Feed(SequenceCache* cache, std::span<const std::int32_t> ids, std::size_t chunk) {
    for (std::size_t at = 0; at < ids.size(); at += chunk)
      if (!Step(cache, ids.subspan(at, std::min(chunk, ids.size() - at)))) return false;
    return true;
  }

  // Back to `length`, with what is gone fed again in other chunks.
  std::int64_t GoBack(SequenceCache* cache, std::int64_t length, std::size_t chunk) {
    const Ids ids(cache->ids().begin(), cache->ids().begin() + length);
    const std::int64_t held = cache->Truncate(length);
    EXPECT_LE(held, length);
    EXPECT_EQ(held, cache->length());
    ExpectReadable(*cache);
    Feed(cache, std::span(ids).subspan(static_cast<std::size_t>(held)), chunk);
    return held;
  }

  Ids Some(std::int64_t count) {
    Ids ids;
    for (std::int64_t i = 0; i < count; ++i)
      ids.push_back(static_cast<std::int32_t>(random_.Below(1000)));
    return ids;
  }

  HostMemory memory_;
  PagePool pool_{&memory_, 0};
  std::shared_ptr<const CacheLayout> layout_ = std::make_shared<CacheLayout>(EveryKind());
  Random random_{11};
};

TEST_F(WindowCacheTest, GoesBackFreelyWithinTheRollback) {
  for (const std::int64_t length : {5, 30, 127, 128, 129, 300, 1000}) {
    for (const std::size_t chunk : {1u, 7u, 64u, 1000u}) {
      const auto cache = New();
      Feed(cache.get(), Some(length), chunk);
      for (std::int64_t back = 0; back <= std::min<std::int64_t>(24, length); ++back) {
        const auto fork = cache->Fork();
        ASSERT_EQ(fork->Truncate(length - back), length - back) << length << " in " << chunk;
        ExpectReadable(*fork);
        ASSERT_TRUE(Step(fork.get(), Some(40)));
        ExpectReadable(*fork);
      }
      ExpectReadable(*cache);
    }
  }
}

TEST_F(WindowCacheTest, BeginsAfreshAfterForgetting) {
  const auto cache = New();
  Feed(cache.get(), Some(1060), 1060);
  cache->Clear();
  EXPECT_EQ(pool_.used_bytes(), 0u);
  Feed(cache.get(), Some(30), 30);
  EXPECT_EQ(cache->Truncate(10), 10);
  ExpectReadable(*cache);
}

TEST_F(WindowCacheTest, AStepThatDidNotRunLeavesNothing) {
  const auto cache = New();
  Feed(cache.get(), Some(150), 150);
  const auto fork = cache->Fork();
  const Ids next = Some(3);
  ASSERT_TRUE(fork->Reserve(1000).ok());
  Feed(fork.get(), next, 3);
  Feed(cache.get(), next, 3);
  EXPECT_EQ(fork->held_bytes(), cache->held_bytes());
  ExpectReadable(*fork);
}

// In steps that end on multiples of the alignment, as the scheduler's do.
TEST_F(WindowCacheTest, FartherBackItReturnsToASnapshot) {
  const auto cache = New();
  Feed(cache.get(), Some(1920), 128);  // stretches end at 512, 1024 and 1536
  cache->KeepSnapshot();               // 1920
  Feed(cache.get(), Some(680), 128);   // to 2600, the newest at 2560
  struct Case {
    std::int64_t length, held;
  };
  for (const Case& one : {Case{2590, 2590}, Case{2570, 2560}, Case{2559, 2048}, Case{2047, 1920},
                          Case{1921, 1920}, Case{1919, 1536}, Case{600, 512}, Case{511, 0}}) {
    const auto fork = cache->Fork();
    EXPECT_EQ(GoBack(fork.get(), one.length, 100), one.held);
    ExpectReadable(*fork);
  }
}

TEST_F(WindowCacheTest, KeepsAFewTurns) {
  const auto cache = New();
  for (int turn = 1; turn <= 11; ++turn) {
    Feed(cache.get(), Some(128), 128);
    cache->KeepSnapshot();
    cache->KeepSnapshot();  // the same turn
  }
  // Of the turns the last four; of the others those that begin a stretch.
  struct Case {
    std::int64_t length, held;
  };
  for (const Case& one : {Case{1300, 1280}, Case{1279, 1152}, Case{1151, 1024}, Case{1023, 512}}) {
    const auto fork = cache->Fork();
    EXPECT_EQ(fork->Truncate(one.length), one.held);
  }
}

TEST_F(WindowCacheTest, HoldsNoMoreThanItsCost) {
  for (const std::size_t chunk : {1u, 50u, 128u, 512u}) {
    const auto cache = New();
    EXPECT_EQ(cache->held_bytes(), 0u);
    const CacheCost cost = CostOf(*layout_, 512);
    for (int step = 0; step < 300; ++step) {
      ASSERT_TRUE(Step(cache.get(), Some(static_cast<std::int64_t>(chunk))));
      if (step % 7 == 0) cache->KeepSnapshot();
      const double tokens =
          static_cast<double>(RoundUp(static_cast<std::uint64_t>(cache->length()), 64));
      EXPECT_LE(static_cast<double>(cache->held_bytes()),
                tokens * cost.bytes_per_token() + static_cast<double>(cost.sequence_bytes));
      EXPECT_EQ(cache->held_bytes(), pool_.used_bytes());
    }
  }
}

TEST_F(WindowCacheTest, RandomTimelinesAreAsIfNothingHadHappened) {
  PagePool bounded(&memory_, 30000);
  for (PagePool* pool : {&pool_, &bounded}) {
    int refused = 0;
    {
      std::vector<std::unique_ptr<SequenceCache>> lines;
      std::vector<std::shared_ptr<const CacheSnapshot>> moments;
      lines.push_back(std::make_unique<SequenceCache>(pool, layout_));
      for (int step = 0; step < 1500; ++step) {
        SequenceCache& one = *lines[random_.Below(lines.size())];
        if (one.length() > 3000) one.Clear();
        const std::int64_t length = one.length();
        const std::int64_t back = static_cast<std::int64_t>(
            random_.Below(static_cast<std::uint64_t>(random_.Below(3) == 0 ? length : 30) + 1));
        switch (random_.Below(9)) {
          case 0:
            GoBack(&one, std::max<std::int64_t>(0, length - back), 1 + random_.Below(200));
            break;
          case 1:
            one.KeepSnapshot();
            break;
          case 2:
            if (lines.size() < 5)
              lines.push_back(one.Fork());
            else
              lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(random_.Below(5)));
            break;
          case 3:
            moments.push_back(one.Snapshot());
            if (moments.size() > 3) moments.erase(moments.begin());
            break;
          case 4:
            if (!moments.empty()) one.Restore(*moments[random_.Below(moments.size())]);
            break;
          case 5:
            (void)one.Reserve(1 + back);  // a step that did not run
            break;
          default: {
            const std::int64_t unfinished = (128 - length % 128) % 128;
            const auto count = random_.Below(2) == 0
                                   ? unfinished
                                   : static_cast<std::int64_t>(1 + random_.Below(150));
            if (count > 0 && !Step(&one, Some(count))) ++refused;
          }
        }
        for (const auto& line : lines) ExpectReadable(*line);
        ASSERT_FALSE(HasFailure()) << "at step " << step;
      }
    }
    EXPECT_EQ(pool->used_bytes(), 0u);
    EXPECT_EQ(refused > 0, pool == &bounded);
  }
}

}  // namespace
}  // namespace hadal
