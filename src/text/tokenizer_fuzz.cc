// Any JSON as a tokenizer.json, or as a GGUF header where it has a key of one: it is refused with a
// place, or it encodes texts (among them the file's own), and what it decodes is UTF-8 and the same
// in one go and token by token.
#include <cstdint>

#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"

namespace hadal {
namespace {

void CheckDecoding(const std::shared_ptr<const Tokenizer>& tokenizer,
                   const std::vector<TokenId>& ids) {
  StreamDecoder stream(tokenizer);
  std::string joined;
  for (const TokenId id : ids) {
    HADAL_CHECK(id >= 0 && id < tokenizer->vocabulary(), "an id outside of the vocabulary");
    joined += stream.Push(id);
    HADAL_CHECK(IsUtf8(joined), "half a character");
  }
  HADAL_CHECK(joined + stream.Flush() == tokenizer->Decode(ids), "two decodings that differ");
}

void Try(const Result<std::shared_ptr<const Tokenizer>>& made, std::string_view own_text) {
  if (!made.ok()) {
    HADAL_CHECK(!made.status().where().empty(), "a refusal that says no place");
    return;
  }
  for (const std::string_view text :
       {std::string_view(
            "It's 2024: \xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82 e\xCC\x81 a\xFFz\n\n   x <s>"),
        std::string_view(
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        own_text})
    for (const AddedTokenUse use :
         {AddedTokenUse::kAll, AddedTokenUse::kNone, AddedTokenUse::kSpecialAsText}) {
      const auto ids = (*made)->Encode(text, use);
      if (ids.ok()) CheckDecoding(*made, *ids);
    }
}

}  // namespace
}  // namespace hadal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hadal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = ParseJson(text, "fuzz");
  if (!document.ok()) return 0;
  const Metadata& root = document->root();
  const std::string_view own = text.substr(0, 200);
  if (Tokenizer::GgufHasTokenizer(root))
    Try(Tokenizer::FromGguf(root, nullptr, "fuzz"), own);
  else  // its own members may be a configuration and an overlay, too
    Try(Tokenizer::FromJson(root, root.Find("config"), root.Find("overlay"), "fuzz"), own);
  return 0;
}
