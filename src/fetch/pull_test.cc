// Pulling from a hub on loopback: what arrives, what is kept, what is refused.
#include "fetch/pull.h"

#include <gtest/gtest.h>

#include "fetch/pull_record.h"
#include "fetch/pull_test_data.h"

namespace hadal {
namespace {

TEST(Pull, FetchesWhatAModelNeeds) {
  const FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) { return repository.Answer(request); });
  const PullFolder folder;
  PullOptions options = OptionsFor(hub, folder);
  std::vector<PullProgress> seen;
  options.on_progress = [&seen](const PullProgress& progress) { seen.push_back(progress); };
  const auto pulled = Pull(kModel, options);
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_EQ(pulled->name, "model");
  EXPECT_EQ(pulled->fetched, pulled->bytes);
  for (const char* file : {"config.json", "tokenizer.json", "encoding/encoding_dsv4.py",
                           "README.md", "LICENSE", kWeights})
    EXPECT_EQ(PullFolder::Read(folder.Of(std::string("model/") + file)), repository.files.at(file))
        << file;
  for (const char* file :
       {".gitattributes", "pytorch_model.bin", "consolidated.safetensors", "original"})
    EXPECT_FALSE(folder.Has(std::string("model/") + file)) << file;
  EXPECT_FALSE(folder.Has(".pull/model")) << "nothing is left beside it";
  EXPECT_EQ(seen.front().stage, PullProgress::Stage::kList);
  EXPECT_EQ(seen.back().stage, PullProgress::Stage::kFinish);
  EXPECT_EQ(seen.back().all_done, pulled->bytes);
}

TEST(Pull, AgainIsDoneAtOnce) {
  FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) { return repository.Answer(request); });
  const PullFolder folder;
  ASSERT_TRUE(Pull(kModel, OptionsFor(hub, folder)).ok());
  const std::size_t asked = hub.CountOf("/resolve/");
  repository.files["README.md"] = "other words";
  const auto again = Pull(kModel, OptionsFor(hub, folder));
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_TRUE(again->was_there);
  EXPECT_EQ(hub.CountOf("/resolve/"), asked) << "nothing was fetched";
  repository.files[kWeights] = Bytes(1000, 9);
  const auto other = Pull(kModel, OptionsFor(hub, folder));
  EXPECT_EQ(other.status().code(), Code::kUsage) << "what is there is not overwritten";
  PullOptions options = OptionsFor(hub, folder);
  options.as = "newer";
  EXPECT_TRUE(Pull(kModel, options).ok());
  EXPECT_TRUE(folder.Has("newer/config.json"));
}

TEST(Pull, LeavesAModelThatItDidNotBring) {
  const FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) { return repository.Answer(request); });
  const PullFolder folder;
  std::filesystem::create_directories(folder.path());
  std::ofstream(folder.Of("model.gguf")) << "mine";
  EXPECT_EQ(Pull(kModel, OptionsFor(hub, folder)).status().code(), Code::kUsage);
  EXPECT_EQ(PullFolder::Read(folder.Of("model.gguf")), "mine");
}

TEST(Pull, ReadsAListOfSeveralPages) {
  const FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) -> HubReply {
    constexpr char kFirst[] = "/api/models/some/model/tree/main?recursive=true";
    const std::string host = "http://" + request.Header("host");
    if (request.path == kFirst)
      return {
          .body = "[" + repository.Entry("config.json", repository.files.at("config.json")) + "]",
          .headers = {"Link: <" + host + kFirst + "&cursor=2>; rel=\"next\""}};
    if (request.path == std::string(kFirst) + "&cursor=2")
      return {.body = "[" + repository.Entry(kWeights, repository.files.at(kWeights)) + "]"};
    return repository.Answer(request);
  });
  const PullFolder folder;
  ASSERT_TRUE(Pull(kModel, OptionsFor(hub, folder)).ok());
  EXPECT_TRUE(folder.Has("model/config.json"));
  EXPECT_TRUE(folder.Has(std::string("model/") + kWeights));
}

TEST(Pull, Cve2025_1975_ListsThatAreTooLongOrLeadElsewhere) {
  FakeHub other([](const HubRequest&) { return HubReply{.body = "[]"}; });
  std::string body = "[]", link;
  FakeHub hub([&](const HubRequest&) -> HubReply {
    return {.body = body, .headers = {"Link: <" + link + ">; rel=\"next\""}};
  });
  const PullFolder folder;
  link = other.url() + "/next";
  EXPECT_EQ(Pull(kModel, OptionsFor(hub, folder)).status().code(), Code::kUnusable);
  EXPECT_TRUE(other.requests().empty());
  link = hub.url() + "/next";
  EXPECT_EQ(Pull(kModel, OptionsFor(hub, folder)).status().code(), Code::kUnusable) << "no end";
  body = "[" + std::string(kMostListBytes, ' ') + "]";
  EXPECT_EQ(Pull(kModel, OptionsFor(hub, folder)).status().code(), Code::kUnusable) << "4 MiB";
  EXPECT_FALSE(folder.Has(".pull"));
}

