#include "sample/pattern.h"

#include <algorithm>

#include "sample/pattern_tree.h"

namespace hadal {
namespace {

using Kind = PatternNode::Kind;
using Builder = GrammarBuilder;

std::uint64_t Times(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kMany = kUnbounded;
  return a == 0 || b == 0 ? 0 : (a >= kMany || b >= kMany ? kMany : std::min(kMany, a * b));
}

// The least and the most characters of what the node matches.
Builder::Count LengthOf(const PatternNode& node) {
  std::uint64_t min = 0, max = 0;
  switch (node.kind) {
    case Kind::kSet:
      min = max = 1;
      break;
    case Kind::kBegin:
    case Kind::kEnd:
      break;
    case Kind::kSequence:
      for (const PatternNode& part : node.parts) {
        min += LengthOf(part).min;
        max += LengthOf(part).max;
      }
      break;
    case Kind::kChoice:
      min = kUnbounded;
      for (const PatternNode& part : node.parts) {
        min = std::min<std::uint64_t>(min, LengthOf(part).min);
        max = std::max<std::uint64_t>(max, LengthOf(part).max);
      }
      break;
    case Kind::kRepeat:
      min = Times(LengthOf(node.parts[0]).min, node.min);
      max = Times(LengthOf(node.parts[0]).max, node.max);
      break;
  }
  const auto capped = [](std::uint64_t n) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, kUnbounded));
  };
  return {capped(min), capped(max)};
}

class PatternBuilder {
 public:
  PatternBuilder(Spelling spelling, JsonGrammar* json) : spelling_(spelling), json_(json) {}

  GrammarNodeId Any(GrammarNodeId next) { return Repeat({}, AllCharacters(), next); }

  GrammarNodeId Build(const PatternNode& node, GrammarNodeId next) {
    switch (node.kind) {
      case Kind::kSet:
        return json_->Character(node.set, spelling_, next);
      case Kind::kSequence:
        for (std::size_t i = node.parts.size(); i-- > 0;) next = Build(node.parts[i], next);
        return next;
      case Kind::kChoice: {
        std::vector<GrammarNodeId> choices;
        for (const PatternNode& part : node.parts) choices.push_back(Build(part, next));
        return json_->builder()->Fork(std::move(choices));
      }
      case Kind::kRepeat:
        return BuildRepeat(node, next);
      case Kind::kBegin:
      case Kind::kEnd:
        break;  // the outer alternatives have taken theirs off; there are no others
    }
    return next;
  }

 private:
  GrammarNodeId Repeat(const Builder::Count& count, const CodeSet& set, GrammarNodeId next) {
    // Plain text is any character but those below 0x20, quotes, backslashes and some more.
    static const CodeSet kPlain =
        Without(AllCharacters(),
                CodeSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}, {0x2028, 0x2029}, {0xFF5C, 0xFF5C}}));
    const bool text = set.ContainsAll(kPlain);
    return json_->builder()->Repeat(
        count, next, [&](GrammarNodeId again) { return json_->Character(set, spelling_, again); },
        {}, text);
  }

  GrammarNodeId BuildRepeat(const PatternNode& node, GrammarNodeId next) {
    const PatternNode& part = node.parts[0];
    if (node.min == 1 && node.max == 1) return Build(part, next);
    if (node.min == 0 && node.max == 1) return json_->builder()->Optional(Build(part, next), next);
    if (part.kind == Kind::kSet) return Repeat({node.min, node.max}, part.set, next);
    return json_->builder()->Repeat({node.min, node.max}, next,
                                    [&](GrammarNodeId again) { return Build(part, again); });
  }

  const Spelling spelling_;
  JsonGrammar* json_;
};

// One of the outer alternatives, without its anchors.
struct Alternative {
  PatternNode tree;
  bool from_begin = false, to_end = false;
};

bool HasAnchor(const PatternNode& node) {
  return node.kind == Kind::kBegin || node.kind == Kind::kEnd ||
         std::ranges::any_of(node.parts, HasAnchor);
}

std::vector<Alternative> Alternatives(PatternNode tree) {
  std::vector<PatternNode> choices;
  if (tree.kind == Kind::kChoice)
    choices = std::move(tree.parts);
  else
    choices.push_back(std::move(tree));
  std::vector<Alternative> alternatives;
  for (PatternNode& choice : choices) {
    Alternative alternative;
    std::vector<PatternNode>& parts = choice.parts;
    while (!parts.empty() && parts.front().kind == Kind::kBegin) {
      alternative.from_begin = true;
      parts.erase(parts.begin());
    }
    while (!parts.empty() && parts.back().kind == Kind::kEnd) {
      alternative.to_end = true;
      parts.pop_back();
    }
    alternative.tree = std::move(choice);
    alternatives.push_back(std::move(alternative));
  }
  return alternatives;
}

// Narrows a pattern to the lengths where that is plain to see.
bool Narrow(const Builder::Count& length, Alternative* alternative) {
  if (length.min == 0 && length.max == kUnbounded) return true;
  if (!alternative->from_begin || !alternative->to_end) return false;
  std::vector<PatternNode>& parts = alternative->tree.parts;
  if (parts.size() == 1 && parts[0].kind == Kind::kRepeat && parts[0].parts[0].kind == Kind::kSet) {
    parts[0].min = std::max(parts[0].min, length.min);
    parts[0].max = std::min(parts[0].max, length.max);
    return parts[0].min <= parts[0].max;
  }
  const Builder::Count own = LengthOf(alternative->tree);
  return own.min >= length.min && own.max <= length.max;
}

}  // namespace

Result<GrammarNodeId> PatternText(std::string_view pattern, const std::string& where,
                                  const Builder::Count& length, Spelling spelling,
                                  GrammarNodeId next, JsonGrammar* json) {
  HADAL_ASSIGN_OR_RETURN(PatternNode tree, ParsePattern(pattern, where));
  PatternBuilder builder(spelling, json);
  std::vector<GrammarNodeId> choices;
  for (Alternative& alternative : Alternatives(std::move(tree))) {
    if (HasAnchor(alternative.tree))
      return UsageError(where, "an anchor within the pattern", "^ and $ at its ends only",
                        "move the anchor outwards");
    if (!Narrow(length, &alternative))
      return UsageError(where, "a pattern beside minLength or maxLength that do not follow from it",
                        "one of them", "write the lengths into the pattern, such as ^[a-z]{1,20}$");
    const GrammarNodeId end = alternative.to_end ? next : builder.Any(next);
    const GrammarNodeId begin = builder.Build(alternative.tree, end);
    choices.push_back(alternative.from_begin ? begin : builder.Any(begin));
  }
  return json->builder()->Fork(std::move(choices));
}

}  // namespace hadal
