// Models that come and go, as each dialect's clients see it. No network.
#include <gtest/gtest.h>

#include "serve/model_pool_test_data.h"
#include "serve/ollama_time.h"
#include "serve/routes.h"

namespace hadal {
namespace {

using namespace std::chrono_literals;

// "fake" is pinned; a, b and c lie in the folder.
struct Desk {
  Desk() {
    desk.service->models().Settle(120s);
    AddObservationRoutes(&desk.router, desk.service, metrics);
  }
  HttpResponse Generate(const std::string& model, const std::string& rest = {}) {
    return desk.Post("/api/generate", R"({"model":")" + model + R"(","stream":false)" + rest + "}");
  }
  // What the model says.
  std::string Chat(const std::string& model, const std::string& rest = {}) {
    return Json(desk.Post("/api/chat", R"({"model":")" + model +
                                           R"(","stream":false,"think":false,"messages":[
                                           {"role":"user","content":"Who?"}])" +
                                           rest + "}")
                    .body)["message.content"];
  }
  std::string Loaded() {
    std::string names;
    const Json ps(desk.Ask("GET", "/api/ps").body);
    for (int i = 0; !ps["models." + std::to_string(i)].empty(); ++i)
      names += ps["models." + std::to_string(i) + ".model"];
    return names;
  }
  void Settle() { ASSERT_TRUE(desk.service->models().Settle(120s)); }

  ModelHome home;
  std::shared_ptr<FakeOpener> opener = std::make_shared<FakeOpener>();
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  DialectDesk desk{{AddOpenAiChatRoutes, AddResponsesRoutes, AddCompletionsRoutes,
                    AddAnthropicRoutes, AddOllamaChatRoutes, AddOllamaModelRoutes, AddModelRoutes,
                    AddModelLoadingRoutes, AddLlamaServerRoutes},
                   "qwen3",
                   0,
                   FakePoolOptions(opener, clock)};
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
};

TEST(ModelLoading, EveryDialectLoadsWhatItAsksFor) {
  const std::string messages = R"("messages":[{"role":"user","content":"Who?"}])";
  for (const auto& [path, rest] : std::vector<std::pair<std::string, std::string>>{
           {"/v1/chat/completions", messages},
           {"/v1/completions", R"("prompt":"a")"},
           {"/v1/responses", R"("input":"a")"},
           {"/v1/messages", messages + R"(,"max_tokens":50)"},
           {"/v1/messages/count_tokens", messages},
           {"/api/chat", messages},
           {"/api/generate", R"("prompt":"a")"},
           {"/completion", R"("prompt":"a")"},
           {"/tokenize", R"("content":"a")"},
           {"/models/load", ""}}) {
    Desk desk;
    const HttpResponse response =
        desk.desk.Post(path, R"({"model":"b")" + (rest.empty() ? "" : "," + rest) + "}");
    EXPECT_EQ(response.status, 200) << path << response.body;
    EXPECT_EQ(desk.opener->opened(), std::vector<std::string>{"b"}) << path;
    EXPECT_EQ(desk.Loaded(), "\"b:latest\"\"fake:latest\"") << path;
  }
}

TEST(ModelLoading, EachModelAnswersForItself) {
  Desk desk;
  for (const char* name : {"a", "b", "a", "c", "b"})
    EXPECT_EQ(desk.Chat(name), "\"I am " + std::string(name) + ".\"");
  EXPECT_EQ(desk.opener->opened().size(), 3u);
}

TEST(ModelLoading, L04L13_LoadsAndUnloads) {
  Desk desk;
  Json answer(desk.Generate("a").body);
  EXPECT_EQ(answer["done_reason"], "\"load\"");
  EXPECT_EQ(answer["done"], "true");
  EXPECT_EQ(desk.Loaded(), "\"a:latest\"\"fake:latest\"");
  answer = Json(desk.Generate("a", R"(,"keep_alive":0)").body);
  EXPECT_EQ(answer["done_reason"], "\"unload\"");
  EXPECT_EQ(answer["done"], "true");
  EXPECT_EQ(desk.Loaded(), "\"fake:latest\"");
  answer =
      Json(desk.desk.Post("/api/chat", R"({"model":"b","messages":[],"keep_alive":"0s"})").body);
  EXPECT_EQ(answer["done_reason"], "\"unload\"");
  desk.Settle();
  EXPECT_EQ(desk.opener->opened().size(), 1u) << "nothing is loaded to be unloaded";
  EXPECT_EQ(desk.opener->living(), 0);
  EXPECT_EQ(desk.Generate("none", R"(,"keep_alive":0)").status, 404);
  EXPECT_EQ(desk.Generate("none").status, 404);
  // With a question: it is answered, then the model goes.
  EXPECT_EQ(desk.Chat("c", R"(,"keep_alive":0)"), "\"I am c.\"");
  desk.Settle();
  EXPECT_EQ(desk.Loaded(), "\"fake:latest\"");
}

