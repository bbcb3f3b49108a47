#include "engine/token_healing.h"

#include <algorithm>

namespace hadal {

void HealPrompt(const TokenTrie& trie, PreparedPrompt* prompt) {
  const PreparedPrompt::OpenEnd open = std::move(prompt->open);
  prompt->open = {};
  const std::string_view text = open.text;
  std::size_t begin = text.size() - open.half_bytes;  // of the text that is owed
  std::size_t best = begin;
  std::size_t taken = 0;
  for (std::size_t count = 1; count < open.ids_end; ++count) {
    const std::string_view bytes = trie.BytesOf(prompt->ids[open.ids_end - count]);
    // Elsewhere than in the text, or not the text's own bytes (a normaliser's).
    if (bytes.empty() || !text.substr(0, begin).ends_with(bytes)) break;
    begin -= bytes.size();
    if (text.size() - begin > trie.longest()) break;
    if (!trie.HasLonger(text.substr(begin), text.size() - open.half_bytes - begin)) continue;
    best = begin;
    taken = count;
  }
  prompt->owed = {.bytes = std::string(text.substr(best)), .half_bytes = open.half_bytes};
  const auto end = prompt->ids.begin() + static_cast<std::ptrdiff_t>(open.ids_end);
  const auto from = end - static_cast<std::ptrdiff_t>(taken);
  prompt->owed.ids.assign(from, end);
  prompt->ids.erase(from, end);
}

}  // namespace hadal
