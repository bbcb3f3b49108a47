// PullDesk: pulls that clients of the server have asked for, each on a thread of its own, a few at
// a time. A client that leaves ends its pull; what came is kept. Any thread may call.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "fetch/pull.h"
#include "serve/api_error.h"
#include "serve/exchange.h"

namespace hadal {

class Service;

class PullDesk {
 public:
  static constexpr int kMostPulls = 2;

  // `options`: folder, hub and token; the rest is the desk's.
  explicit PullDesk(PullOptions options) : options_(std::move(options)) {}
  ~PullDesk() { End(); }
  PullDesk(const PullDesk&) = delete;
  PullDesk& operator=(const PullDesk&) = delete;

  // Answers in Ollama's form: lines as it goes on, or the last one alone. The service, which owns
  // this desk, ends the pull where it ends what runs.
  void Start(const HubName& name, bool stream, Service* service,
             const std::shared_ptr<Exchange>& exchange);
  // Ends every pull and waits for it; nothing is started any more.
  void End();

 private:
  struct Place {
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
    std::atomic<bool> done{false};
    std::thread thread;
  };
  Place* TakePlace();

  const PullOptions options_;
  std::mutex mutex_;
  std::list<Place> places_;
  bool ended_ = false;
};

}  // namespace hadal
