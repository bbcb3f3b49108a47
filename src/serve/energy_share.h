// Which call used how much energy: calls that run at the same time share what the processor used
// meanwhile in equal parts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace hadal {

// Any thread may call any function.
class EnergyShare {
 public:
  // `joules`: a counter that only grows; nothing where there is none.
  explicit EnergyShare(std::function<std::optional<double>()> joules)
      : joules_(std::move(joules)) {}

  void Begin(const std::string& call);
  // Of a call that began; nothing without a counter. The idle energy between calls is nobody's.
  std::optional<double> End(const std::string& call);

 private:
  void Advance();

  std::function<std::optional<double>()> joules_;
  std::mutex mutex_;
  std::optional<double> last_;
  double per_call_ = 0;                  // what a call that ran since the start would have
  std::map<std::string, double> begin_;  // per_call_ when it began
};

}  // namespace hadal
