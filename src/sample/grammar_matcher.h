// GrammarMatcher: which tokens may come next in an answer that follows a grammar.
//
// A mask holds every token whose bytes the grammar can go on with, wherever the borders between
// tokens, characters and grammar elements lie. Inside of free text the tokens that are plain text
// are allowed at once and only the others are walked (grammar_walk.h); masks are kept by state.
//
// An object belongs to one answer and one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>

#include "base/status.h"
#include "sample/grammar_walk.h"
#include "sample/token_trie.h"

namespace hadal {

class GrammarMatcher {
 public:
  GrammarMatcher(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie);

  // The tokens that may come next, those that end the answer left out (CanEnd). Valid until the
  // next call. Fails with kDeadEnd where the grammar is too ambiguous to be followed further.
  Result<std::span<const std::uint64_t>> Mask();

  // Goes on; false, and unchanged, where the grammar does not allow it.
  bool Accept(std::int32_t token);
  bool AcceptBytes(std::string_view bytes);
  // Whether AcceptBytes would succeed.
  bool Fits(std::string_view bytes) { return walk_.Follow(state_, bytes) != GrammarWalk::kDead; }

  bool CanEnd() { return walk_.CanEnd(state_); }
  bool MustEnd() { return walk_.MustEnd(state_); }

 private:
  void WalkTree(const TokenTrie::Tree& tree, std::span<std::uint64_t> mask);
  void AllowMarks(std::span<std::uint64_t> mask);
  void Fill(std::span<std::uint64_t> mask);
  bool MoveTo(GrammarWalk::State state);

  std::shared_ptr<const TokenTrie> trie_;
  GrammarWalk walk_;
  GrammarWalk::State state_;
  std::unordered_map<GrammarWalk::State, TokenMask> masks_;
  std::vector<GrammarWalk::State> path_;  // by depth in a tree
};

}  // namespace hadal
