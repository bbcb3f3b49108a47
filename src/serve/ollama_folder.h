// The model folder as Ollama's routes see it. Names come from clients and are checked before they
// touch a path; any thread may call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model_folder.h"
#include "fetch/hub_name.h"
#include "serve/api_error.h"
#include "serve/model_pool.h"

namespace hadal {

struct FolderModel {
  std::string name, path;
  std::uint64_t bytes = 0;
  std::string modified_at;  // RFC 3339
};
FolderModel FolderModelOf(const ModelPool::Row& row);
FolderModel FolderModelOf(const ListedModel& model);

// By name, with or without ":latest"; nothing, or 404, where there is none.
std::optional<ListedModel> FindListedModel(std::string_view name);
ApiResult<FolderModel> FindFolderModel(const std::string& name);

// Links the files under another name (copies where links do not work). 404, 400 for a name that is
// none, 409 where it is taken.
std::optional<ApiError> CopyModel(const std::string& source, const std::string& destination);
// Removes the model's files. Symbolic links are removed, not followed.
std::optional<ApiError> DeleteModel(const std::string& name);

}  // namespace hadal
