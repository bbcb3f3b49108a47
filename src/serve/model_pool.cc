#include "serve/model_pool.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "serve/model_name.h"
#include "serve/model_pool_core.h"
#include "serve/ollama_folder.h"

namespace hadal {
namespace {

ModelPool::Row RowOf(const ListedModel& model) {
  return {.name = model.name, .path = model.path, .created_seconds = ChangedSeconds(model.path)};
}

}  // namespace

ModelPool::ModelPool(ModelPoolOptions options) : core_(std::make_shared<Core>(std::move(options))) {
  HADAL_CHECK(core_->options.catalog != nullptr, "a pool needs a catalog");
  core_->Begin();
}
ModelPool::~ModelPool() { core_->Stop(); }

void ModelPool::AddPinned(ServedModel model) {
  HADAL_CHECK(model.engine != nullptr, "a served model needs its engine");
  core_->AddPinned(std::move(model));
}

ModelPool::Taken ModelPool::Take(std::string_view name, std::optional<KeepAlive> keep_alive,
                                 Taker taker) {
  return core_->Take(name, keep_alive, std::move(taker));
}
void ModelPool::Cancel(std::uint64_t waiting) { core_->Cancel(waiting); }
bool ModelPool::Unload(std::string_view name) { return core_->Unload(name); }
void ModelPool::Forget(std::string_view name) { core_->Forget(name); }

std::vector<ModelPool::Row> ModelPool::LoadedRows() const { return core_->LoadedRows(); }

std::vector<ModelPool::Row> ModelPool::Rows() const {
  std::vector<Row> rows = core_->KnownRows();
  const auto pinned =
      std::count_if(rows.begin(), rows.end(), [](const Row& r) { return r.pinned; });
  const auto add = [&rows](Row row) {
    const auto same = [&row](const Row& other) { return other.name == row.name; };
    if (std::none_of(rows.begin(), rows.end(), same)) rows.push_back(std::move(row));
  };
  if (core_->options.open)
    for (const ListedModel& model : ListModels()) add(RowOf(model));
  std::sort(rows.begin() + pinned, rows.end(),
            [](const Row& a, const Row& b) { return a.name < b.name; });
  return rows;
}

ApiResult<ModelPool::Row> ModelPool::Find(std::string_view name) const {
  std::vector<Row> rows = core_->KnownRows();
  for (Row& row : rows)
    if (name.empty() || BareModelName(row.name) == BareModelName(name)) return std::move(row);
  if (core_->options.open)
    if (const auto listed = FindListedModel(name)) return RowOf(*listed);
  return ModelNotFound(name);
}

bool ModelPool::IsPinned(std::string_view name) const {
  return core_->FindPinned(name).has_value();
}

ModelPool::Counts ModelPool::counts() const { return core_->counts(); }
ModelCatalog& ModelPool::catalog() const { return *core_->options.catalog; }
void ModelPool::Wake() { core_->Wake(); }
bool ModelPool::Settle(std::chrono::seconds most) const { return core_->Settle(most); }

ApiError ModelNotFound(std::string_view name) {
  return {.kind = ErrorKind::kNotFound,
          .message = "model '" + std::string(name) + "' not found",
          .param = "model",
          .code = "model_not_found"};
}

ApiError ShuttingDownError() {
  return {.kind = ErrorKind::kOverloaded,
          .message = "the server is shutting down",
          .code = "shutting_down"};
}

}  // namespace hadal
