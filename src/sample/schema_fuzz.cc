// libFuzzer target of the schema compiler: whatever the text, it is refused with a place and a
// reason or becomes a grammar of which every beginning can go on, within bounds of time and memory.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "sample/grammar_walk.h"
#include "sample/schema_grammar.h"

namespace hadal {
namespace {

Result<std::shared_ptr<const Grammar>> CompileText(std::string_view text) {
  GrammarBuilder builder;
  JsonGrammar json(&builder);
  HADAL_ASSIGN_OR_RETURN(const MetadataDocument document, ParseSchema(text, "schema#"));
  SchemaGrammar schema(document.root(), "schema#", &json);
  HADAL_ASSIGN_OR_RETURN(const GrammarNodeId begin,
                         schema.Value(schema.Root(), GrammarBuilder::kReturn));
  HADAL_RETURN_IF_ERROR(schema.Finish());
  const GrammarRuleId root = builder.ReserveRule();
  builder.SetRule(root, begin);
  return builder.Finish(root, "schema#");
}

// Follows the text's own bytes as choices among what is allowed.
void Walk(const std::shared_ptr<const Grammar>& grammar, std::string_view choices) {
  GrammarWalk walk(grammar);
  GrammarWalk::State state = walk.start();
  for (const char choice : choices.substr(0, 200)) {
    std::vector<GrammarWalk::State> ways;
    for (std::size_t symbol = 0; symbol < grammar->symbol_of.size(); ++symbol) {
      const auto to = walk.StepClass(state, static_cast<std::uint16_t>(symbol));
      if (to != GrammarWalk::kDead) ways.push_back(to);
    }
    if (walk.overflowed() || walk.work() > 1'000'000) return;
    HADAL_CHECK(!ways.empty() || walk.CanEnd(state), "a beginning that leads nowhere");
    if (ways.empty()) return;
    state = ways[static_cast<unsigned char>(choice) % ways.size()];
    walk.Trim(&state);
  }
}

}  // namespace
}  // namespace hadal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto grammar = hadal::CompileText(text);
  if (!grammar.ok()) {
    HADAL_CHECK(grammar.status().where().starts_with("schema#"), "a refusal says where");
    return 0;
  }
  hadal::Walk(*grammar, text);
  return 0;
}
