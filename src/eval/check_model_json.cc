// The JSON form of the report of `check model` (docs/cli.md).
#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "eval/check_model.h"

namespace hadal {
namespace {

// JSON has no infinity and no NaN: they are written as a number that no check passes.
std::string Number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string("1e308");
}

std::string Prompt(const CheckedPrompt& prompt) {
  std::string layers;
  for (const double layer : prompt.layers) layers += (layers.empty() ? "" : ",") + Number(layer);
  std::string faults;
  for (const std::string& fault : prompt.faults) {
    if (!faults.empty()) faults += ',';
    AppendJsonString(&faults, fault);
  }
  return fmt::format(
      R"({{"name":"{}","tokens":{},"max_abs_diff":{},"mean_kl":{},"top1_agreement":{},)"
      R"("greedy_equal":{},"greedy_checked":{},"layers":[{}],)"
      R"("selections":{{"checked":{},"equal":{}}},"faults":[{}]}})",
      prompt.name, prompt.tokens, Number(prompt.max_abs_diff), Number(prompt.mean_kl),
      Number(prompt.top1_agreement), prompt.greedy_equal, prompt.greedy_checked, layers,
      prompt.selections_checked, prompt.selections_equal, faults);
}

}  // namespace

std::string CheckModelReport::ToJson() const {
  std::string all, names;
  for (const CheckedPrompt& prompt : prompts) all += (all.empty() ? "" : ",") + Prompt(prompt);
  for (const std::string& name : skipped) {
    if (!names.empty()) names += ',';
    AppendJsonString(&names, name);
  }
  return fmt::format(R"({{"ok":{},"profile":"{}","tolerance":{},"prompts":[{}],"skipped":[{}]}})",
                     ok, Name(profile), Number(tolerance), all, names);
}

}  // namespace hadal
