#include "fetch/pull_record.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/json.h"

namespace hadal {
namespace {

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(&quoted, text);
  return quoted;
}

bool IsText(const Metadata& object, std::string_view key, std::string_view text) {
  const Metadata* value = object.Find(key);
  return value != nullptr && value->string() == text;
}

}  // namespace

std::string PullRecord(const std::string& hub, const HubName& name, const FileChoice& choice) {
  std::string files;
  for (const HubFile& file : choice.files)
    files += fmt::format("{}{{\"path\":{},\"bytes\":{},\"digest\":{}}}", files.empty() ? "" : ",\n",
                         Quoted(file.path), file.bytes, Quoted(file.Digest()));
  return fmt::format("{{\"hub\":{},\"owner\":{},\"name\":{},\"files\":[\n{}]}}\n", Quoted(hub),
                     Quoted(name.owner), Quoted(name.name), files);
}

bool SameFiles(std::string_view record, const HubName& name, const FileChoice& choice) {
  const auto document = ParseJson(record, kPullRecord);
  if (!document.ok() || !document->root().is_object()) return false;
  const Metadata& root = document->root();
  const Metadata* files = root.Find("files");
  if (!IsText(root, "owner", name.owner) || !IsText(root, "name", name.name) || files == nullptr)
    return false;
  std::set<std::pair<std::string, std::string>> then, now;
  for (const Metadata& file : files->items()) {
    const Metadata* path = file.Find("path");
    const Metadata* digest = file.Find("digest");
    if (path == nullptr || digest == nullptr || !path->string() || !digest->string()) return false;
    if (!IsAbout(*path->string())) then.emplace(*path->string(), *digest->string());
  }
  for (const HubFile& file : choice.files)
    if (!IsAbout(file.path)) now.emplace(file.path, file.Digest());
  return then == now;
}

}  // namespace hadal