TEST(Pull, Cve2024_37032_HostileListsWriteNothing) {
  std::string path;
  FakeHub hub([&](const HubRequest& request) -> HubReply {
    if (request.path.starts_with("/api/"))
      return {.body = "[" + FakeRepository::Entry("config.json", "{}") + "," +
                      FakeRepository::Entry(path, "x") + "]"};
    return {.body = "x"};
  });
  const PullFolder folder;
  for (const char* hostile : {"../x.safetensors", "/tmp/x.safetensors", "a/../../x.safetensors",
                              "x\\u0000.safetensors", "..\\\\x.safetensors"}) {
    path = hostile;
    EXPECT_EQ(Pull(kModel, OptionsFor(hub, folder)).status().code(), Code::kUnusable) << hostile;
  }
  EXPECT_EQ(folder.Strays(), 0u);
  EXPECT_EQ(hub.CountOf("/resolve/"), 0u);
  for (const char* file : {"../x", "a/b", ".x"}) {
    PullOptions options = OptionsFor(hub, folder);
    options.as = file;
    path = kWeights;
    EXPECT_EQ(Pull(kModel, options).status().code(), Code::kUsage) << file;
  }
  EXPECT_EQ(folder.Strays(), 0u);
}

TEST(Pull, Cve2025_51471_TheTokenGoesToTheHubAlone) {
  const FakeRepository repository = SmallModel();
  FakeHub cdn([&](const HubRequest& request) { return repository.Answer(request); });
  FakeHub hub([&](const HubRequest& request) -> HubReply {
    if (request.path.starts_with("/api/")) return repository.Answer(request);
    return {.status = 302,
            .headers = {"Location: " + cdn.url() + request.path,
                        "WWW-Authenticate: Bearer realm=\"" + cdn.url() + "\""}};
  });
  const PullFolder folder;
  PullOptions options = OptionsFor(hub, folder);
  options.token = "secret-token";
  ASSERT_TRUE(Pull(kModel, options).ok());
  for (const HubRequest& request : hub.requests())
    EXPECT_EQ(request.Header("authorization"), "Bearer secret-token");
  ASSERT_GT(cdn.requests().size(), 0u);
  for (const HubRequest& request : cdn.requests())
    for (const auto& [name, value] : request.headers)
      EXPECT_EQ(value.find("secret"), std::string::npos) << name;
  options.token = "a\r\nX-Evil: b";
  EXPECT_EQ(Pull(kModel, options).status().code(), Code::kUsage);
}

TEST(Pull, Cve2024_12886_NothingIsUnpacked) {
  const FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) -> HubReply {
    HubReply reply = repository.Answer(request);
    if (request.path.find(kWeights) != std::string::npos)
      reply.headers.push_back("Content-Encoding: gzip");
    return reply;
  });
  const PullFolder folder;
  ASSERT_TRUE(Pull(kModel, OptionsFor(hub, folder)).ok());
  EXPECT_EQ(PullFolder::Read(folder.Of(std::string("model/") + kWeights)),
            repository.files.at(kWeights));
}

TEST(Pull, D28_OnePullOfAModelAtATime) {
  const FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) { return repository.Answer(request); });
  const PullFolder folder;
  PullOptions first = OptionsFor(hub, folder);
  Status second;
  Result<bool> removed = false;
  first.on_progress = [&](const PullProgress& progress) {
    if (progress.stage != PullProgress::Stage::kFinish) return;
    second = Pull(kModel, OptionsFor(hub, folder)).status();
    removed = RemoveUnfinished(folder.path(), "model");
  };
  ASSERT_TRUE(Pull(kModel, first).ok());
  EXPECT_EQ(second.code(), Code::kBusy);
  EXPECT_EQ(removed.status().code(), Code::kBusy);
}

TEST(Pull, Cve2025_44779_RemovesOnlyWhatItLeft) {
  const PullFolder folder;
  std::filesystem::create_directories(folder.Of(".pull/model/files"));
  std::filesystem::create_directories(folder.Of("other"));
  for (const char* name : {"../other", "..", ".", "", "/other", "model/files"})
    EXPECT_FALSE(RemoveUnfinished(folder.path(), name).value()) << name;
  EXPECT_TRUE(folder.Has("other"));
  EXPECT_TRUE(folder.Has(".pull/model/files"));
  EXPECT_TRUE(RemoveUnfinished(folder.path(), "model").value());
  EXPECT_FALSE(folder.Has(".pull/model"));
}

}  // namespace
}  // namespace hadal
