// hadal pull and hadal rm: models from a hub into the model folder, and out of it.
#include "fetch/pull.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "commands.h"
#include "engine/model_folder.h"
#include "hadal/engine.h"
#include "hub_environment.h"
#include "json_object.h"
#include "progress.h"
#include "report.h"
#include "terminal.h"

namespace hadal {
namespace {

struct PullChoice {
  std::string name, from, as;
  bool json = false;
};

// What happens, on standard error: a line a stage, and on a terminal how far it is.
class PullTeller {
 public:
  void Tell(const PullProgress& progress) {
    constexpr std::uint64_t kMegabyte = 1'000'000;
    if (progress.stage == PullProgress::Stage::kRetry) {
      line_.Clear();
      Say("hadal: " + Harmless(progress.note) + "\n");
      return;
    }
    if (progress.stage != stage_) {
      stage_ = progress.stage;
      line_.Clear();
      if (stage_ == PullProgress::Stage::kFile)
        Say(fmt::format("hadal: fetching {:.1f} MB\n",
                        static_cast<double>(progress.all_bytes) / kMegabyte));
      if (stage_ == PullProgress::Stage::kCheck) Say("hadal: checking what came\n");
    }
    const auto done = static_cast<std::int64_t>(progress.all_done / kMegabyte);
    if (std::exchange(shown_, done) == done) return;
    line_.Show(done, static_cast<std::int64_t>(progress.all_bytes / kMegabyte));
  }

 private:
  PullProgress::Stage stage_ = PullProgress::Stage::kList;
  std::int64_t shown_ = 0;
  Progress line_{"MB"};
};

Result<PulledModel> PullHere(const PullChoice& choice) {
  HADAL_ASSIGN_OR_RETURN(const HubName name, ParseHubName(choice.name));
  const Interrupts::Scope interrupts(nullptr);
  PullTeller teller;
  PullOptions options;
  options.folder = ModelFolder();
  options.as = choice.as;
  options.cancelled = [] { return Interrupts::count() > 0; };
  options.on_progress = [&teller](const PullProgress& progress) { teller.Tell(progress); };
  ReadHubEnvironment(&options);
  if (!choice.from.empty()) options.hub = choice.from;
  return Pull(name, options);
}

int RunPull(const PullChoice& choice) {
  const auto pulled = PullHere(choice);
  if (!pulled.ok()) return Fail(pulled.status());
  if (choice.json)
    PrintLine(JsonObject()
                  .Add("name", pulled->name)
                  .Add("path", pulled->path)
                  .Add("bytes", pulled->bytes)
                  .Add("fetched_bytes", pulled->fetched)
                  .Text());
  else
    PrintLine(fmt::format("{} {} ({:.1f} MB): hadal run {}", pulled->name,
                          pulled->was_there ? "is there" : "is pulled",
                          static_cast<double>(pulled->bytes) / 1e6, pulled->name));
  return 0;
}

int RunRemove(const std::string& name) {
  const auto unfinished = RemoveUnfinished(ModelFolder(), name);
  if (!unfinished.ok()) return Fail(unfinished.status());
  const Status removed = RemoveModel(name);
  if (!removed.ok() && !*unfinished) return Fail(removed);
  PrintLine(name + (removed.ok() ? " is removed" : ": what an unfinished pull left is removed"));
  return 0;
}

}  // namespace

void AddPull(Options program) {
  const auto choice = std::make_shared<PullChoice>();
  Options command = program.Command("pull", "fetch a model from a hub into the model folder",
                                    [choice] { return RunPull(*choice); });
  command.Value("name", &choice->name, "OWNER/NAME, or OWNER/NAME:FILE.gguf");
  command.Require("name");
  command.Value("--from", &choice->from,
                "the hub (default: HF_ENDPOINT, else https://huggingface.co)");
  command.Value("--as", &choice->as, "what to call the model here");
  command.Flag("--json", &choice->json, "print one JSON object");
}

void AddRemove(Options program) {
  const auto name = std::make_shared<std::string>();
  Options command = program.Command("rm", "remove a model from the model folder",
                                    [name] { return RunRemove(*name); });
  command.Value("name", name.get(), "a name from `hadal list`");
  command.Require("name");
}

}  // namespace hadal
