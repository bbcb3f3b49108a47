#include "line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/utf8.h"
#include "terminal.h"

namespace hadal {
namespace {

// libedit's characters are wide ones; ours are UTF-8, whatever the locale says.
std::wstring Widen(std::string_view text) {
  std::wstring wide;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int more = lead < 0xC0 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    auto code = static_cast<wchar_t>(more == 0 ? lead : lead & (0x3F >> more));
    for (int k = 1; k <= more && i + static_cast<std::size_t>(k) < text.size(); ++k)
      code = static_cast<wchar_t>((code << 6) | (text[i + static_cast<std::size_t>(k)] & 0x3F));
    wide += code;
    i += static_cast<std::size_t>(more) + 1;
  }
  return wide;
}

void AppendUtf8(std::string* out, wchar_t wide) {
  const auto code = static_cast<std::uint32_t>(wide);
  const auto put = [out](std::uint32_t byte) { *out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xE0 | (code >> 12));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
    }
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

// One character from the terminal. A signal ends the read, which libedit's own reader would repeat.
int ReadCharacter(EditLine*, wchar_t* out) {
  std::string bytes;
  do {
    char byte = 0;
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count <= 0) return count == 0 ? 0 : -1;
    bytes += byte;
    const auto lead = static_cast<unsigned char>(bytes[0]);
    const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (bytes.size() >= length) break;
  } while (true);
  *out = IsUtf8(bytes) ? Widen(bytes)[0] : L'\xFFFD';
  return 1;
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  HistoryW* history = nullptr;
  std::string history_file;
  std::wstring prompt;

  static wchar_t* Prompt(EditLine* editor) {
    State* state = nullptr;
    el_wget(editor, EL_CLIENTDATA, &state);
    return state->prompt.data();
  }
};

LineEditor::LineEditor(std::string history_file) : state_(std::make_unique<State>()) {
  // Only the character set: numbers keep the C form.
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
  state_->history_file = std::move(history_file);
  state_->history = history_winit();
  HistEventW event;
  history_w(state_->history, &event, H_SETSIZE, 1000);
  history_w(state_->history, &event, H_SETUNIQUE, 1);
  history_w(state_->history, &event, H_LOAD, state_->history_file.c_str());
  state_->editor = el_init("hadal", stdin, stdout, stderr);
  el_wset(state_->editor, EL_CLIENTDATA, state_.get());
  el_wset(state_->editor, EL_PROMPT, State::Prompt);
  el_wset(state_->editor, EL_EDITOR, L"emacs");
  el_wset(state_->editor, EL_HIST, history_w, state_->history);
  el_wset(state_->editor, EL_GETCFN, ReadCharacter);
  el_wset(state_->editor, EL_BIND, L"^W", L"ed-delete-prev-word", nullptr);
  el_wset(state_->editor, EL_BIND, L"^R", L"em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  HistEventW event;
  const mode_t mask = umask(077);  // what was asked is nobody else's business
  history_w(state_->history, &event, H_SAVE, state_->history_file.c_str());
  umask(mask);
  el_end(state_->editor);
  history_wend(state_->history);
}

LineEditor::Outcome LineEditor::Read(const std::string& prompt, std::string* line) {
  state_->prompt = Widen(prompt);
  const int before = Interrupts::count();
  const Interrupts::Scope scope(nullptr);
  int count = 0;
  const wchar_t* read = el_wgets(state_->editor, &count);
  if (Interrupts::count() != before) {
    std::fputs("\n", stdout);
    el_wset(state_->editor, EL_UNBUFFERED, 0);
    return Outcome::kInterrupted;
  }
  if (read == nullptr || count <= 0) return Outcome::kEnd;
  line->clear();
  for (int i = 0; i < count; ++i)
    if (read[i] != L'\n' && read[i] != L'\r') AppendUtf8(line, read[i]);
  HistEventW event;
  if (!line->empty()) history_w(state_->history, &event, H_ENTER, Widen(*line).c_str());
  return Outcome::kLine;
}

}  // namespace hadal
