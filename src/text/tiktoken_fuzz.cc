// Any text as a tiktoken.model, alone and behind the lines of the 256 bytes that every such file
// has; what follows a NUL is its tokenizer_config.json. It is refused with a place, or it encodes.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/json.h"
#include "text/tokenizer.h"

namespace hadal {
namespace {

// "AA== 0" to "/w== 255".
std::string SingleBytes() {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string lines;
  for (unsigned byte = 0; byte < 256; ++byte) {
    lines += kDigits[byte >> 2];
    lines += kDigits[byte << 4 & 0x30];
    lines += "== " + std::to_string(byte) + "\n";
  }
  return lines;
}

void Try(std::string_view ranks, const Metadata* config) {
  const auto made = Tokenizer::FromTiktoken(ranks, config, "fuzz");
  if (!made.ok()) {
    HADAL_CHECK(!made.status().where().empty(), "a refusal that says no place");
    return;
  }
  const auto text = ranks.substr(ranks.size() - std::min<std::size_t>(ranks.size(), 100));
  const auto ids = (*made)->Encode(text, AddedTokenUse::kNone);
  HADAL_CHECK(ids.ok(), "Kimi's pattern runs away");
  const auto again = (*made)->Encode((*made)->Decode(*ids), AddedTokenUse::kNone);
  HADAL_CHECK(again.ok() && *again == *ids, "a text that does not come back");
}

}  // namespace
}  // namespace hadal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hadal;
  static const std::string bytes = SingleBytes();
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(all.find('\0'), all.size());
  std::optional<MetadataDocument> config;
  if (end < all.size()) {
    const auto parsed = ParseJson(all.substr(end + 1), "fuzz config");
    if (!parsed.ok()) return 0;
    config = *parsed;
  }
  const Metadata* root = config ? &config->root() : nullptr;
  Try(all.substr(0, end), root);
  Try(bytes + std::string(all.substr(0, end)), root);
  return 0;
}
