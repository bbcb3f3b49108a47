#include "cache/prefix_tree.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "cache/cache_test_data.h"

namespace hadal {
namespace {

CacheLayout KeepsEveryRow() {
  CacheLayout layout = EveryKind();
  layout.parts.resize(3);
  layout.snapshot_alignment = 0;
  return layout;
}

class PrefixTreeTest : public ::testing::Test {
 protected:
  void UseLayout(CacheLayout layout) { layout_ = std::make_shared<CacheLayout>(std::move(layout)); }

  Ids Some(std::int64_t count) {
    Ids ids;
    for (std::int64_t i = 0; i < count; ++i)
      ids.push_back(static_cast<std::int32_t>(random_.Below(1000)));
    return ids;
  }

  // Feeds ids, in steps that end where a scheduler ends them: at multiples of the alignment.
  void Feed(SequenceCache* cache, std::span<const std::int32_t> ids) {
    const std::int64_t chunk = 128;
    while (!ids.empty()) {
      const auto count = static_cast<std::size_t>(
          std::min<std::int64_t>(std::ssize(ids), chunk - cache->length() % chunk));
      ASSERT_TRUE(TakeStep(cache, ids.first(count)));
      ids = ids.subspan(count);
    }
  }

  std::shared_ptr<const CacheSnapshot> Made(const Ids& ids) {
    SequenceCache cache(&pool_, layout_);
    Feed(&cache, ids);
    cache.KeepSnapshot();
    return cache.Snapshot();
  }

  // A request as the engine serves it: from the best start, with a snapshot left on the way where
  // one is wanted, and one at the end. Answers with the tokens that were not computed.
  std::int64_t Serve(PrefixTree* tree, std::string_view space, const Ids& prompt) {
    const PrefixMatch match = tree->Longest(space, prompt, std::ssize(prompt) - 1);
    SequenceCache cache(&pool_, layout_);
    if (match.snapshot != nullptr) {
      cache.Restore(*match.snapshot);
      EXPECT_EQ(cache.Truncate(match.usable_tokens), match.usable_tokens);
    }
    EXPECT_TRUE(std::equal(cache.ids().begin(), cache.ids().end(), prompt.begin()));
    ExpectReadable(cache);
    const auto rest = std::span(prompt).subspan(static_cast<std::size_t>(match.usable_tokens));
    if (match.wanted_snapshot > 0) {
      const std::int64_t first = match.wanted_snapshot - match.usable_tokens;
      Feed(&cache, rest.first(static_cast<std::size_t>(first)));
      tree->Insert(space, cache.Snapshot());
      Feed(&cache, rest.subspan(static_cast<std::size_t>(first)));
    } else {
      Feed(&cache, rest);
    }
    cache.KeepSnapshot();
    tree->Insert(space, cache.Snapshot());
    return match.usable_tokens;
  }

