#include "serve/ollama_folder.h"

#include <algorithm>
#include <filesystem>

#include "hadal/engine.h"
#include "serve/model_name.h"
#include "serve/ollama_time.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;

std::string ModifiedAt(const std::string& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return Rfc3339({});
  return Rfc3339(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
      std::chrono::file_clock::to_sys(time)));
}

// The entry of the folder that holds the model: itself a file or a directory.
fs::path EntryOf(const FolderModel& model) {
  const fs::path folder = fs::path(ModelFolder());
  const fs::path inside = fs::path(model.path).lexically_relative(folder);
  return folder / *inside.begin();
}

ApiError Broken(const std::string& what, const std::error_code& error) {
  return {.kind = ErrorKind::kInternal, .message = what + ": " + error.message()};
}

}  // namespace

FolderModel FolderModelOf(const ModelPool::Row& row) {
  return {row.name, row.path, ModelBytes(row.path), ModifiedAt(row.path)};
}

FolderModel FolderModelOf(const ListedModel& model) {
  return {model.name, model.path, model.bytes, ModifiedAt(model.path)};
}

std::optional<ListedModel> FindListedModel(std::string_view name) {
  const std::string_view bare = BareModelName(name);
  if (!IsModelName(bare)) return std::nullopt;
  for (ListedModel& model : ListModels())
    if (model.name == bare) return std::move(model);
  return std::nullopt;
}

ApiResult<FolderModel> FindFolderModel(const std::string& name) {
  if (const auto listed = FindListedModel(name)) return FolderModelOf(*listed);
  return ModelNotFound(name);
}

std::optional<ApiError> CopyModel(const std::string& source, const std::string& destination) {
  const std::string name(BareModelName(destination));
  if (!IsModelName(name)) return InvalidField("destination", "destination is no model name");
  auto found = FindFolderModel(source);
  if (!found.ok()) return found.error();
  const fs::path from = EntryOf(*found);
  fs::path to = fs::path(ModelFolder()) / name;
  std::error_code error;
  if (!fs::is_directory(from, error)) to += from.extension();
  if (fs::exists(fs::symlink_status(to, error)) || FindFolderModel(name).ok())
    return ApiError{.kind = ErrorKind::kConflict,
                    .message = "model '" + destination + "' is there already"};
  constexpr auto kLinks = fs::copy_options::recursive | fs::copy_options::create_hard_links;
  fs::copy(from, to, kLinks, error);
  if (!error) return std::nullopt;
  std::error_code ignored;
  fs::remove_all(to, ignored);
  fs::copy(from, to, fs::copy_options::recursive, error);  // another file system
  if (!error) return std::nullopt;
  fs::remove_all(to, ignored);
  return Broken("copying '" + source + "'", error);
}

std::optional<ApiError> DeleteModel(const std::string& name) {
  auto found = FindFolderModel(name);
  if (!found.ok()) return found.error();
  if (const Status status = RemoveModel(found->name); !status.ok()) return ErrorOf(status);
  return std::nullopt;
}

}  // namespace hadal
