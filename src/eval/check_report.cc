#include "eval/check_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json.h"

namespace hadal {

void CheckReport::Add(bool disputed, bool pass, CheckFailure failure) {
  if (disputed) {
    ++disputed_total;
    disputed_passed += pass ? 1 : 0;
    return;
  }
  ++total;
  passed += pass ? 1 : 0;
  if (!pass) failures.push_back(std::move(failure));
}

std::string CheckReport::ToJson() const {
  std::string out =
      fmt::format(R"({{"ok":{},"total":{},"passed":{},"failures":[)", ok(), total, passed);
  for (const CheckFailure& failure : failures) {
    if (out.back() == '}') out += ',';
    out += R"({"name":)";
    AppendJsonString(&out, failure.name);
    out += R"(,"found":)";
    AppendJsonString(&out, failure.found);
    out += R"(,"expected":)";
    AppendJsonString(&out, failure.expected);
    out += '}';
  }
  out +=
      fmt::format(R"(],"disputed":{{"total":{},"passed":{}}}}})", disputed_total, disputed_passed);
  return out;
}

std::string CheckReport::ToText() const {
  constexpr std::size_t kShown = 10;
  std::string out = fmt::format("{}: {} of {} passed\n", ok() ? "ok" : "FAILED", passed, total);
  if (disputed_total > 0)
    out +=
        fmt::format("disputed, counted apart: {} of {} passed\n", disputed_passed, disputed_total);
  if (total + disputed_total == 0) out += "the file holds no vectors\n";
  for (std::size_t i = 0; i < std::min(kShown, failures.size()); ++i)
    out += fmt::format("\n{}\n  expected: {}\n  found:    {}\n", failures[i].name,
                       failures[i].expected, failures[i].found);
  if (failures.size() > kShown) out += fmt::format("\n... and {} more\n", failures.size() - kShown);
  return out;
}

}  // namespace hadal
