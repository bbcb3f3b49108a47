// POST /api/pull from a hub on loopback: Ollama's lines, and clients that leave.
#include "serve/pull_desk.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "fetch/pull_test_data.h"
#include "serve/dialect_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

struct Desk : DialectDesk {
  explicit Desk(FakeHub::Handler handler)
      : DialectDesk({AddOllamaModelRoutes}), hub(std::move(handler)) {
    service->set_pulls(std::make_shared<PullDesk>(OptionsFor(hub, folder)));
  }
  // The service and its pulls go before the hub.
  ~Desk() { service->pulls()->End(); }

  PullFolder folder;
  FakeHub hub;
};

FakeHub::Handler Honest() {
  return
      [repository = SmallModel()](const HubRequest& request) { return repository.Answer(request); };
}

TEST(OllamaPull, L15TellsOfEveryStage) {
  Desk desk(Honest());
  const HttpResponse response = desk.Post("/api/pull", R"({"model":"some/model"})");
  EXPECT_EQ(response.headers.Find("Content-Type"), "application/x-ndjson");
  std::vector<std::string> order;
  std::map<std::string, std::pair<std::string, std::string>> last;
  for (const Json& line : LinesOf(response.body)) {
    const std::string status = line["status"];
    if (order.empty() || order.back() != status) order.push_back(status);
    if (line["digest"].empty()) continue;
    EXPECT_EQ(line["digest"].substr(line["digest"].find(':') + 1, 12), status.substr(9, 12));
    last[status] = {line["completed"], line["total"]};
  }
  ASSERT_EQ(order.size(), 10u) << response.body;
  EXPECT_EQ(order.front(), "\"pulling manifest\"");
  for (std::size_t i = 1; i < 7; ++i) EXPECT_TRUE(order[i].starts_with("\"pulling ")) << order[i];
  EXPECT_EQ(order[7], "\"verifying sha256 digest\"");
  EXPECT_EQ(order[8], "\"writing manifest\"");
  EXPECT_EQ(order[9], "\"success\"");
  EXPECT_EQ(last.size(), 6u) << "a file each";
  for (const auto& [status, bytes] : last) EXPECT_EQ(bytes.first, bytes.second) << status;
  EXPECT_TRUE(desk.folder.Has("model/config.json"));
}

TEST(OllamaPull, L15AnswersAtOnceWhereAsked) {
  Desk desk(Honest());
  for (const char* body : {R"({"name":"some/model:latest","stream":false,"insecure":true})",
                           R"({"model":"hf.co/some/model","stream":false})"})
    EXPECT_EQ(desk.Post("/api/pull", body).body, R"({"status":"success"})") << body;
  EXPECT_EQ(desk.hub.CountOf(kWeights), 1u) << "the second time it is there";
}

TEST(OllamaPull, L14SaysWhatWentWrong) {
  Desk desk([](const HubRequest&) { return HubReply{.status = 404}; });
  const HttpResponse whole = desk.Post("/api/pull", R"({"model":"some/model","stream":false})");
  EXPECT_EQ(whole.status, 400);
  EXPECT_NE(Json(whole.body)["error"].find("nothing of this name"), std::string::npos);
  const auto lines = LinesOf(desk.Post("/api/pull", R"({"model":"some/model"})").body);
  EXPECT_NE(lines.back()["error"].find("nothing of this name"), std::string::npos);
}

TEST(OllamaPull, Cve2024_37032_NamesOfModelsAreNoPaths) {
  Desk desk(Honest());
  for (const char* name :
       {"../../x", "a/..", "a/b:../x", "/etc/passwd", "http://h/a/b", "a/b\\u0000"})
    EXPECT_EQ(desk.Post("/api/pull", R"({"model":")" + std::string(name) + "\"}").status, 400)
        << name;
  EXPECT_TRUE(desk.hub.requests().empty());
}

TEST(OllamaPull, IsForbiddenWhereTheServerSaysSo) {
  DialectDesk desk({AddOllamaModelRoutes});
  EXPECT_EQ(desk.Post("/api/pull", R"({"model":"some/model"})").status, 403);
}

// An exchange with the route's handler at work.
std::shared_ptr<FakeExchange> Begin(Desk* desk) {
  auto exchange = std::make_shared<FakeExchange>();
  exchange->request().path = "/api/pull";
  exchange->request().body = R"({"model":"some/model","stream":false})";
  desk->router.Find("POST", "/api/pull")->route->handler(exchange);
  return exchange;
}

// A hub whose weights say nothing, until the client goes.
struct SilentHub {
  FakeHub::Handler handler() {
    return [this](const HubRequest& request) -> HubReply {
      if (request.path.find(kWeights) == std::string::npos) return repository.Answer(request);
      const std::lock_guard<std::mutex> lock(mutex);
      ++asked;
      changed.notify_all();
      return {.announced_bytes = 300'000, .stall = true};
    };
  }
  void WaitForOne() {
    std::unique_lock<std::mutex> lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [this] { return asked > 0; }));
  }
  const FakeRepository repository = SmallModel();
  std::mutex mutex;
  std::condition_variable changed;
  int asked = 0;
};

TEST(OllamaPull, D16_AClientThatLeavesEndsItsPull) {
  SilentHub silent;
  Desk desk(silent.handler());
  const auto exchange = Begin(&desk);
  silent.WaitForOne();
  exchange->Leave();
  // The pull is over when its lock is free again.
  Result<bool> removed = false;
  for (int i = 0; i < 6000 && !(removed.ok() && *removed); ++i) {
    removed = RemoveUnfinished(desk.folder.path(), "model");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(removed.ok() && *removed) << "what it left could be removed";
}

TEST(OllamaPull, D31_AServerThatEndsEndsItsPulls) {
  SilentHub silent;
  Desk desk(silent.handler());
  const auto exchange = Begin(&desk);
  silent.WaitForOne();
  desk.service->AbortRunning();
  ASSERT_TRUE(exchange->Wait(60));
  EXPECT_EQ(exchange->sent().status, 503);
  desk.service->pulls()->End();
  EXPECT_EQ(Begin(&desk)->sent().status, 429) << "nothing new";
}

}  // namespace
}  // namespace hadal
