#include "sample/grammar_walk.h"

#include <algorithm>
#include <unordered_set>

#include "base/check.h"

namespace hadal {
namespace {

using Kind = GrammarNode::Kind;

constexpr std::uint32_t kMostPlaces = 8192;
constexpr std::uint32_t kMostGuardedDepth = 128;  // of values that a schema does not describe
constexpr std::uint64_t kTrimBytes = 8ull << 20;
constexpr std::uint64_t kMostBytes = 64ull << 20;

std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
  return hash ^ (hash >> 29);
}

}  // namespace

GrammarWalk::GrammarWalk(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)), classes_(grammar_->symbol_of.size()) {
  Clear();
  std::vector<Place> places = {Settle({grammar_->rules[grammar_->root], kNoFrame})};
  start_ = Intern(&places);
}

void GrammarWalk::Clear() {
  frames_.assign(1, {});
  frame_ids_.clear();
  places_.clear();
  matches_.clear();
  states_.clear();
  state_ids_.clear();
  steps_.clear();
}

std::uint64_t GrammarWalk::bytes() const {
  constexpr std::uint64_t kEntryBytes = 48;  // of a hash table
  return frames_.size() * (sizeof(Frame) + kEntryBytes) +
         (places_.size() + matches_.size()) * sizeof(Place) +
         states_.size() * (sizeof(StateRow) + kEntryBytes) + steps_.size() * sizeof(State);
}

std::uint32_t GrammarWalk::Push(const Frame& frame) {
  std::uint64_t hash = Mix(Mix(frame.below, frame.node), frame.count);
  const auto [first, last] = frame_ids_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Frame& known = frames_[it->second];
    if (known.below == frame.below && known.node == frame.node && known.count == frame.count)
      return it->second;
  }
  frames_.push_back(frame);
  frames_.back().depth = frames_[frame.below].depth + 1;
  const auto id = static_cast<std::uint32_t>(frames_.size() - 1);
  frame_ids_.emplace(hash, id);
  return id;
}

// Goes on as long as there is one way only. Heads of loops stay: there a text is measured.
GrammarWalk::Place GrammarWalk::Settle(Place place) {
  while (true) {
    const GrammarNode& node = grammar_->nodes[place.node];
    if (node.kind == Kind::kCall && !node.guarded) {
      place = {grammar_->rules[node.a], Push({place.stack, node.next, 0, 0})};
    } else if (node.kind == Kind::kReturn && place.stack != kNoFrame) {
      place = {frames_[place.stack].node, frames_[place.stack].below};
    } else if (node.kind == Kind::kEnter) {
      place = {node.next, Push({place.stack, node.next, 0, 0})};
    } else if (node.kind == Kind::kAgain) {
      Frame frame = frames_[place.stack];
      const GrammarLoop& loop = grammar_->loops[grammar_->nodes[frame.node].a];
      ++frame.count;
      if (loop.max == kUnbounded) frame.count = std::min(frame.count, std::max(loop.min, 1u));
      place = {frame.node, Push(frame)};
    } else if (node.kind == Kind::kFork && node.count == 1) {
      place.node = grammar_->edges[node.edges].target;
    } else {
      return place;
    }
  }
}

GrammarWalk::State GrammarWalk::Intern(std::vector<Place>* places) {
  if (places->empty()) return kDead;
  std::ranges::sort(*places);
  places->erase(std::unique(places->begin(), places->end()), places->end());
  if (places->size() > kMostPlaces || bytes() > kMostBytes) {
    overflowed_ = true;
    return kDead;
  }
  std::uint64_t hash = places->size();
  for (const Place& place : *places) hash = Mix(Mix(hash, place.node), place.stack);
  const auto [first, last] = state_ids_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const StateRow& row = states_[static_cast<std::size_t>(it->second)];
    if (row.places == places->size() &&
        std::equal(places->begin(), places->end(),
                   places_.begin() + static_cast<std::ptrdiff_t>(row.first)))
      return it->second;
  }
  const auto id = static_cast<State>(states_.size());
  states_.push_back(
      {.first = places_.size(), .places = static_cast<std::uint32_t>(places->size())});
  places_.insert(places_.end(), places->begin(), places->end());
  steps_.resize(steps_.size() + classes_, kUnknown);
  state_ids_.emplace(hash, id);
  return id;
}

void GrammarWalk::EnterHead(const GrammarNode& node, Place place, std::vector<Place>* open) const {
  const GrammarLoop& loop = grammar_->loops[node.a];
  const Frame frame = frames_[place.stack];
  if (frame.count < loop.max)
    open->push_back({frame.count == 0 ? loop.first : loop.again, place.stack});
  if (frame.count >= loop.min) open->push_back({node.next, frame.below});
}