  HostMemory memory_;
  PagePool pool_{&memory_, 0};
  std::shared_ptr<const CacheLayout> layout_ = std::make_shared<CacheLayout>(EveryKind());
  Random random_{5};
};

Ids Joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_F(PrefixTreeTest, ReachSaysWhatTruncateDoes) {
  for (int line = 0; line < 12; ++line) {
    SequenceCache cache(&pool_, layout_);
    for (int step = 0; step < 12; ++step) {
      ASSERT_TRUE(TakeStep(&cache, Some(static_cast<std::int64_t>(1 + random_.Below(200)))));
      if (random_.Below(2) == 0) Feed(&cache, Some(128 - cache.length() % 128));
      if (random_.Below(3) == 0) cache.KeepSnapshot();
      const CacheReach reach = cache.Reach();
      EXPECT_EQ(reach.length, cache.length());
      for (std::int64_t at = 0; at <= cache.length(); at += 1 + at % 3)
        ASSERT_EQ(reach.Usable(at), cache.Fork()->Truncate(at)) << at << " of " << cache.length();
    }
  }
}

// Against a search through all snapshots, with prompts that share random parts of each other.
TEST_F(PrefixTreeTest, Cve2025_25183_FindsTheBestStart) {
  for (const bool windows : {false, true}) {
    UseLayout(windows ? EveryKind() : KeepsEveryRow());
    PrefixTree tree(&pool_, {0, 1});
    std::vector<std::shared_ptr<const CacheSnapshot>> all;
    Ids last = Some(700);
    int hits = 0;
    for (int i = 0; i < 60; ++i) {
      Ids prompt(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(random_.Below(700)));
      prompt = Joined(prompt, Some(700 - std::ssize(prompt)));
      const std::int64_t asked = std::ssize(prompt) - static_cast<std::int64_t>(random_.Below(30));
      std::int64_t usable = 0, common_most = 0;
      for (const auto& one : all) {
        const auto common =
            std::mismatch(one->ids().begin(), one->ids().end(), prompt.begin(), prompt.end())
                .first -
            one->ids().begin();
        common_most = std::max<std::int64_t>(common_most, std::min<std::int64_t>(common, asked));
        usable = std::max(usable, one->Reach().Usable(std::max<std::int64_t>(
                                      0, std::min<std::int64_t>(common, asked) - 1)));
      }
      const PrefixMatch match = tree.Longest("", prompt, asked);
      ASSERT_EQ(match.usable_tokens, usable) << i;
      ASSERT_EQ(match.common_tokens, common_most) << i;
      hits += match.usable_tokens > 0;
      all.push_back(Made(prompt));
      tree.Insert("", all.back());
      if (random_.Below(3) != 0) last = prompt;
    }
    EXPECT_GT(hits, windows ? 10 : 40);
  }
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(PrefixTreeTest, NothingOfOneSpaceIsFoundInAnother) {
  PrefixTree tree(&pool_, {});
  const Ids prompt = Some(300);
  EXPECT_EQ(tree.Longest("a", prompt, 299).miss, PrefixMiss::kEmpty);
  EXPECT_EQ(Serve(&tree, "a", prompt), 0);
  const PrefixMatch other = tree.Longest("b", prompt, 299);
  EXPECT_EQ(other.snapshot, nullptr);
  EXPECT_EQ(other.common_tokens, 0);
  EXPECT_EQ(other.wanted_snapshot, 0);
  EXPECT_EQ(other.miss, PrefixMiss::kOtherSpace);
  EXPECT_EQ(tree.Longest("a", prompt, 299).usable_tokens, 299);
  tree.Forget("a");
  EXPECT_EQ(tree.Longest("a", prompt, 299).miss, PrefixMiss::kEmpty);
  EXPECT_EQ(tree.stats().spaces, 0);
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(PrefixTreeTest, SaysWhyItHasNoMore) {
  PrefixTree tree(&pool_, {});
  const Ids prompt = Some(900);
  Serve(&tree, "", prompt);
  const auto miss = [&tree](const Ids& ids) { return tree.Longest("", ids, std::ssize(ids)).miss; };
  EXPECT_EQ(miss(prompt), PrefixMiss::kNone);
  EXPECT_EQ(miss(Joined(prompt, {1, 2})), PrefixMiss::kNewTokens);
  EXPECT_EQ(miss(Joined(Ids(prompt.begin(), prompt.begin() + 890), {-1})), PrefixMiss::kDiverged);
  EXPECT_EQ(miss({-1, -2}), PrefixMiss::kDiverged);
  const Ids early = Joined(Ids(prompt.begin(), prompt.begin() + 400), {-1});
  const PrefixMatch forgot = tree.Longest("", early, 401);
  EXPECT_EQ(forgot.miss, PrefixMiss::kWindowForgot);
  EXPECT_EQ(forgot.common_tokens, 400);
  EXPECT_EQ(forgot.usable_tokens, 0);
  EXPECT_EQ(forgot.wanted_snapshot, 384);
  EXPECT_TRUE(tree.EvictOne());
  EXPECT_EQ(miss(prompt), PrefixMiss::kEvicted);
  EXPECT_FALSE(tree.EvictOne());
  Serve(&tree, "", prompt);
  EXPECT_EQ(miss(prompt), PrefixMiss::kNone);
}

TEST_F(PrefixTreeTest, DropsWhatALongerOneServes) {
  UseLayout(KeepsEveryRow());
  PrefixTree tree(&pool_, {});
  Ids conversation;
  for (int turn = 0; turn < 20; ++turn) {
    conversation = Joined(conversation, Some(100));
    EXPECT_EQ(Serve(&tree, "", conversation), turn * 100);
  }
  EXPECT_EQ(tree.stats().snapshots, 1);
  // A shorter one that is served is not stored again.
  EXPECT_EQ(Serve(&tree, "", Ids(conversation.begin(), conversation.begin() + 500)), 499);
  EXPECT_EQ(tree.stats().snapshots, 1);
}

TEST_F(PrefixTreeTest, EvictsWhatWasUsedLongestAgo) {
  std::vector<Ids> prompts;
  for (int i = 0; i < 4; ++i) prompts.push_back(Some(300));
  const std::uint64_t each = [this, &prompts] {
    PrefixTree one(&pool_, {});
    one.Insert("", Made(prompts[0]));
    return one.stats().held_bytes;
  }();
  PrefixTree tree(&pool_, {3 * each});
  for (int i = 0; i < 3; ++i) tree.Insert("s", Made(prompts[static_cast<std::size_t>(i)]));
  EXPECT_EQ(tree.stats().evicted, 0);
  EXPECT_NE(tree.Longest("s", prompts[0], 300).snapshot, nullptr);
  tree.Insert("s", Made(prompts[3]));
  EXPECT_EQ(tree.stats().evicted, 1);
  for (std::size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(tree.Longest("s", prompts[i], 300).miss,
              i == 1 ? PrefixMiss::kEvicted : PrefixMiss::kNone);
  EXPECT_LE(tree.stats().held_bytes, 3 * each);
  EXPECT_EQ(tree.stats().held_bytes, pool_.used_bytes());
  // Larger than everything: not kept, and nothing else had to go.
  EXPECT_FALSE(tree.Insert("s", Made(Some(5000))));
  EXPECT_EQ(tree.stats().evicted, 1);
  EXPECT_EQ(tree.stats().snapshots, 3);
}

TEST_F(PrefixTreeTest, RemembersOnlySoManyEvictedTokens) {
  PrefixTree tree(&pool_, {0, 0, 1000});
  std::vector<Ids> prompts;
  for (int i = 0; i < 5; ++i) {
    prompts.push_back(Some(300));
    tree.Insert(std::to_string(i), Made(prompts.back()));
  }
  while (tree.EvictOne()) {
  }
  EXPECT_EQ(tree.stats().spaces, 3);
  EXPECT_EQ(tree.Longest("1", prompts[1], 300).miss, PrefixMiss::kEmpty);
  EXPECT_EQ(tree.Longest("4", prompts[4], 300).miss, PrefixMiss::kEvicted);
  EXPECT_EQ(tree.stats().held_bytes, 0u);
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

// 500 conversations over 20 shared prefixes, two turns each.
TEST_F(PrefixTreeTest, ManyConversationsShareTheirPrefixes) {
  for (const bool windows : {false, true}) {
    UseLayout(windows ? EveryKind() : KeepsEveryRow());
    PrefixTree tree(&pool_, {});
    constexpr std::int64_t kPrefix = 480, kTurn = 60;
    std::vector<Ids> prefixes, conversations;
    for (int i = 0; i < 20; ++i) prefixes.push_back(Some(kPrefix));
    std::int64_t reused = 0, hits = 0;
    for (int i = 0; i < 500; ++i) {
      conversations.push_back(Joined(prefixes[static_cast<std::size_t>(i % 20)], Some(kTurn)));
      const std::int64_t known = Serve(&tree, "", conversations.back());
      reused += known;
      hits += known > 0;
    }
    // The first of a prefix computes it; with windows the second leaves the snapshot in it.
    const std::int64_t fresh = windows ? 40 : 20;
    EXPECT_GE(reused, (500 - fresh) * (windows ? 384 : kPrefix));
    std::int64_t second = 0;
    for (Ids& conversation : conversations) {
      conversation = Joined(std::move(conversation), Some(kTurn));
      const std::int64_t known = Serve(&tree, "", conversation);
      second += known;
      hits += known > 0;
    }
    EXPECT_GE(second, 500 * (kPrefix + kTurn));
    EXPECT_EQ(hits, 1000 - fresh);
    EXPECT_EQ(tree.stats().held_bytes, pool_.used_bytes());
    if (!windows) {
      // Of the first part, whole pages of a prefix: 7, of 10; of the second 1 of 3; of the third 0
      // of 1. Each prefix is held once.
      EXPECT_EQ(tree.stats().held_bytes, (20u * 8 + 500u * 6) * layout_->parts[0].page_bytes());
      EXPECT_EQ(tree.stats().snapshots, 500);
    }
    RecordProperty(windows ? "windows_held_bytes" : "rows_held_bytes",
                   std::to_string(tree.stats().held_bytes));
  }
}

// Two that computed one prefix at the same time end up with one copy.
TEST_F(PrefixTreeTest, JoinsAPrefixThatWasComputedTwice) {
  const Ids prefix = Some(1024);
  PrefixTree tree(&pool_, {});
  tree.Insert("", Made(Joined(prefix, {1})));
  const std::uint64_t one = tree.stats().held_bytes;
  for (int i = 2; i < 30; ++i) tree.Insert("", Made(Joined(prefix, {i})));
  EXPECT_EQ(tree.stats().held_bytes, pool_.used_bytes());
  // What each adds: windows and moments, and the pages where it differs.
  for (int i = 1; i < 30; ++i) {
    const Ids prompt = Joined(prefix, {i, 7});
    EXPECT_EQ(Serve(&tree, "", prompt), 1025);
  }
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < 3; ++i)
    rows += layout_->parts[i].page_bytes() *
            static_cast<std::uint64_t>(CeilDiv(layout_->parts[i].rows(1024), 64));
  EXPECT_LT(tree.stats().held_bytes, 60 * (one - rows) + 2 * rows);
}

TEST(TokenTreeTest, AgreesWithAList) {
  Random random(3);
  TokenTree tree;
  std::map<Ids, std::uint64_t> list;
  for (int step = 0; step < 1500; ++step) {
    Ids ids;
    const auto length = random.Below(9);
    for (std::uint64_t i = 0; i < length; ++i)
      ids.push_back(static_cast<std::int32_t>(random.Below(3)));
    const auto found = list.find(ids);
    const std::uint64_t before = found == list.end() ? 0 : found->second;
    if (random.Below(5) < 2) {
      EXPECT_EQ(tree.Remove(ids), before);
      list.erase(ids);
    } else if (random.Below(5) < 3) {
      const auto value = static_cast<std::uint64_t>(step + 1);
      EXPECT_EQ(tree.Put(ids, value), before);
      list[ids] = value;
    }
    std::multiset<std::pair<std::int64_t, std::uint64_t>> want, got;
    for (const auto& [one, value] : list)
      want.emplace(
          std::mismatch(one.begin(), one.end(), ids.begin(), ids.end()).first - one.begin(), value);
    std::int64_t last = std::ssize(ids);
    tree.Walk(ids, [&](std::uint64_t value, std::int64_t common) {
      EXPECT_LE(common, last);
      last = common;
      got.emplace(common, value);
      return true;
    });
    ASSERT_EQ(got, want) << step;
    ASSERT_EQ(tree.empty(), list.empty());
  }
}

}  // namespace
}  // namespace hadal
