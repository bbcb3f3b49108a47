// MapAhead: enters what the page cache holds of mapped files into the page tables, on a thread of
// its own, so that products do not stop at a fault for every few pages the first time that they
// meet a weight (16 pages a fault on Linux). Reads nothing from disk: what is not in memory is
// passed over, and a model that exceeds memory is used as before.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/file.h"

namespace hadal {

class MapAhead {
 public:
  // Begins at once, with the first file. Systems without such a call (before Linux 5.14, macOS)
  // have nothing mapped.
  explicit MapAhead(std::span<const std::shared_ptr<const MappedFile>> files);
  ~MapAhead();  // ends it, wherever it is
  MapAhead(const MapAhead&) = delete;
  MapAhead& operator=(const MapAhead&) = delete;

  // Returns when it has seen all bytes. One thread at a time.
  void Wait();
  // Any thread.
  std::uint64_t mapped_bytes() const { return mapped_bytes_.load(); }
  std::uint64_t passed_bytes() const { return passed_bytes_.load(); }

 private:
  void Work();
  bool MapPiece(ByteSpan piece);

  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> mapped_bytes_{0}, passed_bytes_{0};
  std::thread thread_;  // last: it uses the others
};

}  // namespace hadal
