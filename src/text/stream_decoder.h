// StreamDecoder: token ids in, text out as soon as it is certain. Never half a character.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "text/tokenizer.h"
#include "text/utf8.h"

namespace hadal {

// One object a stream, used by one thread at a time. All pieces and the flush joined equal
// Tokenizer::Decode of all ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = false)
      : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

  // Before the first token: the stream begins inside of a character that has these bytes already,
  // and with its other bytes.
  void BeginInside(std::string_view half) {
    begun_bytes_ = half.size();
    stream_.Push(half);
  }

  // The text that this token makes certain; often empty within a character. Its first bytes may be
  // left out.
  std::string Push(TokenId id, std::size_t without_bytes = 0) {
    if (skip_special_ && tokenizer_->IsSpecial(id)) return {};
    std::string text = stream_.Push(tokenizer_->TokenBytes(id).substr(without_bytes));
    if (!text.empty()) text.erase(0, std::exchange(begun_bytes_, 0));
    return text;
  }
  // The end: U+FFFD for an unfinished character, but for one that others began.
  std::string Flush() {
    std::string text = stream_.Flush();
    return begun_bytes_ > 0 ? std::string() : text;
  }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  Utf8Stream stream_;
  std::size_t begun_bytes_ = 0;  // of its character, until that is whole
};

}  // namespace hadal
