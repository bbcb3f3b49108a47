#include "serve/model_room.h"

#include <gtest/gtest.h>

namespace hadal {
namespace {

using Chosen = std::vector<std::size_t>;

TEST(ModelRoom, TakesTheOldestAndNoMoreThanNeeded) {
  const RoomRow rows[] = {{10, true, 3}, {10, true, 1}, {10, true, 2}};
  EXPECT_EQ(ChooseToUnload(40, 10, rows), Chosen{});
  EXPECT_EQ(ChooseToUnload(30, 10, rows), Chosen{1});
  EXPECT_EQ(ChooseToUnload(30, 11, rows), (Chosen{1, 2}));
  EXPECT_EQ(ChooseToUnload(30, 30, rows), (Chosen{1, 2, 0}));
  EXPECT_EQ(ChooseToUnload(30, 31, rows), std::nullopt);
}

TEST(ModelRoom, LeavesWhatIsUsed) {
  const RoomRow rows[] = {{10, false, 1}, {10, true, 2}};
  EXPECT_EQ(ChooseToUnload(20, 10, rows), Chosen{1});
  EXPECT_EQ(ChooseToUnload(20, 11, rows), std::nullopt);
}

TEST(ModelRoom, HasNoBoundWhereNoneIsGiven) {
  const RoomRow rows[] = {{UINT64_MAX, false, 1}};
  EXPECT_EQ(ChooseToUnload(0, UINT64_MAX, rows), Chosen{});
  EXPECT_EQ(ChooseToUnload(1000, UINT64_MAX, rows), std::nullopt) << "sums do not wrap";
}

}  // namespace
}  // namespace hadal
