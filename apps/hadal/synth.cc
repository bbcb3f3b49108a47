// hadal synth: a checkpoint with random weights in the shape of a published model.
#include "quant/synth.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "commands.h"
#include "json_object.h"
#include "progress.h"
#include "quant/shapes.h"
#include "report.h"

namespace hadal {
namespace {

int Synth(SynthOptions options, bool json) {
  Progress progress("MB");
  options.progress = [&progress](std::uint64_t done, std::uint64_t total) {
    constexpr std::uint64_t kMegabyte = 1000000;
    progress.Show(static_cast<std::int64_t>(done / kMegabyte),
                  static_cast<std::int64_t>(total / kMegabyte));
  };
  const auto report = WriteSynthetic(options);
  progress.Clear();
  if (!report.ok()) return Fail(report.status());
  if (json)
    PrintLine(JsonObject()
                  .Add("path", report->path)
                  .Add("format", report->format)
                  .Add("bytes", report->bytes)
                  .Add("tensors", report->tensors)
                  .Add("parameters", report->parameters)
                  .Text());
  else
    PrintLine(fmt::format("{}: {} tensors, {} parameters, {:.2f} GB in {}", report->path,
                          report->tensors, report->parameters,
                          static_cast<double>(report->bytes) / 1e9, report->format));
  return 0;
}

}  // namespace

void AddSynth(Options program) {
  const auto options = std::make_shared<SynthOptions>();
  const auto json = std::make_shared<bool>(false);
  Options command =
      program.Command("synth", "write random weights in the shape of a published model",
                      [options, json] { return Synth(*options, *json); });
  command.Value("shape", &options->shape, fmt::format("{}", fmt::join(ShapeNames(), ", ")));
  command.Require("shape");
  command.Value("--out", &options->out, "the directory, or with --gguf the file");
  command.Require("--out");
  command.Value("--format", &options->format, "number format (default: the vendor's)");
  command.Flag("--gguf", &options->gguf, "one GGUF file instead of safetensors");
  command.Value("--layers", &options->layers, "the first N layers (default: all)");
  command.Value("--experts", &options->experts, "routed experts of a layer");
  command.Value("--engram-rows", &options->engram_rows, "rows of each Engram table");
  command.Flag("--mtp", &options->mtp, "with the draft layer");
  command.Value("--seed", &options->seed, "same seed, same bytes (default 0)");
  command.Flag("--json", json.get(), "print one JSON object");
}

}  // namespace hadal
