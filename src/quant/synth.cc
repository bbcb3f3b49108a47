#include "quant/synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "quant/synth_job.h"
#include "spec/sizes.h"

namespace hadal {
namespace {

Result<SynthFormat> ChooseFormat(const SynthOptions& options) {
  HADAL_ASSIGN_OR_RETURN(const SynthFormat vendors, VendorFormat(options.shape));
  if (options.format.empty()) return options.gguf ? SynthFormat::kQ8_0 : vendors;
  for (const SynthFormat format : {SynthFormat::kBf16, SynthFormat::kFp8, SynthFormat::kMxfp4,
                                   SynthFormat::kNvfp4, SynthFormat::kQ8_0, SynthFormat::kQ4_0})
    if (Name(format) == options.format) return format;
  return UsageError("--format", options.format,
                    "bf16, fp8, mxfp4 or nvfp4; with --gguf bf16, q8_0, q4_0 or mxfp4",
                    "choose one of these");
}

Result<SynthJob> Prepare(const SynthOptions& options) {
  const bool has_engram = options.shape == "v4.1-flash";
  if (options.engram_rows != 0 && !has_engram)
    return UsageError("--engram-rows", options.shape, "a shape with Engram tables: v4.1-flash",
                      "leave the option out");
  if (options.layers < 0 || options.experts < 0)
    return UsageError("--layers, --experts", "a negative number", "a count",
                      "leave the option out for the published number");
  SynthJob job;
  job.options = &options;
  job.request = {options.shape,   SynthFormat::kBf16, options.layers,
                 options.experts, options.mtp,        {}};
  HADAL_ASSIGN_OR_RETURN(job.request.format, ChooseFormat(options));
  if (options.gguf && options.mtp)
    return UsageError("--mtp", "--gguf", "safetensors: converters leave draft layers out",
                      "leave one of them out");
  if (has_engram) {
    HADAL_ASSIGN_OR_RETURN(job.request.engram, SynthEngram(options, job.request));
  }
  HADAL_ASSIGN_OR_RETURN(job.config, ShapeConfig(job.request));
  HADAL_ASSIGN_OR_RETURN(job.spec, SynthSpec(job.config, Container::kSafetensors));
  const PromptFormat* format = nullptr;
  if (const std::string name = ShapePromptFormat(options.shape); !name.empty()) {
    HADAL_ASSIGN_OR_RETURN(format, FindPromptFormat(name));
  }
  job.vocabulary = MakeSynthVocabulary(job.spec, format);
  job.report.format = Name(job.request.format);
  job.report.parameters = CountParameters(job.spec, MakeTensorPlan(job.spec), job.spec.tied).total;
  return job;
}

}  // namespace

Result<ModelSpec> SynthSpec(const MetadataDocument& config, Container container) {
  Result<ModelSpec> spec = ParseModelSpec(config.root(), container);
  if (spec.ok()) return spec;
  const Status status = spec.status();
  return UsageError(status.where(), status.found(), status.expected(),
                    "the options do not fit this shape");
}

Status CheckRoom(const std::string& directory, std::uint64_t bytes) {
  constexpr std::uint64_t kSpareBytes = 64 << 20;  // configs, tokenizer, the file system itself
  std::filesystem::path existing = std::filesystem::absolute(directory);
  while (!IsDirectory(existing.string()) && existing.has_relative_path())
    existing = existing.parent_path();
  HADAL_ASSIGN_OR_RETURN(const std::uint64_t free, FreeDiskBytes(existing.string()));
  if (bytes + kSpareBytes <= free) return {};
  return NoRoom(directory, fmt::format("{:.1f} GB free", static_cast<double>(free) / 1e9),
                fmt::format("{:.1f} GB for the weights", static_cast<double>(bytes) / 1e9),
                "write fewer layers (--layers) or experts (--experts)");
}

Status PrepareDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return Failed(directory, error.message(), "a folder that can be written to",
                  "name another place, or change its permissions");
  return {};
}

Status WriteDrawn(const RandomTensor& tensor, std::uint64_t seed, std::uint64_t size_bytes,
                  TensorFileWriter* writer, SynthProgress* progress) {
  constexpr std::uint64_t kPieceBytes = 4 << 20;  // written at once
  const RandomFill fill(tensor, seed);
  const std::uint64_t piece = kPieceBytes / fill.unit_bytes() * fill.unit_bytes();
  std::vector<std::byte> buffer(std::min(piece, size_bytes));
  for (std::uint64_t at = 0; at < size_bytes; at += piece) {
    const std::span<std::byte> part(buffer.data(), std::min(piece, size_bytes - at));
    fill.Fill(at, part);
    HADAL_RETURN_IF_ERROR(writer->Append(part));
    progress->Add(part.size());
  }
  return {};
}

Result<SynthReport> WriteSynthetic(const SynthOptions& options) {
  HADAL_ASSIGN_OR_RETURN(SynthJob job, Prepare(options));
  return options.gguf ? WriteSynthGguf(std::move(job)) : WriteSynthDirectory(std::move(job));
}

}  // namespace hadal
