// hadal list: the models of the model folder.
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "engine/model_folder.h"
#include "hadal/engine.h"
#include "json_object.h"
#include "report.h"

namespace hadal {

void AddList(Options program) {
  const auto json = std::make_shared<bool>(false);
  Options command = program.Command("list", "the models on this machine", [json] {
    const std::vector<ListedModel> models = ListModels();
    std::vector<std::string> rows;
    for (const ListedModel& model : models) {
      if (*json)
        rows.push_back(JsonObject()
                           .Add("name", model.name)
                           .Add("path", model.path)
                           .Add("bytes", model.bytes)
                           .Text());
      else
        PrintLine(fmt::format("{:<40} {:>9.1f} MB  {}", model.name,
                              static_cast<double>(model.bytes) / 1e6, model.path));
    }
    if (*json)
      PrintLine(
          JsonObject().Add("folder", ModelFolder()).AddJson("models", JsonArray(rows)).Text());
    else if (models.empty())
      Say("no models in " + ModelFolder() + "; ./scripts/run fetches the default one\n");
    return 0;
  });
  command.Flag("--json", json.get(), "print one JSON object");
}

}  // namespace hadal
