// Rows D-03 and D-35 and "resume trust": disks that are full, hubs that break, stall, lie, and
// parts that were changed.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>

#include "fetch/pull_test_data.h"

namespace hadal {
namespace {

bool IsWeights(const HubRequest& request) {
  return request.path.find(kWeights) != std::string::npos;
}

// A hub whose weights answer as the test says, the n-th time they are asked for (from 0).
struct House {
  using Weights = std::function<HubReply(const HubRequest&, int)>;
  explicit House(Weights weights)
      : hub([this, weights = std::move(weights)](const HubRequest& request) {
          return IsWeights(request) ? weights(request, asked++) : repository.Answer(request);
        }) {}

  HubReply Honest(const HubRequest& request) const { return repository.Answer(request); }
  const std::string& weights() const { return repository.files.at(kWeights); }
  Result<PulledModel> Try(const PullOptions& options) { return Pull(kModel, options); }
  Result<PulledModel> Try() { return Try(OptionsFor(hub, folder)); }
  bool complete() const {
    return PullFolder::Read(folder.Of(std::string("model/") + kWeights)) == weights();
  }
  // The Range of every request for the weights.
  std::vector<std::string> Ranges() {
    std::vector<std::string> ranges;
    for (const HubRequest& request : hub.requests())
      if (IsWeights(request)) ranges.push_back(request.Header("range"));
    return ranges;
  }

  FakeRepository repository = SmallModel();
  PullFolder folder;
  int asked = 0;
  FakeHub hub;
};

// The first part of an answer, then the end of the connection.
HubReply Broken(HubReply reply, std::size_t after) {
  reply.announced_bytes = reply.body.size();
  reply.body.resize(std::min(after, reply.body.size()));
  return reply;
}

constexpr std::size_t kPart = 100'000;

// Leaves the first kPart bytes of the weights behind.
void BreakOff(House* house) {
  PullOptions options = OptionsFor(house->hub, house->folder);
  options.retry.retries = 0;
  EXPECT_FALSE(house->Try(options).ok());
  EXPECT_EQ(PullFolder::Read(house->folder.Part(kWeights)), house->weights().substr(0, kPart));
  EXPECT_FALSE(house->folder.Has("model")) << "unfinished models are in no list";
}

TEST(PullFaults, D35_GoesOnAfterBreaks) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int) { return Broken(self->Honest(request), kPart); });
  self = &house;
  const auto pulled = house.Try();
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_TRUE(house.complete());
  EXPECT_EQ(house.Ranges(), (std::vector<std::string>{"", "bytes=100000-", "bytes=200000-"}));
}

TEST(PullFaults, D35_ServerErrorsAreTriedSixTimesAgain) {
  House* self = nullptr;
  int failures = 6;
  House house([&](const HubRequest& request, int asked) -> HubReply {
    if (asked < failures) return {.status = asked % 2 ? 503 : 500, .body = "no"};
    return self->Honest(request);
  });
  self = &house;
  EXPECT_TRUE(house.Try().ok());
  EXPECT_EQ(house.asked, 7);

  House other([](const HubRequest&, int) -> HubReply { return {.status = 502}; });
  const auto failed = other.Try();
  EXPECT_EQ(failed.status().code(), Code::kFailed);
  EXPECT_NE(failed.status().ToString().find("502"), std::string::npos);
  EXPECT_EQ(other.asked, 7) << "and no more";
}

TEST(PullFaults, D35_WaitsLongerEveryTime) {
  House house([](const HubRequest&, int) -> HubReply { return {.status = 500}; });
  PullOptions options = OptionsFor(house.hub, house.folder);
  options.retry.first_wait_seconds = 0.001;
  std::vector<std::string> notes;
  options.on_progress = [&](const PullProgress& progress) {
    if (progress.stage == PullProgress::Stage::kRetry) notes.push_back(progress.note);
  };
  EXPECT_FALSE(house.Try(options).ok());
  ASSERT_EQ(notes.size(), 6u);
  EXPECT_NE(notes[0].find("try 1 of 6 in 0.001 s"), std::string::npos) << notes[0];
  EXPECT_NE(notes[5].find("try 6 of 6 in 0.032 s"), std::string::npos) << notes[5];
}

TEST(PullFaults, D35_StallsAreBrokenOff) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int asked) {
    HubReply reply = self->Honest(request);
    if (asked > 0) return reply;
    reply = Broken(reply, kPart);
    reply.stall = true;
    return reply;
  });
  self = &house;
  PullOptions options = OptionsFor(house.hub, house.folder);
  options.stall_seconds = 1;
  std::string notes;
  options.on_progress = [&](const PullProgress& progress) { notes += progress.note; };
  const auto pulled = house.Try(options);
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_NE(notes.find("no byte for 1 seconds"), std::string::npos) << notes;
  EXPECT_TRUE(house.complete());
}

