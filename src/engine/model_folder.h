// The models of this machine: what a name, a directory or a file given by a user stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hadal {

// What `MODEL` is where it is left out; scripts/run puts it there.
inline constexpr std::string_view kDefaultModel = "smollm2-135m-instruct";

// $HADAL_HOME, else ~/.local/share/hadal.
std::string HadalHome();

// The path of a checkpoint: `model` is a directory with config.json, a file, a directory that holds
// one .gguf file, or the name of such a directory or file in the model folder; "" is the default
// model. kUnusable, with the ways out, where there is nothing of the kind.
Result<std::string> FindModel(const std::string& model);

// The bytes of a checkpoint: of a file, or of the files in a directory; 0 where there is none.
std::uint64_t ModelBytes(const std::string& path);

// When a file or directory was changed last, in seconds since 1970; 0 where there is none.
std::int64_t ChangedSeconds(const std::string& path);

struct ListedModel {
  std::string name, path;
  std::uint64_t bytes = 0;  // of its files
};
// What the model folder holds, by name, hidden entries apart; empty where there is no such folder.
std::vector<ListedModel> ListModels();

// Removes a model that ListModels names: its folder, or its file. A symbolic link is removed, not
// followed. kUsage where there is none of this name.
Status RemoveModel(const std::string& name);

}  // namespace hadal
