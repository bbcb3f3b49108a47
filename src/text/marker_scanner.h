// Finds fixed markers in a stream of bytes, holding back only what may still become one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hadal {

class MarkerScanner {
 public:
  static constexpr int kNone = -1;

  // No marker is empty or the beginning of another, so the first to be whole is the match. The
  // array is constant data that outlives the scanner.
  explicit MarkerScanner(std::span<const std::string_view> markers);

  // Takes one byte. Bytes that can no longer be part of a marker are appended to *text; the index
  // of a marker that this byte completes is returned, else kNone.
  int Push(char c, std::string* text);
  // Moves what is held back to *text.
  void Drain(std::string* text);

  bool holds() const { return !held_.empty(); }
  std::string_view marker(int index) const { return markers_[static_cast<std::size_t>(index)]; }

 private:
  std::span<const std::string_view> markers_;
  std::string held_;  // a proper beginning of some marker
};

}  // namespace hadal