TEST(PullFaults, D35_AllTogetherHasATimeAsWell) {
  House house([](const HubRequest&, int) -> HubReply {
    return {.announced_bytes = 300'000, .stall = true};
  });
  PullOptions options = OptionsFor(house.hub, house.folder);
  options.deadline_seconds = 1;
  EXPECT_EQ(house.Try(options).status().code(), Code::kDeadline);
}

TEST(PullFaults, D35_LengthsMustBeTheLists) {
  House* self = nullptr;
  std::size_t announced = 299'999;
  House house([&](const HubRequest& request, int) {
    HubReply reply = self->Honest(request);
    reply.body.resize(announced, 'x');
    return reply;
  });
  self = &house;
  for (const std::size_t bytes : {299'999u, 300'001u, 5'000'000u}) {
    announced = bytes;
    const auto pulled = house.Try();
    EXPECT_EQ(pulled.status().code(), Code::kUnusable);
    EXPECT_NE(pulled.status().ToString().find(std::to_string(bytes)), std::string::npos);
    EXPECT_NE(pulled.status().ToString().find("300000"), std::string::npos);
  }
  EXPECT_EQ(house.asked, 3) << "trying again would not help";
  EXPECT_FALSE(house.folder.Has("model"));
}

TEST(PullFaults, D35_RedirectsThatGoInACircle) {
  House house([](const HubRequest& request, int) -> HubReply {
    return {.status = 302, .headers = {"Location: " + request.path}};
  });
  const auto pulled = house.Try();
  EXPECT_EQ(pulled.status().code(), Code::kUnusable);
  EXPECT_NE(pulled.status().ToString().find("more than 5 redirects"), std::string::npos)
      << pulled.status().ToString();
  EXPECT_EQ(house.asked, 6);
  House nowhere([](const HubRequest&, int) -> HubReply {
    return {.status = 302, .headers = {"Location: file:///etc/passwd"}};
  });
  EXPECT_EQ(nowhere.Try().status().code(), Code::kUnusable);
}

TEST(PullFaults, D35_WrongContentIsRefused) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int) {
    HubReply reply = self->Honest(request);
    reply.body[5] = static_cast<char>(reply.body[5] ^ 1);
    return reply;
  });
  self = &house;
  const auto pulled = house.Try();
  EXPECT_EQ(pulled.status().code(), Code::kUnusable);
  EXPECT_NE(pulled.status().ToString().find("sha256:"), std::string::npos);
  EXPECT_EQ(house.asked, 1);
  EXPECT_FALSE(house.folder.Has("model"));
  EXPECT_EQ(PullFolder::Read(house.folder.Part(kWeights)), "") << "nothing of it is gone on with";
}

TEST(PullFaults, D35_SmallFilesAreCheckedAsWell) {
  FakeRepository repository = SmallModel();
  FakeHub hub([&](const HubRequest& request) {
    HubReply reply = repository.Answer(request);
    if (request.path.ends_with("config.json")) reply.body.back() = ' ';
    return reply;
  });
  const PullFolder folder;
  EXPECT_EQ(Pull(kModel, OptionsFor(hub, folder)).status().code(), Code::kUnusable);
}

TEST(PullFaults, ResumeTrust_GoesOnWhereAnotherPullBrokeOff) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int asked) {
    return asked == 0 ? Broken(self->Honest(request), kPart) : self->Honest(request);
  });
  self = &house;
  BreakOff(&house);
  const auto pulled = house.Try();
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_TRUE(house.complete());
  EXPECT_EQ(pulled->fetched, house.weights().size() - kPart);
  EXPECT_EQ(house.Ranges(), (std::vector<std::string>{"", "bytes=100000-"}));
}

TEST(PullFaults, ResumeTrust_AChangedPartIsFetchedAgain) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int asked) {
    return asked == 0 ? Broken(self->Honest(request), kPart) : self->Honest(request);
  });
  self = &house;
  BreakOff(&house);
  std::fstream part(house.folder.Part(kWeights), std::ios::in | std::ios::out | std::ios::binary);
  part.seekp(7).put(static_cast<char>(house.weights()[7] ^ 1));
  part.close();
  const auto pulled = house.Try();
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_TRUE(house.complete());
  EXPECT_EQ(house.Ranges(), (std::vector<std::string>{"", "bytes=100000-", ""}));
}

TEST(PullFaults, ResumeTrust_AFileThatChangedAtTheHubBeginsAnew) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int asked) {
    return asked == 0 ? Broken(self->Honest(request), kPart) : self->Honest(request);
  });
  self = &house;
  BreakOff(&house);
  house.repository.files[kWeights] = Bytes(250'000, 2);
  ASSERT_TRUE(house.Try().ok());
  EXPECT_TRUE(house.complete());
  EXPECT_EQ(house.Ranges(), (std::vector<std::string>{"", ""}));
}

