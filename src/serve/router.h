// Router: which handler a method and a path belong to. A route cannot be made without saying who
// may use it. Built before the server starts, read by any thread afterwards.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api_error.h"
#include "serve/exchange.h"

namespace hadal {

// Who may use a route. Public ones need no key, and their handlers run where the network is
// served: they answer at once from what is in memory.
class Access {
 public:
  static Access Public() { return Access(std::nullopt); }
  static Access Key(Scope scope) { return Access(scope); }
  bool is_public() const { return !scope_; }
  Scope scope() const { return *scope_; }

 private:
  explicit Access(std::optional<Scope> scope) : scope_(scope) {}
  std::optional<Scope> scope_;
};

using Handler = std::function<void(const std::shared_ptr<Exchange>& exchange)>;

struct HttpRoute {
  std::string method;   // "GET" also answers HEAD
  std::string pattern;  // "/v1/models/{id}"; "{id...}" takes the rest, slashes included
  Access access;
  Handler handler;
};

class Router {
 public:
  // A pattern and method that are there already are a mistake of ours (HADAL_CHECK).
  void Add(HttpRoute route);
  // The same handler for several paths.
  void Add(const std::string& method, std::initializer_list<const char*> patterns, Access access,
           const Handler& handler);

  struct Match {
    const HttpRoute* route = nullptr;
    std::vector<std::pair<std::string, std::string>> parameters;
  };
  // kNotFound, or kWrongMethod with the methods that the path has. Fixed segments go before
  // placeholders.
  ApiResult<Match> Find(std::string_view method, std::string_view path) const;
  const std::vector<std::unique_ptr<HttpRoute>>& routes() const { return routes_; }

 private:
  struct Node {
    std::vector<std::string> segments;
    std::vector<const HttpRoute*> routes;
  };
  std::vector<std::unique_ptr<HttpRoute>> routes_;
  std::vector<Node> nodes_;  // one a pattern
};

}  // namespace hadal
