#include "serve/router.h"

#include <algorithm>

#include "base/check.h"

namespace hadal {
namespace {

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  for (std::size_t from = 1; from <= path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    segments.emplace_back(path.substr(from, slash - from));
    from = slash + 1;
  }
  return segments;
}

bool IsPlaceholder(std::string_view segment) { return segment.starts_with('{'); }
bool TakesRest(std::string_view segment) { return segment.ends_with("...}"); }
std::string NameOf(std::string_view segment) {
  return std::string(segment.substr(1, segment.size() - (TakesRest(segment) ? 5 : 2)));
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

// How well a pattern fits: the number of its fixed segments; -1 where it does not.
int Fit(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
        Parameters* parameters) {
  int fixed = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i >= path.size()) return -1;
    if (TakesRest(pattern[i])) {
      std::string rest = path[i];
      for (std::size_t j = i + 1; j < path.size(); ++j) rest += "/" + path[j];
      if (rest.empty()) return -1;
      parameters->emplace_back(NameOf(pattern[i]), std::move(rest));
      return fixed;
    }
    if (IsPlaceholder(pattern[i])) {
      if (path[i].empty()) return -1;
      parameters->emplace_back(NameOf(pattern[i]), path[i]);
    } else if (pattern[i] != path[i]) {
      return -1;
    } else {
      ++fixed;
    }
  }
  return pattern.size() == path.size() ? fixed : -1;
}

bool Answers(const HttpRoute& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

std::string AllowedMethods(const std::vector<const HttpRoute*>& routes) {
  std::string allow;
  for (const HttpRoute* route : routes) {
    if (!allow.empty()) allow += ", ";
    allow += route->method;
    if (route->method == "GET") allow += ", HEAD";
  }
  return allow;
}

}  // namespace

void Router::Add(HttpRoute route) {
  HADAL_CHECK(route.pattern.starts_with('/') && route.handler != nullptr,
              "a route needs a path and a handler");
  auto segments = Split(route.pattern);
  auto node = std::find_if(nodes_.begin(), nodes_.end(),
                           [&](const Node& other) { return other.segments == segments; });
  if (node == nodes_.end()) node = nodes_.insert(nodes_.end(), {std::move(segments), {}});
  for (const HttpRoute* other : node->routes)
    HADAL_CHECK(other->method != route.method, "a route may be added once");
  routes_.push_back(std::make_unique<HttpRoute>(std::move(route)));
  node->routes.push_back(routes_.back().get());
}

void Router::Add(const std::string& method, std::initializer_list<const char*> patterns,
                 Access access, const Handler& handler) {
  for (const char* pattern : patterns) Add({method, pattern, access, handler});
}

ApiResult<Router::Match> Router::Find(std::string_view method, std::string_view path) const {
  const std::vector<std::string> segments = Split(path);
  Match match;
  int best = -1;
  std::vector<const HttpRoute*> there;  // routes of the path, whatever their method
  for (const Node& node : nodes_) {
    Parameters parameters;
    const int fit = Fit(node.segments, segments, &parameters);
    if (fit < 0) continue;
    there.insert(there.end(), node.routes.begin(), node.routes.end());
    for (const HttpRoute* route : node.routes)
      if (Answers(*route, method) && fit > best) {
        best = fit;
        match = {route, std::move(parameters)};
        break;
      }
  }
  if (match.route != nullptr) return match;
  if (there.empty())
    return ApiError{
        .kind = ErrorKind::kNotFound, .message = "nothing lives at this path", .code = "not_found"};
  return ApiError{.kind = ErrorKind::kWrongMethod,
                  .message = "this path does not take the method",
                  .code = "method_not_allowed",
                  .allow = AllowedMethods(there)};
}

}  // namespace hadal
