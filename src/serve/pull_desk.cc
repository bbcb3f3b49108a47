#include "serve/pull_desk.h"

#include <chrono>

#include "serve/json_writer.h"
#include "serve/service.h"

namespace hadal {
namespace {

using Stage = PullProgress::Stage;
using Flag = std::shared_ptr<std::atomic<bool>>;

// One pull as Ollama tells of it (the reference on serving, A4).
class PullTeller {
 public:
  PullTeller(std::shared_ptr<Exchange> exchange, bool stream, Flag cancelled)
      : exchange_(std::move(exchange)), stream_(stream), cancelled_(std::move(cancelled)) {
    if (stream_) exchange_->Begin(200, {{"Content-Type", "application/x-ndjson"}}, "");
  }

  void Tell(const PullProgress& progress) {
    switch (progress.stage) {
      case Stage::kList:
        return Line("pulling manifest");
      case Stage::kFile:
        return TellFile(progress);
      case Stage::kCheck:
        return Line("verifying sha256 digest");
      case Stage::kFinish:
        return Line("writing manifest");
      case Stage::kRetry:
        return;
    }
  }

  void End(const Status& status) {
    if (!stream_) {
      if (!status.ok()) return SendError(ErrorOf(status), exchange_.get());
      return exchange_->Send(HttpResponse::Json(StatusLine("success")));
    }
    if (status.ok())
      Line("success");
    else
      Write(ErrorBody(ErrorOf(status), Dialect::kOllama, ""));
    exchange_->Finish();
  }

 private:
  static std::string StatusLine(const std::string& status) {
    return JsonWriter().BeginObject().Key("status").Text(status).EndObject().Take();
  }
  void Write(const std::string& json) {
    if (stream_ && !exchange_->Write(json + "\n")) cancelled_->store(true);
  }
  // A status is said when it begins, not while it lasts.
  void Line(const std::string& status) {
    if (std::exchange(last_, status) != status) Write(StatusLine(status));
  }

  void TellFile(const PullProgress& progress) {
    constexpr auto kBetween = std::chrono::milliseconds(100);
    constexpr std::size_t kDigits = 12;
    const std::string hex = progress.digest.substr(progress.digest.find(':') + 1, kDigits);
    const std::string status = "pulling " + hex;
    const auto now = std::chrono::steady_clock::now();
    const bool ends = progress.done == progress.bytes;
    if (std::exchange(last_, status) == status && !ends && now - told_ < kBetween) return;
    told_ = now;
    JsonWriter json;
    json.BeginObject().Key("status").Text(status).Key("digest").Text(progress.digest);
    json.Key("total").Integer(static_cast<std::int64_t>(progress.bytes));
    json.Key("completed").Integer(static_cast<std::int64_t>(progress.done));
    Write(json.EndObject().Take());
  }

  const std::shared_ptr<Exchange> exchange_;
  const bool stream_;
  const Flag cancelled_;
  std::string last_;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace

PullDesk::Place* PullDesk::TakePlace() {
  places_.remove_if([](Place& place) {
    if (!place.done) return false;
    place.thread.join();
    return true;
  });
  if (ended_ || places_.size() >= kMostPulls) return nullptr;
  return &places_.emplace_back();
}

void PullDesk::Start(const HubName& name, bool stream, Service* service,
                     const std::shared_ptr<Exchange>& exchange) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Place* place = TakePlace();
  if (place == nullptr)
    return SendError({.kind = ErrorKind::kRateLimited,
                      .message = "as many models as may be are being pulled",
                      .retry_after_seconds = 30},
                     exchange.get());
  const Flag cancelled = place->cancelled;
  exchange->OnGone([cancelled] { cancelled->store(true); });
  place->thread = std::thread([this, name, stream, service, exchange, place]() mutable {
    const Flag stop = place->cancelled;
    const std::uint64_t running = service->AddRunning({.end_call = [stop] { stop->store(true); }});
    {
      PullTeller teller(std::move(exchange), stream, stop);
      PullOptions options = options_;
      options.cancelled = [stop] { return stop->load(); };
      options.on_progress = [&teller](const PullProgress& progress) { teller.Tell(progress); };
      const auto pulled = Pull(name, options);
      teller.End(pulled.status());
    }
    service->RemoveRunning(running);
    place->done = true;
  });
}

void PullDesk::End() {
  std::list<Place> places;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    places.swap(places_);
  }
  for (Place& place : places) place.cancelled->store(true);
  for (Place& place : places) place.thread.join();
}

}  // namespace hadal
