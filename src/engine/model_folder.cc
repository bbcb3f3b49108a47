#include "engine/model_folder.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "hadal/engine.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> GgufFiles(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".gguf") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

// The checkpoint in a directory. Empty where it holds none.
Result<std::string> CheckpointIn(const std::string& folder) {
  if (FileExists(folder + "/config.json")) return folder;
  const std::vector<std::string> files = GgufFiles(folder);
  if (files.size() > 1)
    return UsageError(folder, std::to_string(files.size()) + " .gguf files",
                      "one model in a directory", "name the file itself, such as " + files[0]);
  return files.empty() ? std::string() : files[0];
}

}  // namespace

std::string HadalHome() {
  if (const char* home = std::getenv("HADAL_HOME"); home != nullptr && *home != '\0') return home;
  const char* user = std::getenv("HOME");
  return std::string(user != nullptr && *user != '\0' ? user : ".") + "/.local/share/hadal";
}

std::string ModelFolder() { return HadalHome() + "/models"; }

Result<std::string> FindModel(const std::string& model) {
  const std::string name = model.empty() ? std::string(kDefaultModel) : model;
  std::vector<std::string> places;
  if (!model.empty()) places.push_back(model);
  // A name is one part of a path; anything else was meant as a path.
  if (name.find('/') == std::string::npos && name != "." && name != "..") {
    places.push_back(ModelFolder() + "/" + name);
    places.push_back(ModelFolder() + "/" + name + ".gguf");
  }
  for (const std::string& place : places) {
    if (!FileExists(place)) continue;
    if (!IsDirectory(place)) return place;
    HADAL_ASSIGN_OR_RETURN(std::string path, CheckpointIn(place));
    if (!path.empty()) return path;
    if (place == model)
      return Unusable(place, "a directory with neither config.json nor a .gguf file",
                      "a checkpoint", "name the folder that holds the model's files");
  }
  return Unusable("model " + name, "nothing of this name here or in " + ModelFolder(),
                  "a directory with config.json, a .gguf file, or a name from `hadal list`",
                  model.empty() ? "./scripts/run fetches the default model"
                                : "check the path; `hadal list` shows the models of the folder");
}

std::uint64_t ModelBytes(const std::string& path) {
  std::error_code error;
  const auto bytes_of = [&error](const fs::path& file) {
    const std::uintmax_t bytes = fs::file_size(file, error);
    return error ? 0 : bytes;
  };
  if (!fs::is_directory(path, error)) return bytes_of(path);
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(path, error))
    if (entry.is_regular_file(error)) bytes += bytes_of(entry.path());
  return bytes;
}

std::int64_t ChangedSeconds(const std::string& path) {
  std::error_code error;
  const auto changed = fs::last_write_time(path, error);
  if (error) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::file_clock::to_sys(changed).time_since_epoch())
      .count();
}

std::vector<ListedModel> ListModels() {
  std::vector<ListedModel> models;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(ModelFolder(), error)) {
    if (entry.path().filename().string().starts_with('.')) continue;
    const std::string name = entry.path().extension() == ".gguf" ? entry.path().stem().string()
                                                                 : entry.path().filename().string();
    const auto path = FindModel(name);
    if (!path.ok() || !path->starts_with(ModelFolder())) continue;
    models.push_back({name, *path, ModelBytes(*path)});
  }
  std::sort(models.begin(), models.end(),
            [](const ListedModel& a, const ListedModel& b) { return a.name < b.name; });
  return models;
}

Status RemoveModel(const std::string& name) {
  for (const ListedModel& model : ListModels()) {
    if (model.name != name) continue;
    // The entry of the folder that holds the model: itself a file or a directory.
    const fs::path folder(ModelFolder());
    const fs::path entry = folder / *fs::path(model.path).lexically_relative(folder).begin();
    std::error_code error;
    fs::remove_all(entry, error);
    if (error)
      return Failed(entry.string(), error.message(), "files that may be removed",
                    "check their permissions");
    return {};
  }
  return UsageError("model " + name, "nothing of this name in " + ModelFolder(),
                    "a model of the folder", "`hadal list` shows them");
}

}  // namespace hadal
