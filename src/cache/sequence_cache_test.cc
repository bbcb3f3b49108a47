#include "cache/sequence_cache.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/cache_test_data.h"

namespace hadal {
namespace {

// Two parts of different width; a row holds its token id everywhere.
class SequenceCacheTest : public ::testing::Test {
 protected:
  std::unique_ptr<SequenceCache> New() { return std::make_unique<SequenceCache>(&pool_, layout_); }

  static void Append(SequenceCache* cache, std::vector<std::int32_t> ids) {
    ASSERT_TRUE(cache->Reserve(static_cast<std::int64_t>(ids.size())).ok());
    for (std::size_t part = 0; part < 2; ++part) {
      const PagedRows rows = cache->Part(part);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::int64_t at = cache->length() + static_cast<std::int64_t>(i);
        float* row = Row(rows, at);
        for (std::int64_t c = 0; c < rows.width; ++c) row[c] = static_cast<float>(ids[i]);
      }
    }
    cache->Advance(ids);
  }

  static void ExpectHolds(const SequenceCache& cache) {
    for (std::size_t part = 0; part < 2; ++part) {
      const PagedRows rows = cache.Part(part);
      for (std::int64_t at = 0; at < cache.length(); ++at)
        ASSERT_EQ(Row(rows, at)[rows.width - 1],
                  static_cast<float>(cache.ids()[static_cast<std::size_t>(at)]));
    }
  }

  static float* Row(const PagedRows& rows, std::int64_t at) {
    return reinterpret_cast<float*>(rows.pages[static_cast<std::size_t>(at / kPageTokens)]) +
           at % kPageTokens * rows.width;
  }

  HostMemory memory_;
  PagePool pool_{&memory_, 0};
  std::shared_ptr<const CacheLayout> layout_ =
      std::make_shared<CacheLayout>(CacheLayout{{{DType::kF32, 3}, {DType::kF32, 5}}});
};

std::vector<std::int32_t> Counting(std::int32_t first, std::int32_t count) {
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < count; ++i) ids.push_back(first + i);
  return ids;
}

TEST_F(SequenceCacheTest, ForksShareUntilTheyDiffer) {
  auto first = New();
  Append(first.get(), Counting(0, 100));
  const std::uint64_t alone = pool_.used_bytes();
  auto second = first->Fork();
  EXPECT_EQ(pool_.used_bytes(), alone);
  Append(second.get(), Counting(1000, 10));
  Append(first.get(), Counting(2000, 90));
  ExpectHolds(*first);
  ExpectHolds(*second);
  EXPECT_EQ(second->length(), 110);
}

TEST_F(SequenceCacheTest, GivesBackWhatItForgets) {
  auto cache = New();
  Append(cache.get(), Counting(0, 200));
  const auto moment = cache->Snapshot();
  cache->Truncate(65);
  Append(cache.get(), Counting(500, 3));
  ExpectHolds(*cache);
  cache->Restore(*moment);
  EXPECT_EQ(cache->length(), 200);
  ExpectHolds(*cache);
  cache.reset();
  EXPECT_GT(pool_.used_bytes(), 0u);
}

TEST_F(SequenceCacheTest, RandomTimelinesKeepTheirContent) {
  Random random(7);
  {
    std::vector<std::unique_ptr<SequenceCache>> timelines;
    timelines.push_back(New());
    for (int step = 0; step < 600; ++step) {
      SequenceCache& one = *timelines[random.Below(timelines.size())];
      switch (random.Below(4)) {
        case 0:
          one.Truncate(static_cast<std::int64_t>(
              random.Below(static_cast<std::uint64_t>(one.length()) + 1)));
          break;
        case 1:
          if (timelines.size() < 6)
            timelines.push_back(one.Fork());
          else
            timelines.erase(timelines.begin() + 1);
          break;
        default:
          Append(&one, Counting(step * 1000, static_cast<std::int32_t>(1 + random.Below(150))));
      }
      for (const auto& timeline : timelines) ExpectHolds(*timeline);
    }
  }
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(SequenceCacheTest, RefusesPastItsBudgetAndStaysAsItWas) {
  PagePool pool(&memory_, 2 * 64 * 8 * sizeof(float));
  SequenceCache cache(&pool, layout_);
  Append(&cache, Counting(0, 100));
  EXPECT_EQ(cache.Reserve(100).code(), Code::kNoRoom);
  EXPECT_EQ(cache.length(), 100);
  ExpectHolds(cache);
  EXPECT_TRUE(cache.Reserve(28).ok());
}

}  // namespace
}  // namespace hadal
