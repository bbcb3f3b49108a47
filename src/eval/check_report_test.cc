#include "eval/check_report.h"

#include <gtest/gtest.h>

namespace hadal {
namespace {

TEST(CheckReport, CountsDisputedApart) {
  CheckReport report;
  EXPECT_FALSE(report.ok()) << "no vectors prove nothing";
  report.Add(false, true, {});
  report.Add(true, false, {"d", "x", "y"});
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.ToJson(),
            R"({"ok":true,"total":1,"passed":1,"failures":[],"disputed":{"total":1,"passed":0}})");
}

TEST(CheckReport, ListsEveryFailureAsJsonAndTenAsText) {
  CheckReport report;
  for (int i = 0; i < 12; ++i)
    report.Add(false, false, {"row" + std::to_string(i), "got \"1\"\n", "2"});
  EXPECT_FALSE(report.ok());
  const std::string json = report.ToJson();
  EXPECT_NE(json.find(R"("failures":[{"name":"row0","found":"got \"1\"\n","expected":"2"},{)"),
            std::string::npos);
  EXPECT_NE(json.find("row11"), std::string::npos);
  const std::string text = report.ToText();
  EXPECT_NE(text.find("FAILED: 0 of 12 passed"), std::string::npos);
  EXPECT_NE(text.find("row9"), std::string::npos);
  EXPECT_EQ(text.find("row10"), std::string::npos);
  EXPECT_NE(text.find("and 2 more"), std::string::npos);
}

}  // namespace
}  // namespace hadal
