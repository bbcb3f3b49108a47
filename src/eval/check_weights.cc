#include "eval/check_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"

namespace hadal {
namespace {

constexpr std::size_t kShown = 20;

std::string NameOf(const ChangedPiece& piece) {
  if (piece.name.empty()) return "the file";
  return (piece.is_tensor ? "tensor " : "") + piece.name;
}

std::string PlaceOf(const ChangedPiece& piece) {
  if (piece.name.empty()) return fmt::format("{} (it had {} bytes)", piece.found, piece.size_bytes);
  return fmt::format("{} in the {} from {} on", piece.found, piece.size_bytes, piece.offset_bytes);
}

Status MakeFolderOf(const std::string& record) {
  const auto folder = std::filesystem::path(record).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return Unusable(folder.string(), error.message(), "a folder to keep records in",
                  "set HADAL_HOME to one that can be written");
}

}  // namespace

std::string ChecksumRecord(const std::string& home, const std::string& model_path) {
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(model_path, error);
  const std::string key = error ? model_path : path.string();
  const std::string digest = Hex(Sha256Digest(key));
  return home + "/checksums/" + path.stem().string() + "-" + digest.substr(0, 16) + ".txt";
}

Result<CheckWeightsReport> CheckWeights(const std::string& model_path, const std::string& record,
                                        bool anew) {
  const auto begin = std::chrono::steady_clock::now();
  ThreadPool threads;
  CheckWeightsReport report;
  report.record = record;
  report.recorded = anew || !FileExists(record);
  WeightChecksums checksums;
  if (report.recorded) {
    HADAL_ASSIGN_OR_RETURN(const auto checkpoint, Checkpoint::Open(model_path));
    HADAL_ASSIGN_OR_RETURN(checksums, ChecksumsOf(*checkpoint, &threads));
    HADAL_RETURN_IF_ERROR(MakeFolderOf(record));
    HADAL_RETURN_IF_ERROR(WriteChecksums(checksums, record));
  } else {
    HADAL_ASSIGN_OR_RETURN(checksums, ReadChecksums(record));
    report.changed = FindChanges(checksums, &threads);
  }
  report.bytes = checksums.bytes();
  report.files = std::ssize(checksums.files);
  report.tensors = checksums.tensors();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

Status CheckWeightsReport::ToStatus() const {
  if (ok()) return {};
  const ChangedPiece& first = changed.front();
  const std::string others =
      changed.size() > 1 ? fmt::format("; {} other places", changed.size() - 1) : "";
  return Unusable(first.file + ": " + NameOf(first), PlaceOf(first) + others,
                  "what was recorded in " + record,
                  "fetch the file again; if it was replaced on purpose: hadal check weights MODEL "
                  "--record");
}

std::string CheckWeightsReport::ToJson() const {
  const auto quoted = [](const std::string& text) {
    std::string json;
    AppendJsonString(&json, text);
    return json;
  };
  std::string all;
  for (const ChangedPiece& piece : changed)
    all += fmt::format(R"({}{{"file":{},"name":{},"tensor":{},"offset":{},"bytes":{},"found":{}}})",
                       all.empty() ? "" : ",", quoted(piece.file), quoted(piece.name),
                       piece.is_tensor, piece.offset_bytes, piece.size_bytes, quoted(piece.found));
  return fmt::format(
      R"({{"ok":{},"recorded":{},"record":{},"bytes":{},"files":{},"tensors":{},"seconds":{:.3f},)"
      R"("changed":[{}]}})",
      ok(), recorded, quoted(record), bytes, files, tensors, seconds, all);
}

std::string CheckWeightsReport::ToText() const {
  const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds / 1e9 : 0.0;
  const std::string what = fmt::format("{} bytes in {} files, {} tensors, {:.1f} s ({:.2f} GB/s)",
                                       bytes, files, tensors, seconds, rate);
  if (recorded)
    return fmt::format("recorded: {}\nThere was nothing to compare with; the next check has {}\n",
                       what, record);
  if (ok()) return fmt::format("unchanged: {}\n", what);
  std::string text = fmt::format("CHANGED in {} places: {}\n", changed.size(), what);
  for (std::size_t i = 0; i < std::min(changed.size(), kShown); ++i)
    text += fmt::format("  {}: {}: {}\n", changed[i].file, NameOf(changed[i]), PlaceOf(changed[i]));
  if (changed.size() > kShown) text += fmt::format("  and {} more\n", changed.size() - kShown);
  return text;
}

}  // namespace hadal
