// What the tests of the dialects share: a service around a model that writes what a test tells it
// to, and requests to its routes without a network.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/engine_test_data.h"
#include "serve/fake_exchange.h"
#include "serve/router.h"
#include "serve/service.h"

namespace hadal {

// A JSON text and where to look in it: "content.0.text" says what stands there, as JSON; "" where
// nothing does.
class Json {
 public:
  explicit Json(std::string text) : text_(std::move(text)) {
    auto document = ParseJson(text_, "test");
    EXPECT_TRUE(document.ok()) << document.status().ToString() << "\n" << text_;
    if (document.ok()) document_ = *document;
  }
  std::string operator[](std::string_view path) const {
    const Metadata* at = &document_.root();
    while (!path.empty() && at != nullptr) {
      const std::string_view name = path.substr(0, path.find('.'));
      path.remove_prefix(std::min(path.size(), name.size() + 1));
      if (!at->is_array()) {
        at = at->Find(name);
        continue;
      }
      const auto index = static_cast<std::size_t>(std::stoi(std::string(name)));
      at = index < at->items().size() ? &at->items()[index] : nullptr;
    }
    return at == nullptr ? "" : WriteJson(*at);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  MetadataDocument document_;
};

// The data of server-sent events, in order.
inline std::vector<Json> EventsOf(const std::string& body) {
  std::vector<Json> events;
  constexpr std::string_view kData = "data: ";
  for (std::size_t at = 0; (at = body.find(kData, at)) != std::string::npos;) {
    at += kData.size();
    const std::string data = body.substr(at, body.find('\n', at) - at);
    if (data != "[DONE]") events.emplace_back(data);
  }
  return events;
}

inline std::vector<Json> LinesOf(const std::string& body) {
  std::vector<Json> lines;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = body.find('\n', at);
    lines.emplace_back(body.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

class DialectDesk {
 public:
  using AddRoutes = void (*)(Router*, const std::shared_ptr<Service>&);

  explicit DialectDesk(std::initializer_list<AddRoutes> routes, const std::string& format = "qwen3",
                       std::int64_t context_tokens = 0, ModelPoolOptions models = {})
      : fixture(true, format, context_tokens),
        service(std::make_shared<Service>(ServiceLimits{}, std::move(models))) {
    service->models().AddPinned(
        {.name = "fake", .engine = fixture.engine, .created_seconds = 1700000000});
    for (const AddRoutes add : routes) add(&router, service);
    Answer("Hello.");
  }

  // What the model writes once the assistant's turn is open, in chats of the format qwen3; after
  // any other prompt, from its end.
  void Answer(std::string answer) { fixture.model->script = ScriptOf(std::move(answer)); }
  static std::function<std::int32_t(const std::vector<std::int32_t>&)> ScriptOf(
      std::string answer) {
    const auto begins = std::make_shared<std::size_t>(0);
    return [answer, begins](const std::vector<std::int32_t>& tokens) {
      static const std::string kTurn = "assistant", kClosed = "<think></think>";
      std::string text;
      for (const std::int32_t id : tokens)
        text += id > 0 && id < 96 ? static_cast<char>(31 + id) : '\0';
      std::size_t at = text.rfind(kTurn);
      if (at == std::string::npos) {
        if (*begins == 0 || *begins > tokens.size()) *begins = tokens.size();
        at = *begins;
      } else {
        at += kTurn.size();
        if (text.compare(at, kClosed.size(), kClosed) == 0) at += kClosed.size();
      }
      const std::size_t written = tokens.size() - at;
      return written < answer.size() ? Id(answer[written]) : 0;
    };
  }

  HttpResponse Ask(const std::string& method, const std::string& path, std::string body = {},
                   const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    auto exchange = std::make_shared<FakeExchange>();
    HttpRequest& request = exchange->request();
    request.method = method;
    request.path = path.substr(0, path.find('?'));
    if (path.find('?') != std::string::npos) request.query = path.substr(path.find('?') + 1);
    request.body = std::move(body);
    for (const auto& [name, value] : headers) request.headers.Set(name, value);
    auto match = router.Find(method, request.path);
    EXPECT_TRUE(match.ok()) << path;
    if (!match.ok()) return {};
    request.parameters = match->parameters;
    match->route->handler(exchange);
    EXPECT_TRUE(exchange->Wait()) << path;
    return exchange->sent();
  }
  HttpResponse Post(const std::string& path, std::string body) {
    return Ask("POST", path, std::move(body));
  }

  EngineFixture fixture;
  std::shared_ptr<Service> service;
  Router router;
};

}  // namespace hadal
