// Names and lists from outside: what is refused, and which files are chosen.
#include "fetch/file_list.h"

#include <gtest/gtest.h>

#include "fetch/address.h"
#include "fetch/choose_files.h"

namespace hadal {
namespace {

const std::string kGit(40, 'a'), kSha(64, 'b');

std::string Entry(const std::string& path, const std::string& rest) {
  return R"({"type":"file","path":")" + path + "\"" + rest + "}";
}
std::string Plain(const std::string& path) {
  return Entry(path, R"(,"size":3,"oid":")" + kGit + "\"");
}
std::string Large(const std::string& path, const std::string& oid, const std::string& size = "3") {
  return Entry(path, R"(,"size":3,"oid":")" + kGit + R"(","lfs":{"oid":")" + oid + R"(","size":)" +
                         size + "}");
}
Status ListStatus(const std::string& json) { return ParseFileList(json, "list").status(); }

TEST(FileList, ReadsWhatAHubLists) {
  const auto files = ParseFileList("[" + Plain("config.json") + "," + Large("a/b.gguf", kSha) +
                                       R"(,{"type":"directory","path":"a"}])",
                                   "list");
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].Digest(), "git:" + kGit);
  EXPECT_EQ((*files)[1].Digest(), "sha256:" + kSha);
  EXPECT_EQ((*files)[1].bytes, 3u);
}

TEST(FileList, Cve2024_37032_PathsAndDigestsThatLeaveTheFolder) {
  for (const char* path :
       {"../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "..", "a/", "./a", "a/.", "C:\\\\x",
        "\\\\\\\\host\\\\share", "a\\u0000b", "a\\nb", "a\\u001b[2J", "a\\u009bb"}) {
    EXPECT_FALSE(ListStatus("[" + Plain(path) + "]").ok()) << path;
  }
  EXPECT_FALSE(ListStatus("[" + Plain(std::string(256, 'x')) + "]").ok());
  std::string upper = kSha;
  upper[0] = 'B';
  for (const std::string& oid : {upper, std::string(63, 'b'), std::string(65, 'b'),
                                 "sha256:" + kSha, "../" + std::string(61, 'b'), std::string()})
    EXPECT_FALSE(ListStatus("[" + Large("model.safetensors", oid) + "]").ok()) << oid;
  EXPECT_TRUE(ListStatus("[" + Large("model.safetensors", kSha) + "]").ok());
}

TEST(FileList, Cve2025_1975_EmptyAndMissingFields) {
  for (const std::string& json : {std::string(),
                                  std::string("null"),
                                  std::string("{}"),
                                  std::string("[null]"),
                                  std::string("[[]]"),
                                  std::string("[{}]"),
                                  std::string(R"([{"type":"file"}])"),
                                  std::string(R"([{"type":1,"path":"a","size":1}])"),
                                  std::string(R"([{"type":"file","path":7,"size":1}])"),
                                  std::string(R"([{"type":"file","path":"a"}])"),
                                  std::string(R"([{"type":"file","path":"a","size":null}])"),
                                  std::string("[{\"type\":"),
                                  "[" + Entry("a", R"(,"size":-1)") + "]",
                                  "[" + Entry("a", R"(,"size":1.5)") + "]",
                                  "[" + Entry("a", R"(,"size":"3")") + "]",
                                  "[" + Entry("a", R"(,"size":18446744073709551615)") + "]",
                                  "[" + Entry("a", R"(,"size":3,"lfs":{})") + "]",
                                  "[" + Entry("a", R"(,"size":3,"lfs":[])") + "]",
                                  "[" + Entry("a", R"(,"size":3,"oid":5)") + "]",
                                  "[" + Large("a", kSha, "4") + "]",
                                  "[" + Plain("a") + "," + Plain("a") + "]"})
    EXPECT_FALSE(ListStatus(json).ok()) << json;
  const std::string half = R"(,"size":600000000000000)";
  EXPECT_FALSE(ListStatus("[" + Entry("a", half) + "," + Entry("b", half) + "]").ok()) << "in all";
  EXPECT_TRUE(ListStatus("[]").ok());
  const HubName name{"o", "n", ""};
  EXPECT_EQ(ChooseFiles({}, name).status().code(), Code::kUnusable) << "no files, no model";
  const auto unchecked = ParseFileList("[" + Entry("config.json", R"(,"size":3)") + "," +
                                           Entry("a.safetensors", R"(,"size":3)") + "]",
                                       "list");
  ASSERT_TRUE(unchecked.ok());
  EXPECT_EQ(ChooseFiles(*unchecked, name).status().code(), Code::kUnusable) << "no checksum";
}

