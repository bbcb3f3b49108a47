// hadal usage: what the ledger of `hadal serve` has counted, by key and model.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/unix_time.h"
#include "commands.h"
#include "engine/model_folder.h"
#include "json_object.h"
#include "report.h"
#include "serve/ledger.h"

namespace hadal {
namespace {

struct UsageOptions {
  std::string ledger;
  std::optional<double> days = {};
  bool json = false;
};

std::string JsonOf(const LedgerTotal& total) {
  JsonObject object;
  object.Add("key", total.key)
      .Add("model", total.model)
      .Add("calls", total.calls)
      .Add("prompt_tokens", total.prompt_tokens)
      .Add("cached_tokens", total.cached_tokens)
      .Add("generated_tokens", total.generated_tokens)
      .Add("seconds", total.seconds);
  if (total.joules)
    object.Add("joules", *total.joules);
  else
    object.AddNull("joules");
  return object.Text();
}

void Print(const std::vector<LedgerTotal>& totals) {
  PrintLine(fmt::format("{:<20} {:<28} {:>8} {:>12} {:>12} {:>12} {:>10} {:>10}", "key", "model",
                        "calls", "prompt", "known", "generated", "seconds", "energy"));
  for (const LedgerTotal& total : totals)
    PrintLine(fmt::format("{:<20} {:<28} {:>8} {:>12} {:>12} {:>12} {:>10.1f} {:>10}", total.key,
                          total.model, total.calls, total.prompt_tokens, total.cached_tokens,
                          total.generated_tokens, total.seconds,
                          total.joules ? fmt::format("{:.1f} kJ", *total.joules / 1000) : "-"));
}

int Run(const UsageOptions& options) {
  const std::string path = options.ledger.empty() ? HadalHome() + "/ledger.sqlite" : options.ledger;
  std::int64_t since = 0;
  if (options.days) since = UnixMilliseconds() - static_cast<std::int64_t>(*options.days * 86400e3);
  const auto totals = Ledger::Totals(path, since);
  if (!totals.ok()) return Fail(totals.status());
  if (!options.json) {
    Print(*totals);
    return 0;
  }
  std::vector<std::string> rows;
  for (const LedgerTotal& total : *totals) rows.push_back(JsonOf(total));
  PrintLine(JsonObject().Add("ledger", path).AddJson("usage", JsonArray(rows)).Text());
  return 0;
}

}  // namespace

void AddUsage(Options program) {
  const auto options = std::make_shared<UsageOptions>();
  Options command = program.Command("usage", "who used how much of the server, by key and model",
                                    [options] { return Run(*options); });
  command.Value("--ledger", &options->ledger, "the server's ledger (default: that of HADAL_HOME)");
  command.Value("--days", &options->days, "of the last so many days (default: all)");
  command.Flag("--json", &options->json, "print one JSON object");
}

}  // namespace hadal
