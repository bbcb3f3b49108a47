// Which files of a repository a model needs: what the readers of this project read (the weights,
// configuration, tokenizer, prompt format), its licence and its description. Nothing of it is ever
// run. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fetch/file_list.h"
#include "fetch/hub_name.h"

namespace hadal {

struct FileChoice {
  std::string local_name;      // IsModelName: `as`, the repository's name, or the .gguf file's
  std::vector<HubFile> files;  // small ones first; `target` is set, each once

  std::uint64_t bytes() const;
};

// A repository of safetensors is taken as a folder, unless a .gguf file is asked for; of several
// .gguf files one must be named. kUsage with their names where none or several fit, kUnusable where
// the repository holds no model, or a file without a checksum.
Result<FileChoice> ChooseFiles(const std::vector<HubFile>& list, const HubName& name,
                               const std::string& as = {});

// The licence or the description: words about a model, which may change while it stays the same.
bool IsAbout(std::string_view path);

}  // namespace hadal