TEST(ModelLoading, L13_KeepsModelsAsLongAsTheRequestSays) {
  for (const auto& [form, left] :
       std::vector<std::pair<std::string, KeepAlive>>{{"", 5min},
                                                      {R"(,"keep_alive":null)", 5min},
                                                      {R"(,"keep_alive":90)", 90s},
                                                      {R"(,"keep_alive":0.5)", 500ms},
                                                      {R"(,"keep_alive":"1h30m")", 90min},
                                                      {R"(,"keep_alive":"300ms")", 300ms},
                                                      {R"(,"keep_alive":-1)", kKeepForever},
                                                      {R"(,"keep_alive":"-1")", kKeepForever},
                                                      {R"(,"keep_alive":"-1s")", kKeepForever},
                                                      {R"(,"keep_alive":1e300)", kKeepForever}}) {
    Desk desk;
    EXPECT_EQ(desk.Generate("a", form).status, 200) << form;
    const auto rows = desk.desk.service->models().LoadedRows();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].expires_in, left) << form;
    desk.clock->Advance(left == kKeepForever ? KeepAlive(1000h) : left);
    desk.desk.service->models().Wake();
    desk.Settle();
    EXPECT_EQ(desk.Loaded(),
              left == kKeepForever ? "\"a:latest\"\"fake:latest\"" : "\"fake:latest\"")
        << form;
  }
  Desk desk;
  for (const char* form : {"true", "\"5 minutes\"", "[]", "\"5\"", "{}"})
    for (const char* path : {"/api/generate", "/api/chat", "/api/embed"})
      EXPECT_EQ(
          desk.desk.Post(path, R"({"model":"a","keep_alive":)" + std::string(form) + "}").status,
          400)
          << path << form;
  EXPECT_TRUE(desk.opener->opened().empty()) << "nothing is loaded for a request that is wrong";
}

TEST(ModelLoading, L10_PsTellsTheTruth) {
  Desk desk;
  desk.Generate("a", R"(,"keep_alive":"1h")");
  const auto before = Rfc3339(std::chrono::system_clock::now() + 59min);
  const auto after = Rfc3339(std::chrono::system_clock::now() + 61min);
  const Json ps(desk.desk.Ask("GET", "/api/ps").body);
  EXPECT_EQ(ps["models.0.model"], "\"a:latest\"");
  EXPECT_GT(ps["models.0.expires_at"], "\"" + before);
  EXPECT_LT(ps["models.0.expires_at"], "\"" + after);
  EXPECT_EQ(ps["models.1.expires_at"].substr(0, 5), "\"2318") << "pinned";
  EXPECT_GE(std::stoull(ps["models.0.size"]), FakeOpener::kModelBytes);
  EXPECT_EQ(ps["models.0.size_vram"], "0");
  EXPECT_EQ(ps["models.0.context_length"], "4096");
  EXPECT_EQ(ps["models.0.details.parameter_size"], "\"134.5M\"");
  EXPECT_EQ(ps["models.0.details.quantization_level"], "\"Q4_1\"");
}

TEST(ModelLoading, ListsShowAllAndWhichAreLoaded) {
  Desk desk;
  desk.Generate("b");
  const Json models(desk.desk.Ask("GET", "/v1/models").body);
  const char* names[] = {"fake", "a", "b", "c"};
  const char* states[] = {"loaded", "unloaded", "loaded", "unloaded"};
  for (int i = 0; i < 4; ++i) {
    const std::string at = "data." + std::to_string(i);
    EXPECT_EQ(models[at + ".id"], "\"" + std::string(names[i]) + "\"");
    EXPECT_EQ(models[at + ".status.value"], "\"" + std::string(states[i]) + "\"");
  }
  EXPECT_EQ(models["data.3.meta.n_ctx_train"], "64") << "from its headers";
  EXPECT_EQ(models["data.3.meta.n_vocab"], "97");
  EXPECT_EQ(models["data.4"], "");
  const Json tags(desk.desk.Ask("GET", "/api/tags").body);
  EXPECT_EQ(tags["models.3.details.parameter_size"], "\"134.5M\"");
  EXPECT_EQ(tags["models.3.details.family"], "\"fake\"");
  EXPECT_EQ(desk.opener->opened().size(), 1u) << "looking loads nothing";
}

TEST(ModelLoading, D10_SaysThatThereIsNoRoomInEachDialect) {
  Desk pinned;  // one desk for the routes; the pool of another service is too small
  auto options = FakePoolOptions(pinned.opener, pinned.clock);
  options.memory_bytes = FakeOpener::kModelBytes - 1;
  DialectDesk desk({AddOpenAiChatRoutes, AddAnthropicRoutes, AddOllamaChatRoutes}, "qwen3", 0,
                   std::move(options));
  const std::string body =
      R"({"model":"a","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]})";
  const HttpResponse openai = desk.Post("/v1/chat/completions", body);
  EXPECT_EQ(openai.status, 503);
  EXPECT_TRUE(openai.headers.Has("retry-after"));
  EXPECT_EQ(Json(openai.body)["error.code"], "\"no_memory\"");
  EXPECT_EQ(desk.Post("/v1/messages", body).status, 529);
  const HttpResponse ollama =
      desk.Post("/api/chat", R"({"model":"a","messages":[{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(ollama.status, 503);
  EXPECT_NE(ollama.body.find("--memory-mb"), std::string::npos);
}

