// The part of an answer's grammar that finds tool calls. One file a syntax (parse_*.cc): a new one
// is a class derived from CallReader or MarkedCallReader, a factory here, and a row in
// answer_parser.cc.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "text/answer_sink.h"
#include "text/marker_scanner.h"

namespace hadal {

// Takes the text outside of the think tags byte by byte, and puts text and calls into the sink.
class CallReader {
 public:
  explicit CallReader(AnswerSink* sink) : sink_(sink) {}
  virtual ~CallReader() = default;
  CallReader(const CallReader&) = delete;
  CallReader& operator=(const CallReader&) = delete;

  virtual void Byte(char c) = 0;
  // The text ends here, with the answer or with the reasoning: gives out what is held back.
  virtual void Finish() = 0;
  // Inside what is certainly a call: think tags are not looked for.
  virtual bool busy() const = 0;
  // The sink has not heard of a call that it would get if the text ended here.
  virtual bool ends_in_call() const { return false; }

 protected:
  AnswerSink* sink_;
};

// A reader of a grammar made of fixed markers: sees plain bytes and whole markers.
class MarkedCallReader : public CallReader {
 public:
  MarkedCallReader(AnswerSink* sink, std::span<const std::string_view> markers)
      : CallReader(sink), scanner_(markers) {}

  void Byte(char c) final;
  void Finish() final;

 protected:
  virtual void OnByte(char c) = 0;
  virtual void OnMarker(int marker) = 0;
  // `partial` is the beginning of a marker that the end of the text cut short, often empty.
  virtual void OnFinish(std::string_view partial) = 0;

  std::string_view Marker(int marker) const { return scanner_.marker(marker); }
  void OnBytes(std::string_view bytes) {
    for (const char c : bytes) OnByte(c);
  }

 private:
  MarkerScanner scanner_;
  std::string released_;
};

// Arguments that stand between two markers: white space at both ends is left out, and with it the
// closing fence where an opening one was seen.
class RawArguments {
 public:
  void Start(bool fenced) { *this = RawArguments(fenced); }
  void Push(char c, AnswerSink* sink);
  void End() { held_.clear(); }  // the end marker came
  void Cut(AnswerSink* sink);    // the answer ended first
  bool in_string() const { return value_.in_string(); }

  explicit RawArguments(bool fenced = false) : fenced_(fenced) {}

 private:
  bool Holds(char c) const;
  void GiveOut(AnswerSink* sink);

  bool fenced_;
  bool started_ = false;
  std::string held_;  // white space, at most three backticks, white space
  JsonValueScanner value_;
};

// A longer name is no name, and a longer run of white space after a marker breaks it.
inline constexpr std::size_t kMostNameBytes = 256;
inline constexpr std::size_t kMostSpaceBytes = 64;

std::string_view TrimSpace(std::string_view text);

// The function of the request's tools that has this name; nullptr where there is none.
const Metadata* FindTool(const Metadata* tools, std::string_view name);
// Whether the request's tools hold this name; true where the list is not known.
bool ToolListed(const Metadata* tools, std::string_view name);

std::unique_ptr<CallReader> MakeDeepSeekReader(AnswerSink* sink, const AnswerOptions& options);
std::unique_ptr<CallReader> MakeDsmlV32Reader(AnswerSink* sink, const AnswerOptions& options);
std::unique_ptr<CallReader> MakeDsmlV4Reader(AnswerSink* sink, const AnswerOptions& options);
std::unique_ptr<CallReader> MakeDsmlV41Reader(AnswerSink* sink, const AnswerOptions& options);
std::unique_ptr<CallReader> MakeKimiReader(AnswerSink* sink, const AnswerOptions& options);
std::unique_ptr<CallReader> MakeHermesReader(AnswerSink* sink, const AnswerOptions& options);
std::unique_ptr<CallReader> MakeLlama3Reader(AnswerSink* sink, const AnswerOptions& options);

}  // namespace hadal
