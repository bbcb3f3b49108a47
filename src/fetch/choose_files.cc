#include "fetch/choose_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadal {
namespace {

constexpr std::array kSideFiles = {
    "config.json",        "generation_config.json", "tokenizer.json",    "tokenizer.json.gz",
    "tiktoken.model",     "tokenizer_config.json",  "added_tokens.json", "chat_template.jinja",
    "chat_template.json", "special_tokens_map.json"};

std::string_view FileNameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view StemOf(std::string_view path) {
  const std::string_view name = FileNameOf(path);
  return name.substr(0, name.rfind('.'));
}

bool AtTop(const HubFile& file) { return file.path.find('/') == std::string::npos; }

bool IsSafetensors(const HubFile& file) {
  return AtTop(file) && file.path.ends_with(".safetensors");
}

// Text of a release's encoder, which is compared and never run.
bool IsEncoder(const HubFile& file) {
  constexpr std::string_view kFolder = "encoding/";
  return file.path.starts_with(kFolder) && file.path.ends_with(".py") &&
         file.path.find('/', kFolder.size()) == std::string::npos;
}

bool IsSideFile(const HubFile& file) {
  return std::ranges::find(kSideFiles, file.path) != kSideFiles.end() || IsAbout(file.path) ||
         IsEncoder(file) || (AtTop(file) && file.path.ends_with(".safetensors.index.json"));
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EndsWithTag(std::string_view stem, std::string_view tag) {
  if (stem.size() <= tag.size()) return false;
  const char before = stem[stem.size() - tag.size() - 1];
  return (before == '-' || before == '.' || before == '_') &&
         std::ranges::equal(stem.substr(stem.size() - tag.size()), tag, {}, Lower, Lower);
}

// "model-00001-of-00003.gguf": one model in several files.
bool IsSplit(std::string_view path) {
  const std::string_view stem = StemOf(path);
  const std::size_t of = stem.rfind("-of-");
  const auto digits = [](std::string_view text) {
    return text.size() == 5 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  return of != std::string_view::npos && of >= 6 && stem[of - 6] == '-' &&
         digits(stem.substr(of - 5, 5)) && digits(stem.substr(of + 4));
}

std::string Listed(const std::vector<HubFile>& files) {
  constexpr std::size_t kMost = 40;
  std::string text;
  for (std::size_t i = 0; i < files.size() && i < kMost; ++i)
    text += (i == 0 ? "" : ", ") + files[i].path;
  if (files.size() > kMost) text += fmt::format(" and {} more", files.size() - kMost);
  return text;
}

bool WantsFolder(const std::vector<HubFile>& list) {
  return std::ranges::any_of(list, IsSafetensors) &&
         std::ranges::any_of(list, [](const HubFile& file) { return file.path == "config.json"; });
}

// A copy of the weights in their maker's own names stands beside those that the index lists.
bool IsSecondCopy(const HubFile& file) { return file.path.starts_with("consolidated"); }

std::vector<HubFile> FolderFiles(const std::vector<HubFile>& list) {
  const bool others = std::ranges::any_of(
      list, [](const HubFile& file) { return IsSafetensors(file) && !IsSecondCopy(file); });
  std::vector<HubFile> files;
  for (HubFile file : list) {
    if (!IsSideFile(file) && !(IsSafetensors(file) && !(others && IsSecondCopy(file)))) continue;
    file.target = file.path;
    files.push_back(std::move(file));
  }
  return files;
}

Result<HubFile> FindGguf(const std::vector<HubFile>& list, const HubName& name) {
  std::vector<HubFile> all, fitting;
  for (const HubFile& file : list) {
    if (!file.path.ends_with(".gguf")) continue;
    all.push_back(file);
    if (file.path == name.file) return file;
    if (name.file.empty() || FileNameOf(file.path) == name.file ||
        EndsWithTag(StemOf(file.path), name.file))
      fitting.push_back(file);
  }
  const std::string where = name.ToString();
  if (all.empty())
    return Unusable(where, "no .safetensors with config.json, and no .gguf file",
                    "a model's weights in one of the two", "is it the right repository?");
  if (fitting.size() == 1) return fitting[0];
  if (fitting.empty())
    return UsageError(where, "no such file", "one of: " + Listed(all),
                      "name it after the colon: " + name.owner + "/" + name.name + ":FILE");
  return UsageError(where, fmt::format("{} .gguf files that fit", fitting.size()),
                    "one of: " + Listed(fitting),
                    "name it after the colon: " + name.owner + "/" + name.name + ":FILE");
}

Result<std::vector<HubFile>> GgufFiles(const std::vector<HubFile>& list, const HubName& name) {
  HADAL_ASSIGN_OR_RETURN(HubFile weights, FindGguf(list, name));
  if (IsSplit(weights.path))
    return Unsupported(weights.path, "a model that is split into several .gguf files",
                       "one .gguf file", "choose another file of the repository");
  weights.target = FileNameOf(weights.path);
  std::vector<HubFile> files;
  for (HubFile file : list) {
    if (!IsAbout(file.path)) continue;
    file.target = file.path;
    files.push_back(std::move(file));
  }
  files.push_back(std::move(weights));
  return files;
}

Status CheckChoice(const FileChoice& choice, const HubName& name) {
  if (!IsModelName(choice.local_name))
    return UsageError(name.ToString(), "the name " + choice.local_name,
                      "letters, digits, '_', '-' and '.', at most 96",
                      "choose another name for it with --as");
  for (const HubFile& file : choice.files)
    if (file.checksum.empty())
      return Unusable(file.path, "no checksum in the hub's list", "one for every file",
                      "what cannot be checked is not fetched; choose another hub");
  return {};
}

}  // namespace

bool IsAbout(std::string_view path) {
  return path.find('/') == std::string_view::npos &&
         (path.starts_with("LICENSE") || path.starts_with("README"));
}

std::uint64_t FileChoice::bytes() const {
  std::uint64_t sum = 0;
  for (const HubFile& file : files) sum += file.bytes;
  return sum;
}

Result<FileChoice> ChooseFiles(const std::vector<HubFile>& list, const HubName& name,
                               const std::string& as) {
  FileChoice choice{.local_name = name.name, .files = {}};
  if (name.file.empty() && WantsFolder(list)) {
    choice.files = FolderFiles(list);
  } else {
    HADAL_ASSIGN_OR_RETURN(choice.files, GgufFiles(list, name));
    choice.local_name = StemOf(choice.files.back().target);
  }
  if (!as.empty()) choice.local_name = as;
  HADAL_RETURN_IF_ERROR(CheckChoice(choice, name));
  std::ranges::sort(choice.files, {}, [](const HubFile& file) {
    return std::pair(file.path.ends_with(".safetensors") || file.path.ends_with(".gguf"),
                     file.path);
  });
  return choice;
}

}  // namespace hadal
