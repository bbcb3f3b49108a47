// A line on the terminal that says how far something is: shown after a second, never in a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hadal {

class Progress {
 public:
  // `unit` is plural: "windows".
  explicit Progress(std::string unit);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(std::int64_t done, std::int64_t all);
  void Clear();

 private:
  const std::string unit_;
  const bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace hadal
