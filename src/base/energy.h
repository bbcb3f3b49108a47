// The energy that the processor has used, where the system lets us read it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hadal {

// Joules of all processor packages since some moment (RAPL, as Linux shows it under
// /sys/class/powercap; `folder` is another place in tests). Each package's counter wraps around at
// its own limit, which this follows as long as it is called more often than they wrap (about once a
// minute). Thread-compatible.
class EnergyMeter {
 public:
  explicit EnergyMeter(std::string folder = "/sys/class/powercap");
  // Nothing where no counter can be read: other systems, containers, no permission.
  std::optional<double> Joules();

 private:
  struct Package {
    std::string file;
    double limit_microjoules = 0, last_microjoules = 0, sum_microjoules = 0;
  };
  std::vector<Package> packages_;
};

}  // namespace hadal
