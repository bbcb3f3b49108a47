#include "progress.h"

#include <fmt/format.h>

#include "report.h"
#include "terminal.h"

namespace hadal {
namespace {

constexpr char kEraseLine[] = "\r\x1b[K";
constexpr double kPatienceSeconds = 1.0;  // what is done sooner goes without a line

}  // namespace

Progress::Progress(std::string unit) : unit_(std::move(unit)), terminal_(ErrorIsTerminal()) {}

void Progress::Show(std::int64_t done, std::int64_t all) {
  if (!terminal_ || done <= 0) return;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  if (seconds < kPatienceSeconds) return;
  const double rate = static_cast<double>(done) / seconds;
  Say(fmt::format("{}{}/{} {}, {:.3g} a second, {:.0f} s left", kEraseLine, done, all, unit_, rate,
                  static_cast<double>(all - done) / rate));
  shown_ = true;
}

void Progress::Clear() {
  if (shown_) Say(kEraseLine);
  shown_ = false;
}

}  // namespace hadal
