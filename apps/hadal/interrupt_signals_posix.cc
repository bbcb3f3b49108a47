#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <initializer_list>

#include "interrupt_signals.h"

namespace hadal {
namespace {

sigset_t Waited() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

SignalQueue::SignalQueue() {
  const sigset_t set = Waited();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int SignalQueue::Wait() {
  const sigset_t set = Waited();
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number;
}

void SignalQueue::ExitOnNext() {
  struct sigaction action = {};
  action.sa_handler = [](int number) { _exit(128 + number); };
  sigemptyset(&action.sa_mask);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM}) {
    sigaction(number, &action, nullptr);
    sigaddset(&set, number);
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace hadal
