// Any bytes as a hub's list: what is accepted stays below its folder, and choosing from it as well.
#include <cstdint>

#include "base/check.h"
#include "fetch/choose_files.h"

namespace {

void CheckChoice(const std::vector<hadal::HubFile>& files, const hadal::HubName& name) {
  const auto choice = hadal::ChooseFiles(files, name);
  (void)choice.status().ToString();
  if (!choice.ok()) return;
  HADAL_CHECK(hadal::IsModelName(choice->local_name), "the folder's name is one");
  for (const hadal::HubFile& file : choice->files) {
    HADAL_CHECK(hadal::IsHubPath(file.target), "a file goes below the folder");
    HADAL_CHECK(!file.checksum.empty(), "what is fetched can be checked");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto files = hadal::ParseFileList(text, "fuzz");
  (void)files.status().ToString();
  if (files.ok()) {
    for (const hadal::HubFile& file : *files)
      HADAL_CHECK(hadal::IsHubPath(file.path), "no path outside the folder");
    for (const char* asked : {"", "Q4_K_M", "model.gguf"})
      CheckChoice(*files, {"owner", "name", asked});
  }
  const auto name = hadal::ParseHubName(text.substr(0, text.find('\n')));
  if (name.ok())
    HADAL_CHECK(hadal::IsModelName(name->owner) && hadal::IsModelName(name->name),
                "a name is two parts of a path");
  return 0;
}