TEST(PullFaults, ResumeTrust_AnotherContentUnderTheSameNameBeginsAnew) {
  // The list says the same, and the server's ETag says that it is another content: If-Range brings
  // all of it.
  House* self = nullptr;
  House house([&](const HubRequest& request, int asked) {
    HubReply reply =
        FakeRepository::Content(request, asked == 0 ? Bytes(300'000, 3) : self->weights());
    return asked == 0 ? Broken(reply, kPart) : reply;
  });
  self = &house;
  PullOptions options = OptionsFor(house.hub, house.folder);
  options.retry.retries = 0;
  EXPECT_FALSE(house.Try(options).ok());
  ASSERT_TRUE(house.Try().ok());
  EXPECT_TRUE(house.complete());
  EXPECT_EQ(house.asked, 2);
}

TEST(PullFaults, ResumeTrust_WrongPartsAreNotPutTogether) {
  House* self = nullptr;
  std::string range;
  House house([&](const HubRequest& request, int asked) {
    if (asked == 0) return Broken(self->Honest(request), kPart);
    HubReply reply = self->Honest(request);
    if (asked == 1) reply.headers = {"Content-Range: " + range};
    if (asked == 1) reply.status = 206;
    return reply;
  });
  self = &house;
  for (const char* said : {"bytes 0-199999/300000", "bytes 100000-299999/300001", "bytes */300000",
                           "bytes 100000-299999/*", ""}) {
    range = said;
    house.asked = 0;
    BreakOff(&house);
    ASSERT_TRUE(house.Try().ok()) << said;
    EXPECT_TRUE(house.complete()) << said;
    std::filesystem::remove_all(house.folder.Of("model"));
  }
}

TEST(PullFaults, ResumeTrust_AServerWithoutRangesIsAskedForAll) {
  House* self = nullptr;
  House house([&](const HubRequest&, int asked) {
    const HubReply whole{.body = self->weights()};
    return asked == 0 ? Broken(whole, kPart) : whole;
  });
  self = &house;
  ASSERT_TRUE(house.Try().ok());
  EXPECT_TRUE(house.complete());
  EXPECT_EQ(house.asked, 2);
}

TEST(PullFaults, D03_TooLittleRoomIsSaidBeforeAnyFile) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int) { return self->Honest(request); });
  self = &house;
  PullOptions options = OptionsFor(house.hub, house.folder);
  options.free_bytes = [](const std::string&) -> Result<std::uint64_t> { return 299'999; };
  const auto pulled = house.Try(options);
  EXPECT_EQ(pulled.status().code(), Code::kNoRoom);
  EXPECT_EQ(pulled.status().found(), "299999 free bytes");
  // The weights and the five small files.
  EXPECT_NE(pulled.status().expected().find("300051"), std::string::npos)
      << pulled.status().ToString();
  EXPECT_EQ(house.hub.CountOf("/resolve/"), 0u);
}

TEST(PullFaults, D03_AFullDiskKeepsWhatCame) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int) { return self->Honest(request); });
  self = &house;
  // A file may have no more bytes than this, as on a disk that is full.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{kPart, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto full = house.Try();
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(full.status().code(), Code::kNoRoom) << full.status().ToString();
  EXPECT_NE(full.status().ToString().find("200000 of 300051 bytes are still missing"),
            std::string::npos)
      << full.status().ToString();
  EXPECT_EQ(PullFolder::Read(house.folder.Part(kWeights)), house.weights().substr(0, kPart));
  const auto pulled = house.Try();
  ASSERT_TRUE(pulled.ok()) << pulled.status().ToString();
  EXPECT_EQ(pulled->fetched, 200'000u);
  EXPECT_TRUE(house.complete());
}

TEST(PullFaults, D35_StopsWhereItIsTold) {
  House* self = nullptr;
  std::atomic<bool> cancelled{false};
  House house([&](const HubRequest& request, int asked) {
    HubReply reply = self->Honest(request);
    if (asked > 0) return reply;
    reply = Broken(reply, kPart);
    reply.stall = true;
    return reply;
  });
  self = &house;
  PullOptions options = OptionsFor(house.hub, house.folder);
  options.cancelled = [&] { return cancelled.load(); };
  options.on_progress = [&](const PullProgress& progress) {
    if (progress.file == kWeights && progress.done == kPart) cancelled = true;
  };
  const auto stopped = house.Try(options);
  EXPECT_EQ(stopped.status().code(), Code::kCancelled) << stopped.status().ToString();
  EXPECT_NE(stopped.status().ToString().find("200000 of 300051"), std::string::npos);
  ASSERT_TRUE(house.Try().ok());
  EXPECT_EQ(house.Ranges(), (std::vector<std::string>{"", "bytes=100000-"}));
}

TEST(PullFaults, D35_NamesThatAreNotThere) {
  House* self = nullptr;
  House house([&](const HubRequest& request, int) { return self->Honest(request); });
  self = &house;
  EXPECT_EQ(Pull({"some", "other", ""}, OptionsFor(house.hub, house.folder)).status().code(),
            Code::kUnusable);
  FakeHub gated([](const HubRequest&) { return HubReply{.status = 401}; });
  const auto refused = Pull(kModel, OptionsFor(gated, house.folder));
  EXPECT_NE(refused.status().ToString().find("HF_TOKEN"), std::string::npos);
  EXPECT_EQ(gated.requests().size(), 1u);
}

}  // namespace
}  // namespace hadal
