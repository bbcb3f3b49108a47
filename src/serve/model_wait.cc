#include "serve/model_wait.h"

#include <utility>

namespace hadal {
namespace {

constexpr int kComeBackSeconds = 5;

// One that waits. The pool holds it until it answers; everything runs on the exchange's strand.
class ModelWait : public std::enable_shared_from_this<ModelWait> {
 public:
  ModelWait(std::shared_ptr<Service> service, std::shared_ptr<Exchange> exchange,
            std::function<void(ServedModel)> then)
      : service_(std::move(service)), exchange_(std::move(exchange)), then_(std::move(then)) {}

  void Begin(const std::string& name, std::optional<KeepAlive> keep_alive) {
    // Those that are loaded when the server begins are there, or about to come.
    ModelPool& models = service_->models();
    if (service_->loading() && !models.IsPinned(name))
      return SendError(LoadingError(), exchange_.get());
    auto take = [self = shared_from_this()](ApiResult<ServedModel> result) mutable {
      Exchange& exchange = *self->exchange_;
      // Handed over whole: what the pool's thread held last, it would have to destroy, and behind
      // the call stands the pool itself.
      exchange.Post([self = std::move(self), result = std::move(result)]() mutable {
        self->Take(std::move(result));
      });
    };
    auto taken = models.Take(name, keep_alive, std::move(take));
    if (taken.now) return Take(*std::move(taken.now));
    waiting_ = taken.waiting;
    const std::weak_ptr<ModelWait> weak = weak_from_this();
    running_ = service_->AddRunning({.end_call = [weak] {
      if (const auto wait = weak.lock())
        wait->exchange_->Post([wait] { wait->GiveUp(ShuttingDownError()); });
    }});
    exchange_->OnGone([weak] {
      if (const auto wait = weak.lock()) wait->Leave();
    });
    exchange_->After(service_->limits().load_seconds, [weak, name] {
      if (const auto wait = weak.lock()) wait->GiveUp(StillLoading(name));
    });
  }

 private:
  static ApiError StillLoading(const std::string& name) {
    return {.kind = ErrorKind::kLoading,
            .message = "model '" + name + "' is still being loaded",
            .code = "model_loading",
            .retry_after_seconds = kComeBackSeconds};
  }

  void Take(ApiResult<ServedModel> result) {
    if (!End()) return;
    if (!result.ok()) return SendError(result.error(), exchange_.get());
    then_(*std::move(result));
  }

  void GiveUp(const ApiError& error) {
    if (!End()) return;
    SendError(error, exchange_.get());
  }

  void Leave() { End(); }

  // False where it is over already.
  bool End() {
    if (std::exchange(over_, true)) return false;
    if (waiting_ != 0) service_->models().Cancel(waiting_);
    if (running_ != 0) service_->RemoveRunning(running_);
    return true;
  }

  const std::shared_ptr<Service> service_;
  const std::shared_ptr<Exchange> exchange_;
  const std::function<void(ServedModel)> then_;
  std::uint64_t waiting_ = 0, running_ = 0;
  bool over_ = false;
};

}  // namespace

void WithModel(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange,
               const std::string& name, std::optional<KeepAlive> keep_alive,
               std::function<void(ServedModel)> then) {
  std::make_shared<ModelWait>(service, exchange, std::move(then))->Begin(name, keep_alive);
}

}  // namespace hadal
