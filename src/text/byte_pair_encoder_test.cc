#include "text/byte_pair_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/random.h"
#include "text/merge_queue.h"

namespace hadal {
namespace {

TEST(MergeQueue, PopsByRankThenPlaceWhateverTheOrder) {
  Random random(3);
  MergeQueue queue;
  std::multimap<std::uint64_t, int> reference;
  for (int step = 0; step < 20000; ++step) {
    if (random.Below(5) < 2 || reference.empty()) {
      const auto rank = static_cast<std::uint32_t>(random.Below(50));
      const auto place = static_cast<std::uint32_t>(random.Below(1000));
      queue.Push(rank, place);
      reference.insert({static_cast<std::uint64_t>(rank) << 32 | place, 0});
    } else {
      std::uint32_t rank = 0, place = 0;
      ASSERT_TRUE(queue.Pop(&rank, &place));
      ASSERT_EQ(reference.begin()->first, static_cast<std::uint64_t>(rank) << 32 | place);
      reference.erase(reference.begin());
    }
  }
  std::uint32_t rank = 0, place = 0;
  for (; !reference.empty(); reference.erase(reference.begin())) {
    ASSERT_TRUE(queue.Pop(&rank, &place));
    ASSERT_EQ(reference.begin()->first, static_cast<std::uint64_t>(rank) << 32 | place);
  }
  EXPECT_FALSE(queue.Pop(&rank, &place));
}

// A vocabulary over a few letters with merges in any order, good or bad.
struct RandomModel {
  std::vector<std::string> tokens;
  std::vector<BpeMerge> merges;

  explicit RandomModel(Random* random, bool in_training_order) {
    for (const char c : std::string("abcd")) tokens.push_back(std::string(1, c));
    while (tokens.size() < 40) {
      const auto left = static_cast<TokenId>(random->Below(tokens.size()));
      const auto right = static_cast<TokenId>(random->Below(tokens.size()));
      const std::string joined =
          tokens[static_cast<std::size_t>(left)] + tokens[static_cast<std::size_t>(right)];
      auto found = std::find(tokens.begin(), tokens.end(), joined);
      const auto result = static_cast<TokenId>(found - tokens.begin());
      if (found == tokens.end()) tokens.push_back(joined);
      const std::uint32_t rank =
          in_training_order ? static_cast<std::uint32_t>(merges.size()) : random->Next32() % 30;
      merges.push_back({left, right, result, rank});
    }
  }
  std::vector<std::string_view> views() const { return {tokens.begin(), tokens.end()}; }

  // The definition, word for word.
  std::vector<TokenId> Reference(std::string_view piece) const {
    std::vector<TokenId> ids;
    for (const char c : piece)
      if (c >= 'a' && c <= 'd') ids.push_back(c - 'a');
    while (true) {
      const BpeMerge* best = nullptr;
      std::size_t best_at = 0;
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
        const BpeMerge* here = nullptr;
        for (const BpeMerge& merge : merges)  // of equal pairs the last one counts
          if (merge.left == ids[i] && merge.right == ids[i + 1]) here = &merge;
        if (here != nullptr && (best == nullptr || here->rank < best->rank)) {
          best = here;
          best_at = i;
        }
      }
      if (best == nullptr) return ids;
      ids[best_at] = best->result;
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
    }
  }
};

TEST(BytePairEncoder, EqualsTheDefinitionShortAndLong) {
  Random random(11);
  for (int round = 0; round < 60; ++round) {
    const RandomModel model(&random, round % 2 == 0);
    const BytePairEncoder encoder(model.views(), model.merges, {});
    for (const std::size_t length : {0, 1, 2, 5, 20, 63, 64, 65, 66, 150, 300}) {
      std::string piece;
      const std::uint64_t letters = 1 + random.Below(5);  // "e" has no token
      for (std::size_t i = 0; i < length; ++i)
        piece += static_cast<char>('a' + static_cast<char>(random.Below(letters)));
      for (int again = 0; again < 2; ++again) {  // the second time the memo answers
        std::vector<TokenId> ids;
        encoder.Encode(piece, &ids);
        ASSERT_EQ(ids, model.Reference(piece)) << piece;
      }
    }
  }
}

TEST(BytePairEncoder, TokensThatMergesDoNotMake) {
  const std::vector<std::string_view> tokens = {"a", "b", "c", "ab", "abc"};
  const std::vector<BpeMerge> merges = {{0, 1, 3, 0}};
  std::vector<TokenId> ids;
  BytePairEncoder(tokens, merges, {}).Encode("abc", &ids);
  EXPECT_EQ(ids, (std::vector<TokenId>{3, 2}));
  ids.clear();
  BytePairEncoder(tokens, merges, {.ignore_merges = true}).Encode("abc", &ids);
  EXPECT_EQ(ids, (std::vector<TokenId>{4}));
}

TEST(BytePairEncoder, BytesWithoutAToken) {
  const std::vector<std::string_view> tokens = {"a", "b", "ab", "?"};
  const std::vector<BpeMerge> merges = {{0, 1, 2, 0}};
  const auto encode = [&](const BpeRules& rules) {
    std::vector<TokenId> ids;
    BytePairEncoder(tokens, merges, rules).Encode("axxbx", &ids);
    return ids;
  };
  EXPECT_EQ(encode({}), (std::vector<TokenId>{2})) << "they vanish, neighbours merge";
  EXPECT_EQ(encode({.unknown = 3}), (std::vector<TokenId>{0, 3, 3, 1, 3}));
  EXPECT_EQ(encode({.unknown = 3, .fuse_unknown = true}), (std::vector<TokenId>{0, 3, 1, 3}));
}

TEST(BytePairEncoder, Cve2025_52566_OneLetterAMillionTimes) {
  std::vector<std::string> tokens = {"a"};
  std::vector<BpeMerge> merges;
  for (TokenId id = 0; id < 5; ++id) {
    tokens.push_back(tokens.back() + tokens.back());
    merges.push_back({id, id, id + 1, static_cast<std::uint32_t>(id)});
  }
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  const BytePairEncoder encoder(views, merges, {});
  std::vector<TokenId> ids;
  encoder.Encode(std::string(1'000'001, 'a'), &ids);
  ASSERT_EQ(ids.size(), 31251u);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 5), 31250);
  EXPECT_EQ(ids.back(), 0);
}

}  // namespace
}  // namespace hadal
