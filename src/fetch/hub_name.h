// What a user asks a hub for, and what may stand for a model or a file of one on disk. Names come
// from users, clients and hubs, and are checked here before they touch a path. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace hadal {

// Whether a name may stand for an entry of the model folder: letters, digits, '_', '-', '.', the
// first one no '.' or '-', at most 96 bytes (the most that the hub allows).
bool IsModelName(std::string_view name);

// Whether a path of a hub's list stays below the folder that it is put into: parts between '/',
// none empty, "." or "..", no backslash and no control characters, at most 255 bytes a part and 512
// in all.
bool IsHubPath(std::string_view path);

struct HubName {
  std::string owner, name;
  std::string file;  // a .gguf file of the repository, or the end of its name ("Q4_K_M"); may be ""
  std::string ToString() const;
};

// "OWNER/NAME" or "OWNER/NAME:FILE"; "hf.co/" and "huggingface.co/" before it, and ":latest" after
// it, say nothing (as Ollama's clients write it). kUsage otherwise.
Result<HubName> ParseHubName(std::string_view text);

}  // namespace hadal
