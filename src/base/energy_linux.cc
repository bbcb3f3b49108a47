#include <cstdio>
#include <filesystem>

#include "base/energy.h"

namespace hadal {
namespace {

std::optional<double> ReadNumber(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return std::nullopt;
  unsigned long long value = 0;
  const bool read = std::fscanf(file, "%llu", &value) == 1;
  std::fclose(file);
  if (!read) return std::nullopt;
  return static_cast<double>(value);
}

}  // namespace

EnergyMeter::EnergyMeter(std::string folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    // "intel-rapl:0" is a package, on AMD too; "intel-rapl:0:0" is a part of it.
    const std::string name = entry->path().filename().string();
    const std::size_t colon = name.find(':');
    if (name.rfind("intel-rapl:", 0) != 0 || name.find(':', colon + 1) != std::string::npos)
      continue;
    const std::string file = (entry->path() / "energy_uj").string();
    const auto now = ReadNumber(file);
    const auto limit = ReadNumber((entry->path() / "max_energy_range_uj").string());
    if (now && limit) packages_.push_back({file, *limit, *now, 0});
  }
}

std::optional<double> EnergyMeter::Joules() {
  if (packages_.empty()) return std::nullopt;
  double sum = 0;
  for (Package& package : packages_) {
    if (const auto now = ReadNumber(package.file)) {
      const double step = *now - package.last_microjoules;
      package.sum_microjoules += step >= 0 ? step : step + package.limit_microjoules;
      package.last_microjoules = *now;
    }
    sum += package.sum_microjoules;
  }
  return sum * 1e-6;
}

}  // namespace hadal