TEST(FileList, Cve2025_1975_LongLists) {
  const std::string json = "[" + Plain("a") + std::string(kMostListBytes, ' ') + "]";
  EXPECT_FALSE(ListStatus(json).ok());
  EXPECT_FALSE(ListStatus(std::string(100'000, '[')).ok());
}

TEST(HubNameTest, Cve2024_37032_NamesThatAreNoPaths) {
  for (const char* text :
       {"", "model", "a/b/c", "../x", "a/..", "./b", "a/.b", "-a/b", "a/-b", "a/", "/b", "a b/c",
        "a/b:", "a/b:../x.gguf", "a/b:/x", "a/b\n", "a\\b/c", "https://example.org/a/b"})
    EXPECT_EQ(ParseHubName(text).status().code(), Code::kUsage) << text;
  EXPECT_FALSE(ParseHubName(std::string("a/b\0c", 5)).ok());
  EXPECT_FALSE(ParseHubName("a/" + std::string(97, 'b')).ok());
  for (const char* text : {"some/model", "hf.co/some/model:latest", "some/model:latest",
                           "https://huggingface.co/some/model"}) {
    const auto name = ParseHubName(text);
    ASSERT_TRUE(name.ok()) << text;
    EXPECT_EQ(name->ToString(), "some/model");
  }
  EXPECT_EQ(ParseHubName("a/b:dir/x.gguf")->file, "dir/x.gguf");
}

HubFile File(const std::string& path) { return {.path = path, .bytes = 1, .checksum = kSha}; }

std::vector<HubFile> Files(const std::vector<std::string>& paths) {
  std::vector<HubFile> files;
  for (const std::string& path : paths) files.push_back(File(path));
  return files;
}

TEST(ChooseFiles, TakesOfSeveralGgufFilesTheOneThatIsNamed) {
  const auto list = Files({"README.md", "m-Q4_K_M.gguf", "dir/m-Q8_0.gguf", "m-f16.gguf"});
  const auto none = ChooseFiles(list, {"o", "m", ""});
  EXPECT_EQ(none.status().code(), Code::kUsage);
  for (const char* name : {"m-Q4_K_M.gguf", "dir/m-Q8_0.gguf", "m-f16.gguf"})
    EXPECT_NE(none.status().ToString().find(name), std::string::npos) << "the error lists them";
  for (const char* asked : {"m-Q8_0.gguf", "dir/m-Q8_0.gguf", "q8_0"}) {
    const auto choice = ChooseFiles(list, {"o", "m", asked});
    ASSERT_TRUE(choice.ok()) << choice.status().ToString();
    EXPECT_EQ(choice->local_name, "m-Q8_0");
    EXPECT_EQ(choice->files.back().target, "m-Q8_0.gguf");
    EXPECT_EQ(choice->files.size(), 2u) << "and the description";
  }
  EXPECT_EQ(ChooseFiles(list, {"o", "m", "Q5_0"}).status().code(), Code::kUsage);
  EXPECT_EQ(ChooseFiles(list, {"o", "m", "q8_0"}, "mine")->local_name, "mine");
  EXPECT_EQ(ChooseFiles(list, {"o", "m", "q8_0"}, "../mine").status().code(), Code::kUsage);
  EXPECT_EQ(ChooseFiles(Files({"m-00001-of-00002.gguf"}), {"o", "m", ""}).status().code(),
            Code::kUnsupported);
}

TEST(ChooseFiles, TakesWhatAModelNeedsAndNothingElse) {
  const auto list =
      Files({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
             "model.safetensors.index.json", "config.json", "generation_config.json",
             "tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
             "encoding/encoding_dsv4.py", "encoding/deep/x.py", "modeling_x.py",
             "pytorch_model.bin", "consolidated.safetensors", "original/a.safetensors", "x.gguf",
             ".gitattributes", "LICENSE-MODEL", "README.md", "image.png"});
  const auto choice = ChooseFiles(list, {"o", "m", ""});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(choice->local_name, "m");
  std::string targets;
  for (const HubFile& file : choice->files) targets += file.target + " ";
  EXPECT_EQ(targets,
            "LICENSE-MODEL README.md chat_template.jinja config.json encoding/encoding_dsv4.py "
            "generation_config.json model.safetensors.index.json tokenizer.json "
            "tokenizer_config.json model-00001-of-00002.safetensors "
            "model-00002-of-00002.safetensors ");
}

TEST(AddressTest, D35_WhereAHubMayLead) {
  const auto of = [](const char* url) { return *ParseAddress(url); };
  const Address hub = of("https://hub.example"), cdn = of("https://cdn.example:8443/x");
  const Address clear = of("http://cdn.example"), here = of("https://127.0.0.1/x");
  EXPECT_TRUE(CheckRedirect(hub, hub, cdn).ok());
  EXPECT_FALSE(CheckRedirect(hub, hub, clear).ok()) << "from https to http";
  EXPECT_FALSE(CheckRedirect(hub, cdn, here).ok()) << "to this machine";
  EXPECT_TRUE(CheckRedirect(of("http://[::1]:1"), here, clear).ok()) << "a hub on this machine";
  EXPECT_FALSE(hub == of("https://hub.example:444"));
  EXPECT_TRUE(hub == of("https://HUB.example:443/other"));
  EXPECT_FALSE(of("http://127.0.0.1.example.org").loopback());
  for (const char* url : {"", "file:///etc/passwd", "ftp://hub.example", "https://",
                          "hub.example:x", "https://name:secret@hub.example"})
    EXPECT_FALSE(ParseAddress(url).ok()) << url;
  EXPECT_EQ(*ParseBase("https://hub.example//"), "https://hub.example");
  EXPECT_FALSE(ParseBase("https://hub.example/?a=b").ok());
  EXPECT_EQ(EscapedPath("a b/\xC3\xA9#?%.json"), "a%20b/%C3%A9%23%3F%25.json");
}

}  // namespace
}  // namespace hadal
