#include "engine/prefix_worker.h"

#include <algorithm>

namespace hadal {
namespace {

// A conversation that goes on at once is written once, not turn by turn; what a killed process
// loses is what it learned within this time.
constexpr std::chrono::milliseconds kDelay{250};
// Snapshots that wait hold their pages. From half of it on nothing waits for its time.
constexpr std::size_t kMostWaiting = 32;

bool Replaces(const SnapshotImage& newer, const SnapshotImage& older) {
  const auto ids = newer.ids(), known = older.ids();
  return newer.space() == older.space() && ids.size() >= known.size() &&
         std::equal(known.begin(), known.end(), ids.begin()) && newer.Reach().Covers(older.Reach());
}

}  // namespace

PrefixWorker::PrefixWorker(std::shared_ptr<PrefixDisk> disk, std::function<void()> wake)
    : disk_(std::move(disk)),
      wake_(std::move(wake)),
      writer_([this] { WriteThem(); }),
      reader_([this] { ReadThem(); }) {}

PrefixWorker::~PrefixWorker() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  writer_.join();
  reader_.join();
}

void PrefixWorker::Store(std::shared_ptr<const SnapshotImage> image) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // It takes the place of the first that it replaces: turn upon turn would put it off for ever.
  const auto replaced = [&image](const Waiting& one) { return Replaces(*image, *one.image); };
  const auto first = std::find_if(waiting_.begin(), waiting_.end(), replaced);
  if (first != waiting_.end()) {
    std::erase_if(waiting_, [&](const Waiting& one) { return &one != &*first && replaced(one); });
    first->image = std::move(image);
    return;
  }
  if (waiting_.size() >= kMostWaiting) waiting_.pop_front();
  waiting_.push_back({std::move(image), Clock::now() + kDelay});
  changed_.notify_all();
}

void PrefixWorker::Drop(const std::string* space) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(waiting_, [space](const Waiting& one) {
    return space == nullptr || one.image->space() == *space;
  });
}

void PrefixWorker::FreeDone() {
  std::vector<std::shared_ptr<const SnapshotImage>> done;
  const std::lock_guard<std::mutex> lock(mutex_);
  done.swap(done_);
}

void PrefixWorker::Load(const DiskMatch& match) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wanted_.push_back(match);
  changed_.notify_all();
}

std::vector<PrefixWorker::Loaded> PrefixWorker::TakeLoaded() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(loaded_, {});
}

void PrefixWorker::WriteThem() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    if (waiting_.empty()) {
      if (stop_) return;
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point due = waiting_.front().due;
    const bool early = stop_ || waiting_.size() > kMostWaiting / 2;
    if (!early && Clock::now() < due) {
      changed_.wait_until(lock, due);
      continue;
    }
    std::shared_ptr<const SnapshotImage> image = std::move(waiting_.front().image);
    waiting_.pop_front();
    lock.unlock();
    const double now = std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
    // What cannot be written is computed again one day; the tier itself counts it.
    (void)disk_->Store(*image, now);
    lock.lock();
    done_.push_back(std::move(image));
    wake_();
  }
}

void PrefixWorker::ReadThem() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    if (wanted_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const DiskMatch match = wanted_.front();
    wanted_.pop_front();
    lock.unlock();
    Result<StoredSnapshot> snapshot = disk_->Load(match);
    lock.lock();
    loaded_.push_back({match, std::move(snapshot)});
    wake_();
  }
}

}  // namespace hadal
