// hadal machine: what this machine is and how fast it reads.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "commands.h"
#include "engine/model_folder.h"
#include "eval/bandwidth.h"
#include "json_object.h"
#include "kernels/cpu_level.h"
#include "report.h"

namespace hadal {
namespace {

constexpr int kSweeps = 5;
constexpr double kSweepSeconds = 0.1;

struct Machine {
  int cores = UsableCores();
  std::vector<std::string> isa;
  double read_bandwidth = 0;
  std::optional<double> disk_read;  // nothing where the model folder holds no file to read
  std::string disk_file;
};

// The largest file of the model folder: long enough to be measured, and what is really read.
std::string LargestModelFile() {
  std::string largest;
  std::uintmax_t most = 0;
  for (const ListedModel& model : ListModels()) {
    std::error_code error;
    std::vector<std::filesystem::path> files = {model.path};
    if (std::filesystem::is_directory(model.path, error)) {
      files.clear();
      for (const auto& entry : std::filesystem::directory_iterator(model.path, error))
        files.push_back(entry.path());
    }
    for (const auto& file : files) {
      const std::uintmax_t bytes = std::filesystem::file_size(file, error);
      if (error || bytes <= most) continue;
      most = bytes;
      largest = file.string();
    }
  }
  return largest;
}

Result<Machine> Measure() {
  Machine machine;
  const std::uint32_t features = DetectCpuFeatures();
  for (const CpuLevelInfo& level : AllCpuLevels())
    if (Supports(features, level.level)) machine.isa.emplace_back(level.name);
  HADAL_ASSIGN_OR_RETURN(const auto bandwidth, ReadBandwidth::Create(machine.cores));
  // The best one: whatever else runs here only takes away.
  for (int i = 0; i < kSweeps; ++i)
    machine.read_bandwidth = std::max(machine.read_bandwidth, bandwidth->Sweep(kSweepSeconds));
  machine.disk_file = LargestModelFile();
  if (!machine.disk_file.empty())
    if (const auto rate = DiskReadBytesPerSecond(machine.disk_file); rate.ok())
      machine.disk_read = *rate;
  return machine;
}

int Tell(bool json) {
  const auto machine = Measure();
  if (!machine.ok()) return Fail(machine.status());
  if (json) {
    JsonObject object;
    object.Add("cores", machine->cores)
        .Add("isa", machine->isa)
        .Add("read_bandwidth_bytes_per_second", machine->read_bandwidth);
    if (machine->disk_read)
      object.Add("disk_read_bytes_per_second", *machine->disk_read);
    else
      object.AddNull("disk_read_bytes_per_second");
    PrintLine(object.AddJson("devices", "[]").Text());
    return 0;
  }
  PrintLine(fmt::format("cores        {}", machine->cores));
  PrintLine(fmt::format("isa          {}", fmt::join(machine->isa, ", ")));
  PrintLine(fmt::format("memory read  {:.1f} GB/s", machine->read_bandwidth / 1e9));
  PrintLine(machine->disk_read ? fmt::format("disk read    {:.2f} GB/s ({})",
                                             *machine->disk_read / 1e9, machine->disk_file)
                               : "disk read    not measured: no model in " + HadalHome());
  PrintLine("devices      none");
  return 0;
}

}  // namespace

void AddMachine(Options program) {
  const auto json = std::make_shared<bool>(false);
  Options command = program.Command("machine", "what this machine is and how fast it reads",
                                    [json] { return Tell(*json); });
  command.Flag("--json", json.get(), "print one JSON object");
}

}  // namespace hadal
