// A synthetic checkpoint as one GGUF file.
#include <fmt/format.h>

#include <filesystem>

#include "formats/gguf_writer.h"
#include "quant/synth_gguf.h"
#include "quant/synth_job.h"
#include "quant/synth_plan.h"

namespace hadal {
namespace {

// The spec of the header itself: it has GGUF's tensor names.
Result<ModelSpec> GgufSpec(const GgufPairs& pairs) {
  HADAL_ASSIGN_OR_RETURN(const TensorFileLayout empty, GgufLayout(pairs, {}));
  const ByteSpan bytes = std::as_bytes(std::span(empty.header));
  HADAL_ASSIGN_OR_RETURN(const GgufHeader header,
                         ParseGguf(bytes, bytes.size(), "header", nullptr));
  return SynthSpec(header.metadata, Container::kGguf);
}

constexpr char kDivisors[] = "rope_freqs.weight";

Status WriteGgufTensors(const std::vector<SynthTensor>& tensors, const std::vector<float>& divisors,
                        const SynthOptions& options, TensorFileWriter* writer,
                        SynthProgress* progress) {
  if (!divisors.empty()) HADAL_RETURN_IF_ERROR(writer->Append(std::as_bytes(std::span(divisors))));
  const std::size_t skip = divisors.empty() ? 0 : 1;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t bytes = writer->tensors()[i + skip].size_bytes;
    HADAL_RETURN_IF_ERROR(WriteDrawn(tensors[i].random, options.seed, bytes, writer, progress));
  }
  return {};
}

}  // namespace

Result<SynthReport> WriteSynthGguf(SynthJob job) {
  const SynthOptions& options = *job.options;
  const std::string name = options.shape + "-synthetic";
  HADAL_ASSIGN_OR_RETURN(const GgufPairs pairs,
                         SynthGgufPairs(job.spec, name, job.request.format, job.vocabulary));
  HADAL_ASSIGN_OR_RETURN(const ModelSpec spec, GgufSpec(pairs));
  HADAL_RETURN_IF_ERROR(CheckFormat(spec, job.request.format));
  const TensorPlan plan = MakeTensorPlan(spec);
  const auto tensors = SynthTensors(spec, plan, job.request.format, job.spec.tied);
  const std::vector<float> divisors = RopeDivisors(job.spec);
  std::vector<TensorInfo> infos;
  if (!divisors.empty()) {
    infos.emplace_back();
    infos.back().name = kDivisors;
    infos.back().shape = {static_cast<std::int64_t>(divisors.size())};
  }
  for (const SynthTensor& tensor : tensors) infos.push_back(tensor.info);
  HADAL_ASSIGN_OR_RETURN(TensorFileLayout layout, GgufLayout(pairs, std::move(infos)));
  job.report.bytes = layout.file_bytes;
  const bool file = options.out.ends_with(".gguf");
  std::string directory =
      file ? std::filesystem::path(options.out).parent_path().string() : options.out;
  if (directory.empty()) directory = ".";
  job.report.path = file
                        ? options.out
                        : fmt::format("{}/{}.{}.gguf", directory, options.shape, job.report.format);
  HADAL_RETURN_IF_ERROR(CheckRoom(directory, layout.file_bytes));
  HADAL_RETURN_IF_ERROR(PrepareDirectory(directory));
  SynthProgress progress(options);
  progress.Expect(layout);
  HADAL_ASSIGN_OR_RETURN(TensorFileWriter writer,
                         TensorFileWriter::Create(job.report.path, std::move(layout)));
  HADAL_RETURN_IF_ERROR(WriteGgufTensors(tensors, divisors, options, &writer, &progress));
  HADAL_RETURN_IF_ERROR(writer.Finish());
  job.report.tensors = static_cast<std::int64_t>(writer.tensors().size());
  return job.report;
}

}  // namespace hadal
