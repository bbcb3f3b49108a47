// Signals as values in a queue: blocked for every thread that starts later, and taken by the thread
// that waits for them. One object a program, made before other threads.
#pragma once

namespace hadal {

class SignalQueue {
 public:
  SignalQueue();

  // The next of SIGINT, SIGTERM and SIGHUP.
  int Wait();
  // From now on SIGINT and SIGTERM end the program at once.
  void ExitOnNext();
};

}  // namespace hadal
