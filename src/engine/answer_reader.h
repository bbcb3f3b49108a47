// AnswerReader: chosen tokens in, pieces of the answer out: text, reasoning and tool calls, without
// half characters, and no text from a stop string on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/prompt.h"
#include "hadal/generate.h"
#include "sample/stop_matcher.h"
#include "text/answer_parser.h"
#include "text/stream_decoder.h"

namespace hadal {

// Belongs to one answer and one thread.
class AnswerReader {
 public:
  // `prompt` outlives the reader. Stop strings count in the text, not in reasoning or calls.
  AnswerReader(std::shared_ptr<const Tokenizer> tokenizer, const PreparedPrompt& prompt,
               const std::vector<std::string>& stops);

  // Puts what became certain with the token into the event. Its first bytes may be no part of the
  // answer.
  void Push(std::int32_t token, std::size_t without_bytes, GenerateEvent* event);
  // The rest, once the answer is over; `ended`: by the model, not cut off.
  void Finish(bool ended, GenerateEvent* event);

  bool stopped() const { return stops_.matched(); }           // a stop string is complete
  const std::string& stop() const { return stops_.match(); }  // which; where stopped()
  bool in_reasoning() const { return parser_.in_reasoning(); }
  bool called() const { return called_; }  // the answer calls a tool
  bool has_answer() const { return parser_.has_answer(); }

 private:
  void Sort(const std::vector<AnswerEvent>& pieces, GenerateEvent* event);
  void EndCall(const AnswerEvent& piece, GenerateEvent* event);

  StreamDecoder decoder_;
  AnswerParser parser_;
  StopMatcher stops_;
  bool called_ = false;
  bool cut_off_ = false;   // what is not complete was not the model's doing
  std::string arguments_;  // of the last call so far
};

}  // namespace hadal
