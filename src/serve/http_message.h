// A request and a response as the handlers see them: plain values, no network in them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/api_key.h"

namespace hadal {

// Header fields in the order of the wire. Names are compared without case (RFC 9110 section 5.1).
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields) : fields_(fields) {}

  void Add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  // Replaces every field of this name.
  void Set(std::string_view name, std::string value);
  // The first field of this name; empty where there is none.
  std::string_view Find(std::string_view name) const;
  bool Has(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// Whether two header names (or other ASCII words) are equal without case.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

struct HttpRequest {
  std::string method;  // "GET", "POST", ...
  std::string path;    // percent-decoded, begins with '/', UTF-8, no NUL
  std::string query;   // as it came, without '?'
  HttpHeaders headers;
  std::string body;
  std::string remote;  // the peer's address, without its port
  bool tls = false;
  std::string id;  // x-request-id: the client's where it is well-formed, else ours

  // Filled in before the handler runs: whose key this is (never null there; without keys in force
  // everybody is `Anonymous()`), and what the {placeholders} of the route stand for.
  std::shared_ptr<const ApiKey> key;
  std::vector<std::pair<std::string, std::string>> parameters = {};
  std::string_view Parameter(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;

  static HttpResponse Json(std::string body, int status = 200);
  static HttpResponse Text(std::string body, int status = 200);
};

// Undoes percent-encoding. False where an escape is broken, or the result is not UTF-8 or holds a
// control character.
bool PercentDecode(std::string_view text, std::string* out);

}  // namespace hadal
