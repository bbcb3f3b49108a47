#include "sample/grammar_matcher.h"

#include <algorithm>

namespace hadal {
namespace {

constexpr std::size_t kMostMaskBytes = 4u << 20;
// Places looked at for one mask: some hundred milliseconds. Ordinary schemas need thousands.
constexpr std::uint64_t kMostWork = 4'000'000;

}  // namespace

GrammarMatcher::GrammarMatcher(std::shared_ptr<const Grammar> grammar,
                               std::shared_ptr<const TokenTrie> trie)
    : trie_(std::move(trie)),
      walk_(std::move(grammar)),
      state_(walk_.start()),
      path_(trie_->longest() + 1) {}

void GrammarMatcher::WalkTree(const TokenTrie::Tree& tree, std::span<std::uint64_t> mask) {
  const std::vector<std::uint16_t>& class_of = walk_.grammar().class_of;
  const std::uint64_t most_work = walk_.work() + kMostWork;
  path_[0] = state_;
  for (std::size_t at = 0; at < tree.nodes.size();) {
    const TokenTrie::Tree::Node& node = tree.nodes[at];
    const GrammarWalk::State to = walk_.StepClass(path_[node.depth - 1u], class_of[node.byte]);
    if (to == GrammarWalk::kDead || walk_.work() > most_work) {
      at = node.skip;
      continue;
    }
    path_[node.depth] = to;
    for (const std::int32_t token : tree.TokensOf(at)) AllowToken(token, mask);
    ++at;
  }
}

void GrammarMatcher::AllowMarks(std::span<std::uint64_t> mask) {
  const std::vector<std::int32_t>& marks = walk_.grammar().marks;
  for (std::size_t i = 0; i < marks.size(); ++i)
    if (walk_.Step(state_, static_cast<std::uint16_t>(256 + i)) != GrammarWalk::kDead)
      AllowToken(marks[i], mask);
}

void GrammarMatcher::Fill(std::span<std::uint64_t> mask) {
  AllowMarks(mask);
  const std::uint32_t room = walk_.PlainRoom(state_);
  const std::span<const TokenTrie::Plain> plain = trie_->plain();
  const bool fits_all = plain.empty() || plain.back().characters <= room;
  // Where the room is less than the longest tokens need, another place might still take them.
  if (room == 0 || (!fits_all && !walk_.OnlyPlain(state_))) return WalkTree(trie_->all(), mask);
  std::ranges::transform(mask, trie_->plain_mask(), mask.begin(), std::bit_or<>());
  for (std::size_t i = plain.size(); i-- > 0 && plain[i].characters > room;)
    ForbidToken(plain[i].token, mask);
  WalkTree(trie_->other(), mask);
}

Result<std::span<const std::uint64_t>> GrammarMatcher::Mask() {
  const auto found = masks_.find(state_);
  if (found != masks_.end()) return std::span<const std::uint64_t>(found->second);
  if (masks_.size() * trie_->mask_words() * sizeof(std::uint64_t) > kMostMaskBytes) masks_.clear();
  TokenMask mask(trie_->mask_words(), 0);
  const std::uint64_t work = walk_.work();
  Fill(mask);
  if (walk_.overflowed() || walk_.work() > work + kMostWork)
    return Status(Code::kDeadEnd, "form", "a schema too ambiguous to be followed",
                  "alternatives that soon differ",
                  "give the alternatives of anyOf a property that tells them apart");
  return std::span<const std::uint64_t>(masks_.emplace(state_, std::move(mask)).first->second);
}

bool GrammarMatcher::MoveTo(GrammarWalk::State state) {
  if (state == GrammarWalk::kDead) return false;
  state_ = state;
  if (walk_.Trim(&state_)) masks_.clear();
  return true;
}

bool GrammarMatcher::Accept(std::int32_t token) {
  const std::vector<std::int32_t>& marks = walk_.grammar().marks;
  const auto mark = std::ranges::find(marks, token);
  if (mark != marks.end())
    return MoveTo(walk_.Step(state_, static_cast<std::uint16_t>(256 + (mark - marks.begin()))));
  return trie_->holds(token) && MoveTo(walk_.Follow(state_, trie_->BytesOf(token)));
}

bool GrammarMatcher::AcceptBytes(std::string_view bytes) {
  return MoveTo(walk_.Follow(state_, bytes));
}

}  // namespace hadal
