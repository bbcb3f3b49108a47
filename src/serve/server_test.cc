// A real server on a free loopback port, with a model that writes what the test says.
#include "serve/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <future>
#include <thread>

#include "engine/engine_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

// A client's socket.
class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Say(const std::string& text) const { send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Until the text ends so, or the server ends; what came.
  std::string Hear(const std::string& end = {}) const {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd_, buffer, sizeof(buffer), 0)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(n));
      if (!end.empty() && text.find(end) != text.npos) break;
    }
    return text;
  }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  bool connected() const { return connected_; }

 private:
  int fd_;
  bool connected_ = false;
};

class Watcher : public CallObserver {
 public:
  void Ended(const CallRecord& record) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    records_.push_back(record);
  }
  std::vector<CallRecord> records() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return records_;
  }

 private:
  std::mutex mutex_;
  std::vector<CallRecord> records_;
};

class RequestWatcher : public RequestObserver {
 public:
  void Answered(const RequestRecord& record) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    last_ = record;
    ++count_;
    seen_.notify_all();
  }
  // The newest, once so many were answered.
  RequestRecord Wait(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(seen_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= count; }));
    return last_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable seen_;
  RequestRecord last_;
  int count_ = 0;
};

struct House {
  explicit House(HttpLimits limits = {}, const std::string& answer = "Hello.")
      : fixture(true, "qwen3"), service(std::make_shared<Service>()) {
    // The answer follows the open turn of the assistant.
    fixture.model->script = [answer](const std::vector<std::int32_t>& tokens) {
      std::string text;
      for (const std::int32_t id : tokens)
        text += id > 0 && id < 96 ? static_cast<char>(31 + id) : '\0';
      const std::size_t at = text.rfind("assistant") + 9;
      return tokens.size() - at < answer.size() ? Id(answer[tokens.size() - at]) : 0;
    };
    service->models().AddPinned({.name = "fake", .engine = fixture.engine});
    service->AddObserver(std::static_pointer_cast<CallObserver>(watcher));
    service->AddObserver(std::static_pointer_cast<RequestObserver>(requests));
    auto started = Server::Start({.port = 0, .limits = limits},
                                 MakeRouter(service, std::make_shared<Metrics>()), service, keys);
    EXPECT_TRUE(started.ok()) << started.status().ToString();
    server = *std::move(started);
  }
  std::vector<CallRecord> WaitForCalls(std::size_t count) {
    for (int i = 0; i < 2000 && watcher->records().size() < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return watcher->records();
  }

  EngineFixture fixture;
  std::shared_ptr<Service> service;
  std::shared_ptr<Watcher> watcher = std::make_shared<Watcher>();
  std::shared_ptr<RequestWatcher> requests = std::make_shared<RequestWatcher>();
  std::shared_ptr<KeyRing> keys = std::make_shared<KeyRing>();
  std::unique_ptr<Server> server;
};

std::string Ask(const std::string& more = {}) {
  const std::string body =
      R"({"model":"fake","temperature":0,"messages":[{"role":"user","content":"Hi"}])" + more + "}";
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(Server, RecordsEveryRequestWithoutItsContent) {
  House house;
  const Client client(house.server->port());
  client.Say(Ask(R"(,"stream":true)"));
  const std::string heard = client.Hear("[DONE]\n\n\r\n0\r\n\r\n");
  RequestRecord record = house.requests->Wait(1);
  EXPECT_EQ(record.route, "/v1/chat/completions");
  EXPECT_EQ(record.method, "POST");
  EXPECT_EQ(record.key, "anonymous");
  EXPECT_EQ(record.status, 200);
  EXPECT_EQ(record.sent_bytes, std::ssize(heard));
  EXPECT_NE(heard.find(record.request_id), std::string::npos);
  EXPECT_GT(record.prompt_tokens, 0);
  EXPECT_EQ(record.generated_tokens, 7) << "Hello. and the end";
  EXPECT_GT(record.seconds, 0);
  client.Say("GET /v1/models/none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string refused = client.Hear();
  record = house.requests->Wait(2);
  EXPECT_EQ(record.route, "/v1/models/{id...}");
  EXPECT_EQ(record.status, 404);
  EXPECT_EQ(record.sent_bytes, std::ssize(refused));
  EXPECT_EQ(record.generated_tokens, 0);
}

TEST(Server, D12HeartbeatsWhileTheModelIsSilent) {
  House house({.heartbeat_seconds = 0.02});
  std::promise<void> heard;
  house.fixture.model->script = [go_on = heard.get_future().share(),
                                 at = 0](const std::vector<std::int32_t>&) mutable {
    if (++at == 3) go_on.wait();
    return at < 5 ? Id('a') : 0;
  };
  const Client client(house.server->port());
  client.Say(Ask(R"(,"stream":true)"));
  const std::string begun = client.Hear(": keep-alive\n\n");
  EXPECT_NE(begun.find(": keep-alive\n\n"), std::string::npos) << begun;
  heard.set_value();
  EXPECT_NE(client.Hear("[DONE]").find("[DONE]"), std::string::npos);
}

TEST(Server, SaysThatModelsAreLoading) {
  House house;
  house.service->set_loading(true);
  const auto get = [&](const std::string& path) {
    const Client client(house.server->port());
    client.Say("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.Hear();
  };
  for (const char* path : {"/health", "/readyz", "/startupz", "/v1/models/other"}) {
    const std::string answer = get(path);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_NE(answer.find("Retry-After: 2\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Loading model"), std::string::npos) << answer;
  }
  EXPECT_TRUE(get("/livez").starts_with("HTTP/1.1 200 "));
  house.service->set_loading(false);
  for (const char* path : {"/health", "/readyz", "/startupz"})
    EXPECT_TRUE(get(path).starts_with("HTTP/1.1 200 ")) << path;
  EXPECT_TRUE(get("/v1/models/other").starts_with("HTTP/1.1 404 "));
}

TEST(Server, AnswersSeveralRequestsOfOneConnection) {
  House house;
  const Client client(house.server->port());
  client.Say("GET /health HTTP/1.1\r\nHost: localhost\r\nx-request-id: mine-1\r\n\r\n");
  const std::string health = client.Hear("{\"status\":\"ok\"}");
  EXPECT_NE(health.find("x-request-id: mine-1\r\n"), health.npos) << health;
  client.Say(Ask() + Ask());  // both at once
  const std::string first = client.Hear("\"timings\"");
  EXPECT_NE(first.find("Hello."), first.npos) << first;
  house.WaitForCalls(2);
  EXPECT_EQ(house.watcher->records().size(), 2u);
  client.Say(Ask(R"(,"stream":true)"));
  const std::string streamed = client.Hear("0\r\n\r\n");
  EXPECT_NE(streamed.find("data: [DONE]"), streamed.npos) << streamed;
}

TEST(Server, EndsABodyThatIsTooLargeBeforeItIsRead) {
  House house({.body_bytes = 100});
  const Client client(house.server->port());
  client.Say(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n");
  const std::string answer = client.Hear();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_NE(answer.find("Connection: close"), answer.npos);
}

// Row D-15: a header that never ends.
TEST(Server, EndsSlowHeaders) {
  House house({.header_seconds = 0.2});
  const Client client(house.server->port());
  client.Say("GET /health HT");
  const std::string answer = client.Hear();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
}

// Row D-16: who leaves gives the machine back.
TEST(Server, AClientThatLeavesCancels) {
  House house({}, std::string(4000, 'a'));
  for (const char* stream : {"false", "true"}) {
    Client client(house.server->port());
    client.Say(Ask(std::string(R"(,"stream":)") + stream));
    for (int i = 0; i < 1000 && house.fixture.engine->counters().running == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    client.Close();
  }
  const auto records = house.WaitForCalls(2);
  ASSERT_EQ(records.size(), 2u);
  for (const CallRecord& record : records) EXPECT_TRUE(record.cancelled);
  EXPECT_EQ(house.service->admission().calls(), 0);
}

constexpr char kHealth[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

// Row D-14: clients that hold connections do not lock out one that asks.
TEST(Server, ShedsConnectionsThatWait) {
  House house({.connections = 8, .connections_per_address = 8, .held_seconds = 0});
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 40; ++i) idle.push_back(std::make_unique<Client>(house.server->port()));
  const Client client(house.server->port());
  client.Say(kHealth);
  EXPECT_TRUE(client.Hear().starts_with("HTTP/1.1 200 "));
  EXPECT_LE(house.server->connections(), 8);
}

// Row D-14: who comes when all places are taken hears so, and nobody loses a place to it.
TEST(Server, TellsAFloodThatItIsFull) {
  House house({.connections = 8, .connections_per_address = 8, .held_seconds = 3600});
  std::vector<std::unique_ptr<Client>> first;
  for (int i = 0; i < 8; ++i) first.push_back(std::make_unique<Client>(house.server->port()));
  for (int i = 0; i < 20; ++i) {
    const Client late(house.server->port());
    late.Say(Ask());
    const std::string answer = late.Hear();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_NE(answer.find("\r\nRetry-After: 1\r\n"), std::string::npos) << answer;
    const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
    EXPECT_NE(answer.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"),
              std::string::npos)
        << answer;
  }
  for (const auto& client : first) {
    client->Say(kHealth);
    EXPECT_TRUE(client->Hear().starts_with("HTTP/1.1 200 "));
  }
}

TEST(Server, DrainsAndTakesNothingNew) {
  House house({}, std::string(300, 'a'));
  const Client client(house.server->port());
  client.Say(Ask(R"(,"stream":true)"));
  client.Hear("\"content\":\"a\"");
  house.server->Drain(20);
  EXPECT_NE(client.Hear().find("data: [DONE]"), std::string::npos);
  EXPECT_FALSE(house.service->ready());
  EXPECT_FALSE(Client(house.server->port()).connected());
}

TEST(Server, NeedsAKeyWhereOthersReachIt) {
  const auto service = std::make_shared<Service>();
  const auto started = Server::Start({.host = "0.0.0.0", .port = 0}, std::make_shared<Router>(),
                                     service, std::make_shared<KeyRing>());
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.status().code(), Code::kUsage);
}

// Every route but the public ones needs a key.
TEST(Server, EveryRouteSaysWhoMayUseIt) {
  const auto service = std::make_shared<Service>();
  const auto router = MakeRouter(service, std::make_shared<Metrics>());
  for (const auto& route : router->routes()) {
    if (!route->access.is_public()) continue;
    EXPECT_EQ(route->method, "GET") << route->pattern;  // a public route changes nothing
    EXPECT_FALSE(route->pattern.starts_with("/v1/") && route->pattern != "/v1/health")
        << route->pattern;
  }
  EXPECT_GT(router->routes().size(), 40u);
}

}  // namespace
}  // namespace hadal
