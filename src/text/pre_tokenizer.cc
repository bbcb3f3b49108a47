#include "text/pre_tokenizer.h"

#include <algorithm>

#include "text/utf8.h"

namespace hadal {
namespace {

// Applies a behaviour to the parts of one piece. `matches` lie in the piece, in order.
// Empty parts take part in the merging and are dropped afterwards, as the reference library does.
class Merger {
 public:
  Merger(SplitBehavior behavior, bool invert, std::vector<TextSpan>* out)
      : behavior_(behavior), invert_(invert), out_(out) {}

  void Run(std::size_t offset, std::size_t size, const std::vector<TextSpan>& matches) {
    if (matches.empty() && !invert_) return out_->push_back({offset, offset + size});
    parts_.clear();
    std::size_t at = 0;
    for (const TextSpan& match : matches) {
      if (match.begin > at) parts_.push_back({{at, match.begin}, invert_});
      parts_.push_back({match, !invert_});
      at = match.end;
    }
    if (at < size) parts_.push_back({{at, size}, invert_});
    Merge();
    for (const Part& part : parts_)
      if (part.span.size() > 0 && !(behavior_ == SplitBehavior::kRemoved && part.is_match))
        out_->push_back({offset + part.span.begin, offset + part.span.end});
  }

 private:
  struct Part {
    TextSpan span;
    bool is_match;
  };

  void Merge() {
    if (behavior_ == SplitBehavior::kIsolated || behavior_ == SplitBehavior::kRemoved) return;
    const bool backwards = behavior_ == SplitBehavior::kMergedWithNext;
    if (backwards) std::reverse(parts_.begin(), parts_.end());
    std::vector<Part> merged;
    bool previous = false;  // was the part before a match?
    for (const Part& part : parts_) {
      const bool join = behavior_ == SplitBehavior::kContiguous
                            ? !merged.empty() && part.is_match == previous
                            : !merged.empty() && part.is_match && !previous;
      if (!join)
        merged.push_back(part);
      else if (backwards)
        merged.back().span.begin = part.span.begin;
      else
        merged.back().span.end = part.span.end;
      previous = part.is_match;
    }
    if (backwards) std::reverse(merged.begin(), merged.end());
    parts_ = std::move(merged);
  }

  SplitBehavior behavior_;
  bool invert_;
  std::vector<TextSpan>* out_;
  std::vector<Part> parts_;
};

// Steps over `count` characters of valid UTF-8.
std::size_t Skip(std::string_view text, std::size_t at, std::size_t count) {
  for (; count > 0; --count) {
    const unsigned char first = static_cast<unsigned char>(text[at]);
    at += first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  }
  return at;
}

// From places in symbols to parts of the text.
void AppendTexts(std::string_view text, std::size_t symbol_count,
                 const std::vector<TextSpan>& spans, std::vector<std::string_view>* pieces) {
  pieces->reserve(pieces->size() + spans.size());
  const bool ascii = text.size() == symbol_count;
  std::size_t symbol = 0, byte = 0;
  for (const TextSpan& span : spans) {
    const std::size_t begin = ascii ? span.begin : Skip(text, byte, span.begin - symbol);
    byte = ascii ? span.end : Skip(text, begin, span.size());
    symbol = span.end;
    pieces->push_back(text.substr(begin, byte - begin));
  }
}

// Puts a space in front of each piece that has none; the text then holds the pieces only.
void PrefixSpaces(std::string* text, std::size_t symbol_count, std::vector<TextSpan>* spans) {
  std::vector<std::string_view> pieces;
  AppendTexts(*text, symbol_count, *spans, &pieces);
  std::string changed;
  std::size_t at = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool missing = !pieces[i].starts_with(' ');
    const std::size_t size = (*spans)[i].size() + (missing ? 1 : 0);
    if (missing) changed += ' ';
    changed += pieces[i];
    (*spans)[i] = {at, at + size};
    at += size;
  }
  *text = std::move(changed);
}

}  // namespace

Result<PreTokenizer> PreTokenizer::FromSteps(std::vector<SplitStep> steps,
                                             const std::string& where) {
  std::vector<CodeSet> sets;
  for (const SplitStep& step : steps)
    sets.insert(sets.end(), step.pattern.sets.begin(), step.pattern.sets.end());
  HADAL_ASSIGN_OR_RETURN(CodeAlphabet alphabet, CodeAlphabet::Make(sets, where));
  PreTokenizer result;
  std::size_t first_set = 0;
  for (const SplitStep& step : steps) {
    HADAL_ASSIGN_OR_RETURN(SplitPattern pattern,
                           SplitPattern::Compile(step.pattern, alphabet, first_set, where));
    result.steps_.push_back({std::move(pattern), step.behavior, step.invert, step.prefix_space});
    first_set += step.pattern.sets.size();
  }
  result.alphabet_ = std::make_shared<const CodeAlphabet>(std::move(alphabet));
  return result;
}

Result<PreTokenizer> PreTokenizer::FromName(std::string_view name, const std::string& where) {
  const NamedPreTokenizer* entry = FindPreTokenizer(name);
  if (entry == nullptr) {
    std::string known;
    for (const NamedPreTokenizer& candidate : NamedPreTokenizers())
      known += (known.empty() ? "" : ", ") + std::string(candidate.names[0]);
    return Unsupported(where, "the pre-tokenizer \"" + std::string(name.substr(0, 60)) + "\"",
                       "one of " + known,
                       "a wrong one would give wrong tokens unseen; the model's own tokenizer.json "
                       "can be used instead");
  }
  std::vector<SplitStep> steps;
  for (const std::string_view pattern : entry->patterns) {
    HADAL_ASSIGN_OR_RETURN(RegexTree tree, ParseRegex(pattern, where));
    steps.push_back({.pattern = std::move(tree)});
  }
  return FromSteps(std::move(steps), where);
}

Status PreTokenizer::Split(std::string_view text, MatchScratch* scratch, std::string* changed,
                           std::vector<std::string_view>* pieces) const {
  std::string symbols;
  alphabet_->Translate(text, &symbols);
  std::vector<TextSpan> spans, next, matches;
  if (!symbols.empty()) spans.push_back({0, symbols.size()});
  for (const Step& step : steps_) {
    if (step.prefix_space) {
      if (text.data() != changed->data()) changed->assign(text);
      PrefixSpaces(changed, symbols.size(), &spans);
      text = *changed;
      alphabet_->Translate(text, &symbols);
      continue;
    }
    next.clear();
    Merger merger(step.behavior, step.invert, &next);
    for (const TextSpan& span : spans) {
      matches.clear();
      HADAL_RETURN_IF_ERROR(step.pattern.FindAll(
          std::string_view(symbols).substr(span.begin, span.size()), scratch, &matches));
      merger.Run(span.begin, span.size(), matches);
    }
    std::swap(spans, next);
  }
  AppendTexts(text, symbols.size(), spans, pieces);
  return {};
}

}  // namespace hadal
