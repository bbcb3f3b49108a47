// How fast this machine reads: memory, with as many threads as the work that it is compared with,
// and the disk under a folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/thread_pool.h"

namespace hadal {

// Sweeps over a buffer that no cache holds. One thread at a time.
class ReadBandwidth {
 public:
  // NoRoom where less than `bytes` of memory is available. threads 0: usable cores.
  static Result<std::unique_ptr<ReadBandwidth>> Create(int threads,
                                                       std::uint64_t bytes = 2ull << 30);

  // Reads on from where the last sweep ended for about `seconds`; bytes per second.
  double Sweep(double seconds);

 private:
  ReadBandwidth(int threads, std::uint64_t bytes);
  ThreadPool pool_;
  std::uint64_t words_;
  std::unique_ptr<std::uint64_t[]> buffer_;
  std::uint64_t next_word_ = 0;
  std::uint64_t sum_ = 0;  // kept, so that the reads cannot be left out
};

// Reads up to `bytes` of `file` past the page cache where the system allows it; bytes per second.
Result<double> DiskReadBytesPerSecond(const std::string& file, std::uint64_t bytes = 1ull << 28);

}  // namespace hadal