std::shared_ptr<FakeExchange> Begin(DialectDesk* desk, const std::string& model) {
  auto exchange = std::make_shared<FakeExchange>();
  exchange->request().body =
      R"({"model":")" + model + R"(","messages":[{"role":"user","content":"Who?"}]})";
  auto match = desk->router.Find("POST", "/v1/chat/completions");
  match->route->handler(exchange);
  return exchange;
}

TEST(ModelLoading, D16_WhoLeavesWhileAModelLoadsIsForgotten) {
  Desk desk;
  desk.opener->Hold();
  const auto exchange = Begin(&desk.desk, "a");
  desk.opener->AwaitOpened(1);
  EXPECT_EQ(desk.desk.service->models().counts().waiting, 1);
  exchange->Leave();
  EXPECT_EQ(desk.desk.service->models().counts().waiting, 0);
  desk.opener->Let();
  desk.Settle();
  exchange->RunPosted();
  EXPECT_FALSE(exchange->complete());
  EXPECT_EQ(exchange.use_count(), 1) << "nobody holds it any more";
  EXPECT_EQ(desk.Chat("a"), "\"I am a.\"");
}

TEST(ModelLoading, NobodyWaitsForEver) {
  Desk desk;
  desk.opener->Hold();
  const auto late = Begin(&desk.desk, "a"), ended = Begin(&desk.desk, "a");
  desk.opener->AwaitOpened(1);
  ASSERT_EQ(late->timers().size(), 1u);
  EXPECT_EQ(late->timers()[0].first, desk.desk.service->limits().load_seconds);
  late->timers()[0].second();
  ASSERT_TRUE(late->complete());
  EXPECT_EQ(late->sent().status, 503);
  EXPECT_TRUE(late->sent().headers.Has("retry-after"));
  EXPECT_EQ(Json(late->sent().body)["error.code"], "\"model_loading\"");
  desk.desk.service->AbortRunning();
  ASSERT_TRUE(ended->Wait());
  EXPECT_EQ(Json(ended->sent().body)["error.code"], "\"shutting_down\"");
  desk.opener->Let();
  desk.Settle();
}

TEST(ModelLoading, D29_AModelIsDeletedWhileItAnswers) {
  Desk desk;
  auto taken = desk.desk.service->models().Take("a", {}, [](ApiResult<ServedModel>) {});
  desk.Settle();
  auto used = desk.desk.service->models().Take("a", {}, nullptr);
  ASSERT_TRUE(used.now && used.now->ok());
  EXPECT_EQ(desk.desk.Ask("DELETE", "/api/delete", R"({"model":"a"})").status, 200);
  EXPECT_EQ(desk.Generate("a").status, 404);
  Session session((*used.now)->engine);
  EXPECT_TRUE(session.Generate(Greedy("Hi?")).ok());
  EXPECT_EQ(desk.opener->living(), 1);
  EXPECT_EQ(desk.desk.Ask("DELETE", "/api/delete", R"({"model":"fake"})").status, 409) << "pinned";
}

TEST(ModelLoading, RoutesOfTheRouterLoadAndUnload) {
  Desk desk;
  EXPECT_EQ(desk.desk.Post("/models/load", R"({"model":"a"})").body, R"({"success":true})");
  EXPECT_EQ(desk.Loaded(), "\"a:latest\"\"fake:latest\"");
  EXPECT_EQ(desk.desk.Post("/models/unload", R"({"model":"a"})").body, R"({"success":true})");
  EXPECT_EQ(desk.desk.Post("/models/unload", R"({"model":"fake"})").status, 200);
  EXPECT_EQ(desk.Loaded(), "");
  const Json props(desk.desk.Ask("GET", "/api/tags").body);
  EXPECT_EQ(props["models.0.model"], "\"fake:latest\"") << "it may still be served";
  EXPECT_EQ(desk.desk.Post("/models/load", R"({"model":"none"})").status, 404);
  EXPECT_EQ(desk.desk.Post("/models/unload", R"({"model":"none"})").status, 404);
  EXPECT_EQ(desk.desk.Post("/models/load", "{}").status, 400);
}

TEST(ModelLoading, MetricsOfAModelGoWithIt) {
  Desk desk;
  const auto has = [&desk](const std::string& line) {
    return desk.metrics->Text().find(line) != std::string::npos;
  };
  desk.Generate("a");
  EXPECT_TRUE(has("vllm:num_requests_running{model_name=\"a\"} 0\n"));
  EXPECT_TRUE(has("hadal:models_loaded 2\n"));
  EXPECT_TRUE(has("hadal:model_loads_total 1\n"));
  desk.Generate("a", R"(,"keep_alive":0)");
  desk.Settle();
  EXPECT_FALSE(has("vllm:num_requests_running{model_name=\"a\"}"));
  EXPECT_TRUE(has("vllm:num_requests_running{model_name=\"fake\"} 0\n"));
  EXPECT_TRUE(has("hadal:models_loaded 1\n"));
  EXPECT_TRUE(has("hadal:model_unloads_total 1\n"));
}

}  // namespace
}  // namespace hadal
