// A tool call written as one JSON object: {"name": NAME, "arguments" or "parameters": VALUE}, keys
// in any order, others ignored. Hermes, Qwen and Llama 3.1 write calls so.
#pragma once

#include <string>

#include "text/call_reader.h"

namespace hadal {

class CallObject {
 public:
  struct Rules {
    const Metadata* tools = nullptr;  // with a list: a name outside of it is no call
    bool needs_arguments = false;     // an object without arguments is no call
  };
  enum class Step : unsigned char {
    kMore,
    kBad,   // not a call: nothing of it was given out
    kDone,  // the object closed, or broke after its arguments
  };

  CallObject(const Rules& rules, AnswerSink* sink) : rules_(rules), sink_(sink) {}

  // Forgets the last object. The first byte pushed then is its opening brace.
  void Start();
  // Gives out the beginning of the call as soon as its name and its arguments have begun, the
  // arguments as they come.
  Step Push(char c);
  // The text ended inside the object; what has begun is ended as it stands.
  void Cut();

  bool begun() const { return begun_; }
  bool in_string() const;

 private:
  enum class State : unsigned char {
    kOpen,
    kKey,
    kKeyText,
    kColon,
    kName,
    kArguments,
    kOther,
    kNext
  };

  Step KeyByte(char c);
  Step ColonByte(char c);
  Step EndKey();
  Step NameByte(char c);
  Step ArgumentsByte(char c);
  Step OtherByte(char c);
  Step NextByte(char c);
  Step Close();  // at the closing brace
  // A call that has begun has had its arguments by then: what follows them is left alone.
  Step Broken() const { return begun_ ? Step::kDone : Step::kBad; }
  void Begin();

  const Rules rules_;
  AnswerSink* sink_;
  State state_ = State::kOpen;
  State value_state_ = State::kOther;  // what the value of the current key is
  bool begun_ = false, has_name_ = false, has_arguments_ = false;
  std::string text_;  // of the key or the name, with its quotes
  std::string name_;
  std::string early_;  // arguments that came before the name
  JsonValueScanner value_;
  RawArguments arguments_;
};

}  // namespace hadal