void GrammarWalk::ExpandPlace(Place place, std::vector<Place>* open, StateRow* row) {
  place = Settle(place);
  const GrammarNode& node = grammar_->nodes[place.node];
  switch (node.kind) {
    case Kind::kMatch:
      matches_.push_back(place);
      break;
    case Kind::kFork:
      for (std::uint32_t i = 0; i < node.count; ++i)
        open->push_back({grammar_->edges[node.edges + i].target, place.stack});
      break;
    case Kind::kHead:
      EnterHead(node, place, open);
      break;
    case Kind::kCall:  // a guarded one
      if (frames_[place.stack].depth < kMostGuardedDepth)
        open->push_back({grammar_->rules[node.a], Push({place.stack, node.next, 0, 0})});
      break;
    case Kind::kReturn:
      row->can_end = true;
      break;
    case Kind::kEnter:
    case Kind::kAgain:
      break;  // Settle has gone past them
  }
}

void GrammarWalk::Expand(State state) {
  StateRow row = states_[static_cast<std::size_t>(state)];
  if (row.expanded) return;
  row.expanded = true;
  row.first_match = matches_.size();
  std::unordered_set<std::uint64_t> seen;
  open_.assign(places_.begin() + static_cast<std::ptrdiff_t>(row.first),
               places_.begin() + static_cast<std::ptrdiff_t>(row.first + row.places));
  while (!open_.empty()) {
    const Place place = open_.back();
    open_.pop_back();
    if (!seen.insert(std::uint64_t{place.node} << 32 | place.stack).second) continue;
    if (seen.size() > 4 * kMostPlaces) {
      overflowed_ = true;
      break;
    }
    ExpandPlace(place, &open_, &row);
  }
  const auto first = matches_.begin() + static_cast<std::ptrdiff_t>(row.first_match);
  std::sort(first, matches_.end());
  matches_.erase(std::unique(first, matches_.end()), matches_.end());
  row.matches = static_cast<std::uint32_t>(matches_.size() - row.first_match);
  work_ += seen.size();
  states_[static_cast<std::size_t>(state)] = row;
}

GrammarWalk::State GrammarWalk::Compute(State from, std::uint16_t symbol_class) {
  Expand(from);
  const StateRow row = states_[static_cast<std::size_t>(from)];
  const std::uint16_t symbol = grammar_->symbol_of[symbol_class];
  scratch_.clear();
  for (std::uint32_t i = 0; i < row.matches; ++i) {
    const Place place = matches_[row.first_match + i];
    const GrammarNode& node = grammar_->nodes[place.node];
    const auto edges = std::span(grammar_->edges).subspan(node.edges, node.count);
    const auto edge = std::ranges::lower_bound(edges, symbol, {}, &GrammarEdge::high);
    if (edge == edges.end() || edge->low > symbol) continue;
    scratch_.push_back(Settle({edge->target, place.stack}));
  }
  work_ += row.matches + 1;
  const State to = Intern(&scratch_);
  steps_[static_cast<std::size_t>(from) * classes_ + symbol_class] = to;
  return to;
}

GrammarWalk::State GrammarWalk::Follow(State from, std::string_view bytes) {
  for (const char c : bytes) {
    if (from == kDead) return kDead;
    from = Step(from, static_cast<unsigned char>(c));
  }
  return from;
}

bool GrammarWalk::CanEnd(State state) {
  Expand(state);
  return states_[static_cast<std::size_t>(state)].can_end;
}

bool GrammarWalk::MustEnd(State state) {
  return CanEnd(state) && states_[static_cast<std::size_t>(state)].matches == 0;
}

std::uint32_t GrammarWalk::PlainRoom(State state) const {
  const StateRow& row = states_[static_cast<std::size_t>(state)];
  std::uint32_t room = 0;
  for (std::uint32_t i = 0; i < row.places; ++i) {
    const Place place = places_[row.first + i];
    const GrammarNode& node = grammar_->nodes[place.node];
    if (!node.text) continue;
    if (node.kind != Kind::kHead) return kUnbounded;
    const GrammarLoop& loop = grammar_->loops[node.a];
    if (loop.max == kUnbounded) return kUnbounded;
    room = std::max(room, loop.max - frames_[place.stack].count);
  }
  return room;
}

bool GrammarWalk::Trim(State* keep) {
  if (bytes() < kTrimBytes) return false;
  const StateRow& row = states_[static_cast<std::size_t>(*keep)];
  std::vector<Place> places(places_.begin() + static_cast<std::ptrdiff_t>(row.first),
                            places_.begin() + static_cast<std::ptrdiff_t>(row.first + row.places));
  const std::vector<Frame> frames = std::move(frames_);
  Clear();
  // A frame stands after the one below it.
  std::unordered_map<std::uint32_t, std::uint32_t> moved = {{kNoFrame, kNoFrame}};
  std::vector<std::uint32_t> needed;
  for (const Place& place : places)
    for (std::uint32_t at = place.stack; at != kNoFrame; at = frames[at].below)
      needed.push_back(at);
  std::ranges::sort(needed);
  for (const std::uint32_t old : needed) {
    if (moved.count(old) > 0) continue;
    Frame frame = frames[old];
    frame.below = moved.at(frame.below);
    moved[old] = Push(frame);
  }
  for (Place& place : places) place.stack = moved.at(place.stack);
  *keep = Intern(&places);
  start_ = kDead;
  return true;
}

}  // namespace hadal
