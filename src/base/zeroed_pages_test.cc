#include "base/zeroed_pages.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace hadal {
namespace {

TEST(ZeroedPages, AreZeroAndOurs) {
  constexpr std::uint64_t kBytes = 3 * kLargeBlockBytes + 12345;
  for (int round = 0; round < 3; ++round) {
    auto* bytes = static_cast<unsigned char*>(TakeZeroedPages(kBytes));
    ASSERT_NE(bytes, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes) % 4096, 0u);
    EXPECT_TRUE(std::all_of(bytes, bytes + kBytes, [](unsigned char b) { return b == 0; }));
    std::memset(bytes, round + 1, kBytes);  // the next block must not show it
    FreeZeroedPages(bytes, kBytes);
  }
}

TEST(ZeroedPages, RefusesWhatCannotBe) {
  EXPECT_EQ(TakeZeroedPages(0), nullptr);
  EXPECT_EQ(TakeZeroedPages(UINT64_MAX), nullptr);
  EXPECT_EQ(TakeZeroedPages(UINT64_MAX - (3 << 20)), nullptr);
  EXPECT_EQ(TakeZeroedPages(std::uint64_t{1} << 60), nullptr);
}

TEST(ZeroedPages, CountsFreeHugePages) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("hadal_buddyinfo_" + std::to_string(::getpid())))
          .string();
  std::ofstream(path) << "Node 0, zone      DMA      0      0      0      0      0      0      0"
                         "      0      1      1      3 \n"
                         "Node 0, zone   Normal   7721   3934   2911  10755   4537   2425   1247"
                         "    606    301    351   2028 \n";
  constexpr std::uint64_t kMegabyte = 1 << 20;
  // Blocks of 2^9 pages are 2 MB, of 2^10 pages 4 MB.
  EXPECT_EQ(FreeHugeBytes(path.c_str(), 4096, 2 * kMegabyte),
            (1 + 351) * 2 * kMegabyte + (3 + 2028) * 4 * kMegabyte);
  std::remove(path.c_str());
  EXPECT_EQ(FreeHugeBytes(path.c_str(), 4096, 2 * kMegabyte), 0u);
}

}  // namespace
}  // namespace hadal
