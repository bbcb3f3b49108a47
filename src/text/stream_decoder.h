// StreamDecoder: token ids in, text out as soon as it is certain. Never half a character.
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer.h"
#include "text/utf8.h"

namespace hadal {

// One object a stream, used by one thread at a time. All pieces and the flush joined equal
// Tokenizer::Decode of all ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = false)
      : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

  // The text that this token makes certain; often empty within a character.
  std::string Push(TokenId id) {
    if (skip_special_ && tokenizer_->IsSpecial(id)) return {};
    return stream_.Push(tokenizer_->TokenBytes(id));
  }
  // The end: U+FFFD for an unfinished character.
  std::string Flush() { return stream_.Flush(); }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  Utf8Stream stream_;
};

}  // namespace hadal
