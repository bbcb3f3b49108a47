#include "eval/check_tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

// A tokenizer of 256 bytes and one merge; vectors are written for it by each test.
class CheckTokenizerFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("hadal_check_tokenizer_" +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
    Write("tokenizer.json", R"({"added_tokens":[{"id":4,"content":"<s>","special":true}],
      "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},
      "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"\u00c3":3},"merges":["a b"]}})");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << content;
    return path;
  }
  Result<CheckReport> Check(const std::string& vectors) {
    return CheckTokenizer((folder_ / "tokenizer.json").string(), Write("v.jsonl", vectors));
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(CheckTokenizerFiles, CountsTextsStreamsAndGeneratedRows) {
  const auto good = Check(
      R"({"id":"t","text":"ab<s>ba","added":"all","ids":[2,4,1,0],"decoded":"ab<s>ba","decoded_skip_special":"abba"}
{"id":"n","text":"<s>a","added":"none","ids":[0],"decoded":"a"}
{"id":"s","ids":[0,3,2],"pieces":["a","","\ufffdab"],"flush":""}
{"id":"g","gen":{"unit":"ab","count":3},"added":"all","n_ids":3,"ids_rle":[[2,3]],"decoded_equals_text":true}
{"id":"b","text_b64":"YWKA","text":"ab\ufffd","added":"all","ids":[2],"decoded":"ab"})");
  ASSERT_TRUE(good.ok()) << good.status().ToString();
  EXPECT_TRUE(good->ok()) << good->ToText();
  EXPECT_EQ(good->total, 5);
}

TEST_F(CheckTokenizerFiles, EveryKindOfDifferenceFails) {
  const char* rows[] = {
      R"({"id":"x","text":"ab","added":"all","ids":[0,1],"decoded":"ab"})",
      R"({"id":"x","text":"ab","added":"all","ids":[2],"decoded":"ba"})",
      R"({"id":"x","text":"<s>","added":"all","ids":[4],"decoded":"<s>"})",  // skipped: ""
      R"({"id":"x","text":"<s>a","added":"special_as_text","ids":[4,0],"decoded":"<s>a"})",
      R"({"id":"x","ids":[0,3,2],"pieces":["a","\ufffd","ab"],"flush":""})",
      R"({"id":"x","ids":[3],"pieces":[""],"flush":""})",
      R"({"id":"x","gen":{"unit":"ab","count":3},"added":"all","n_ids":2})",
      R"({"id":"x","gen":{"unit":"ab","count":3},"added":"all","ids_sha256":"00"})",
      R"({"id":"x","gen":{"unit":"ab","count":3},"added":"all","ids_rle":[[2,2],[2,1]]})",
      R"({"id":"x","gen":{"unit":"c","count":3},"added":"all","decoded_equals_text":true})",
      R"({"id":"x","text_b64":"YWKA","text":"ab","added":"all","ids":[2],"decoded":"ab"})",
  };
  for (const char* row : rows) {
    const auto report = Check(row);
    ASSERT_TRUE(report.ok()) << row << report.status().ToString();
    EXPECT_FALSE(report->ok()) << row;
    ASSERT_EQ(report->failures.size(), 1u) << row;
    EXPECT_EQ(report->failures[0].name, "x");
    EXPECT_NE(report->failures[0].found, report->failures[0].expected) << row;
  }
  const auto disputed =
      Check(R"({"id":"x","text":"ab","added":"all","ids":[0,1],"decoded":"ab","disputed":true})");
  ASSERT_TRUE(disputed.ok());
  EXPECT_TRUE(disputed->ok());
  EXPECT_EQ(disputed->disputed_total, 1);
  EXPECT_EQ(disputed->disputed_passed, 0);
}

TEST_F(CheckTokenizerFiles, BadRowsAreErrors) {
  for (const char* row :
       {R"({"added":"some","text":"a","ids":[0]})", R"({"added":"all","text":"a"})",
        R"({"added":"all","ids":[0]})", R"({"added":"all","text":"a","ids":[-1]})",
        R"({"added":"all","gen":{"unit":"","count":3}})",
        R"({"added":"all","gen":{"unit":"a","count":1e15}})",
        R"({"added":"all","text":"a","text_b64":"?","ids":[]})", R"({"ids":[0],"pieces":[]})"})
    EXPECT_FALSE(Check(row).ok()) << row;
}

struct SharedVectors {
  const char* tokenizer;
  const char* vectors;
  const char* overlay;
  int rows;
};

class CheckTokenizerShared : public testing::TestWithParam<SharedVectors> {};

TEST_P(CheckTokenizerShared, AllVectorsPass) {
  HADAL_NEEDS_SHARED(dir);
  const std::string text = dir + "/golden/text/";
  std::optional<std::string> overlay;
  if (GetParam().overlay != nullptr) overlay = text + "tokenizers/" + GetParam().overlay;
  const auto report =
      CheckTokenizer(text + "tokenizers/" + GetParam().tokenizer + "/tokenizer.json.gz",
                     text + GetParam().vectors + ".jsonl", overlay);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_TRUE(report->ok()) << report->ToText();
  EXPECT_EQ(report->total + report->disputed_total, GetParam().rows);
}

INSTANTIATE_TEST_SUITE_P(
    Goldens, CheckTokenizerShared,
    testing::Values(SharedVectors{"deepseek_llm", "tokenize_deepseek_llm", nullptr, 1070},
                    SharedVectors{"deepseek_v3", "tokenize_deepseek_v3", nullptr, 1162},
                    SharedVectors{"deepseek_v3", "tokenize_deepseek_r1_v31_v32_derived",
                                  "deepseek_v3/overlay_r1_v31_v32.json", 108},
                    SharedVectors{"deepseek_v4", "tokenize_deepseek_v4", nullptr, 1184},
                    SharedVectors{"qwen2_5", "tokenize_qwen2_5", nullptr, 1097},
                    SharedVectors{"smollm2", "tokenize_smollm2", nullptr, 1074},
                    SharedVectors{"deepseek_llm", "stream_decode_deepseek_llm", nullptr, 350},
                    SharedVectors{"deepseek_v3", "stream_decode_deepseek_v3", nullptr, 350},
                    SharedVectors{"deepseek_v4", "stream_decode_deepseek_v4", nullptr, 350},
                    SharedVectors{"qwen2_5", "stream_decode_qwen2_5", nullptr, 350},
                    SharedVectors{"smollm2", "stream_decode_smollm2", nullptr, 350}));

// The GGUF files, and the tokenizer.json that they were made from, against
// tokenizer_cases.json: {"pre", "cases": [{"text", "ids"}]}.
TEST(CheckTokenizerGguf, EqualsTheSharedCases) {
  HADAL_NEEDS_SHARED(dir);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir + "/golden/gguf")) {
    if (entry.path().extension() != ".gguf") continue;
    const auto cases_path = entry.path().parent_path() / "tokenizer_cases.json";
    if (!std::filesystem::exists(cases_path)) continue;
    std::ifstream stream(cases_path);
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    const auto cases = ParseJson(text, cases_path.string());
    ASSERT_TRUE(cases.ok()) << cases.status().ToString();
    for (const std::string& path :
         {entry.path().string(), (entry.path().parent_path() / "tokenizer.json").string()}) {
      const auto tokenizer = OpenTokenizer(path);
      ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
      for (const Metadata& item : cases->root().Find("cases")->items()) {
        std::vector<TokenId> expected;
        for (const Metadata& id : item.Find("ids")->items())
          expected.push_back(static_cast<TokenId>(*id.integer()));
        const auto ids = (*tokenizer)->Encode(*item.Find("text")->string(), AddedTokenUse::kAll);
        ASSERT_TRUE(ids.ok()) << ids.status().ToString();
        EXPECT_EQ(*ids, expected) << path << ": " << *item.Find("text")->string();
      }
    }
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace hadal
