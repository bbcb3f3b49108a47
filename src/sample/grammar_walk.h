// GrammarWalk: where in a grammar a text stands, as a machine of states that is made while it is
// walked (a lazy deterministic automaton).
//
// A place is a node and a stack of return addresses and loop counts; a state is the set of all
// places that the same text leads to. Stacks share their lower parts, sets are kept once, and every
// step from a state is remembered, so that walking the whole vocabulary costs a look-up per byte.
// What is remembered is bounded: beyond a few megabytes it is forgotten but for the current state.
//
// An object belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "sample/grammar.h"

namespace hadal {

class GrammarWalk {
 public:
  using State = std::int32_t;
  static constexpr State kDead = -1;

  explicit GrammarWalk(std::shared_ptr<const Grammar> grammar);

  const Grammar& grammar() const { return *grammar_; }
  State start() const { return start_; }

  // After one more symbol; kDead where no text of the language goes on so.
  State Step(State from, std::uint16_t symbol) {
    return StepClass(from, grammar_->class_of[symbol]);
  }
  State StepClass(State from, std::uint16_t symbol_class) {
    const State known = steps_[static_cast<std::size_t>(from) * classes_ + symbol_class];
    return known != kUnknown ? known : Compute(from, symbol_class);
  }
  State Follow(State from, std::string_view bytes);

  // Whether the text may end here, and whether it must.
  bool CanEnd(State state);
  bool MustEnd(State state);

  // Where the state is inside of plain text that may go on: by how many characters at least,
  // kUnbounded where nothing bounds it; 0 elsewhere.
  std::uint32_t PlainRoom(State state) const;
  // Whether the text is all that the state is about.
  bool OnlyPlain(State state) const { return states_[static_cast<std::size_t>(state)].places == 1; }

  // Forgets every state but this one, which gets a new number, where too much is remembered.
  // True where it did so.
  bool Trim(State* keep);

  // Places that were looked at so far: what a mask costs.
  std::uint64_t work() const { return work_; }
  // A set of places became too large: what was dead may have been legal.
  bool overflowed() const { return overflowed_; }
  std::uint64_t bytes() const;

 private:
  static constexpr State kUnknown = -2;
  static constexpr std::uint32_t kNoFrame = 0;  // the bottom of every stack

  struct Frame {
    std::uint32_t below = 0;
    GrammarNodeId node = 0;   // to return to, or the head of a loop
    std::uint32_t count = 0;  // of the loop
    std::uint32_t depth = 0;
    bool operator==(const Frame&) const = default;
  };
  struct Place {
    GrammarNodeId node = 0;
    std::uint32_t stack = kNoFrame;
    auto operator<=>(const Place&) const = default;
  };
  struct StateRow {
    std::size_t first = 0;  // in places_
    std::uint32_t places = 0;
    // Filled when it is first stepped from: the places with a symbol to match, in matches_.
    bool expanded = false, can_end = false;
    std::size_t first_match = 0;
    std::uint32_t matches = 0;
  };

  State Compute(State from, std::uint16_t symbol_class);
  void Expand(State state);
  void ExpandPlace(Place place, std::vector<Place>* open, StateRow* row);
  void EnterHead(const GrammarNode& node, Place place, std::vector<Place>* open) const;
  Place Settle(Place place);
  std::uint32_t Push(const Frame& frame);
  State Intern(std::vector<Place>* places);
  void Clear();

  std::shared_ptr<const Grammar> grammar_;
  std::size_t classes_;
  std::vector<Frame> frames_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> frame_ids_;  // by hash
  std::vector<Place> places_, matches_;
  std::vector<StateRow> states_;
  std::unordered_multimap<std::uint64_t, State> state_ids_;  // by hash
  std::vector<State> steps_;                                 // [states, classes]
  std::vector<Place> scratch_, open_;
  State start_ = kDead;
  std::uint64_t work_ = 0;
  bool overflowed_ = false;
};

}  // namespace hadal
