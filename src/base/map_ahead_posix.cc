#include <algorithm>

#include "base/map_ahead.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace hadal {
namespace {

constexpr std::uint64_t kPieceBytes = 2 << 20;
// A system may answer that all of a file is in memory, where it is not ours to write. After so many
// pieces that had to be read after all, we stop.
constexpr int kMostReads = 8;

#if defined(__linux__)

constexpr int kPopulateRead = 22;  // MADV_POPULATE_READ, which older headers lack

bool IsResident(ByteSpan piece, std::uint64_t page_bytes) {
  std::vector<unsigned char> pages((piece.size() + page_bytes - 1) / page_bytes);
  if (::mincore(const_cast<std::byte*>(piece.data()), piece.size(), pages.data()) != 0)
    return false;
  return std::all_of(pages.begin(), pages.end(), [](unsigned char page) { return page & 1; });
}

long ReadsOfThisThread() {
  struct rusage usage{};
  return ::getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_majflt : 0;
}

bool EnterIntoPageTables(ByteSpan piece) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return IsResident(piece, page) &&
         ::madvise(const_cast<std::byte*>(piece.data()), piece.size(), kPopulateRead) == 0;
}

#else

long ReadsOfThisThread() { return 0; }
bool EnterIntoPageTables(ByteSpan) { return false; }

#endif

}  // namespace

MapAhead::MapAhead(std::span<const std::shared_ptr<const MappedFile>> files)
    : files_(files.begin(), files.end()), thread_([this] { Work(); }) {}

MapAhead::~MapAhead() {
  stop_.store(true);
  Wait();
}

void MapAhead::Wait() {
  if (thread_.joinable()) thread_.join();
}

// False where the disk was read for it.
bool MapAhead::MapPiece(ByteSpan piece) {
  const long before = ReadsOfThisThread();
  (EnterIntoPageTables(piece) ? mapped_bytes_ : passed_bytes_) += piece.size();
  return ReadsOfThisThread() == before;
}

void MapAhead::Work() {
  int reads = 0;
  for (const auto& file : files_) {
    const ByteSpan bytes = file->bytes();
    for (std::uint64_t at = 0; at < bytes.size(); at += kPieceBytes) {
      if (stop_.load() || reads == kMostReads) return;
      const std::uint64_t size = std::min<std::uint64_t>(kPieceBytes, bytes.size() - at);
      if (!MapPiece(bytes.subspan(at, size))) ++reads;
    }
  }
}

}  // namespace hadal
