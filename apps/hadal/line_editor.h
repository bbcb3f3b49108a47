// LineEditor: reads lines from the terminal with history and editing (libedit).
#pragma once

#include <memory>
#include <string>

namespace hadal {

class LineEditor {
 public:
  // `history_file` is read now and written at the end; it need not exist.
  explicit LineEditor(std::string history_file);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class Outcome { kLine, kEnd, kInterrupted };
  // Reads one line, as UTF-8 and without its end, and puts it into the history. kEnd: Ctrl-D on an
  // empty line, or the input is over. kInterrupted: Ctrl-C; the line is dropped.
  Outcome Read(const std::string& prompt, std::string* line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hadal
