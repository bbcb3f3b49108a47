// What is asked of a model and what comes back. Plain values; no tensor types.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hadal/export.h"
#include "hadal/sampling.h"
#include "hadal/status.h"

namespace hadal {

// Whether the model should reason before it answers. kDefault is what its own template does; a
// wish that the model cannot follow is an error, not a silence.
enum class ThinkMode : unsigned char { kDefault, kOff, kOn, kMax };

// A call of a tool, in an assistant's message.
struct ChatToolCall {
  std::string id = {};
  std::string name = {};
  std::string arguments = {};  // JSON text
  // The model left out closing brackets, and nothing else, and they were added (answers only).
  bool repaired = false;
};

struct ChatMessage {
  std::string role = {};  // "system", "user", "assistant", "tool"
  std::string text = {};
  std::string reasoning = {};                 // of an assistant's message
  std::vector<ChatToolCall> tool_calls = {};  // of an assistant's message
  std::string tool_call_id = {};              // of a tool's message: the call that it answers
  std::string name = {};                      // optional
};

// A conversation, which the model's prompt format turns into tokens.
struct Chat {
  std::vector<ChatMessage> messages = {};
  std::string tools = {};  // a JSON array of tool definitions; empty: none
  ThinkMode think = ThinkMode::kDefault;
  // How much to think, where the model takes an effort: "low", "high", ..., or a number as text.
  // Empty: its own, and with ThinkMode::kMax "max".
  std::string effort = {};
  // The last message, an assistant's, is the beginning of the answer: the model goes on with it.
  // What it says is not part of the answer. It may end anywhere, even inside of a character, whose
  // other bytes the answer then begins with: its last tokens are taken back where longer ones
  // begin like them, and chosen again together with what follows.
  bool continue_last = false;
};

// A text that the model continues as it stands, without a prompt format. Special tokens in it count
// as such; the begin-of-sequence token comes in front where the model adds one.
struct RawText {
  std::string text = {};
  bool heal = false;  // its last tokens may be taken back, as with Chat::continue_last
};

// What stands between two texts, for models that were trained to fill it in. Special tokens in them
// count as text. The last tokens of `before` may be taken back, as with Chat::continue_last.
struct FillIn {
  std::string before = {}, after = {};
};

// Token ids, taken as they are. The only form that works without a tokenizer.
struct TokenIds {
  std::vector<std::int32_t> ids = {};
};

// What the text of an answer must be. Enforced while tokens are chosen: a token that leads nowhere
// is never drawn, and the model can end only where the text is whole. Reasoning is free.
// docs/structured-output.md says which schemas are understood; others fail with kUsage and a place
// that begins with "schema#", then the JSON pointer of what is wrong.
enum class AnswerForm : unsigned char {
  kFree,
  kJson,    // one JSON object
  kSchema,  // one JSON value that `schema` accepts
};

// Whether the answer calls tools. Calls that are forced follow the parameters' schema of their
// tool; so do, wherever they are called, those of tools that say "strict": true.
struct ToolChoice {
  enum class Kind : unsigned char {
    kAuto,      // the model decides
    kNone,      // none; the prompt lists the tools all the same
    kRequired,  // at least one call
    kNamed,     // a call of the tool `name`
  };
  Kind kind = Kind::kAuto;
  std::string name = {};
  bool parallel = true;  // false: at most one call
};

struct GenerateRequest {
  std::variant<Chat, RawText, TokenIds, FillIn> prompt = {};
  SamplingOptions sampling = {};
  std::int64_t max_tokens = 0;                 // 0: until the model ends or the context is full
  std::vector<std::string> stops = {};         // end the answer, and are not part of it
  std::vector<std::int32_t> stop_tokens = {};  // beside those of the model
  bool ignore_end = false;                     // goes on where the model would end
  // With sampling.log_probabilities: also those of the prompt's tokens, from the second on. The
  // prompt is then read a token a step.
  bool prompt_log_probabilities = false;

  // Who asks and how urgent it is; no token depends on these three. Tenants share the machine
  // evenly, whatever number of requests each has; a higher priority goes first. Known prefixes are
  // shared by requests of one cache space, and never between two.
  std::string tenant = {};
  std::int32_t priority = 0;
  std::string cache_space = {};
  // Most time from the request to its first token, and to its end; 0: no bound. Over it the request
  // fails with kDeadline before its next step.
  double first_token_seconds = 0.0, total_seconds = 0.0;

  AnswerForm form = AnswerForm::kFree;
  std::string schema = {};      // kSchema: JSON Schema, as text
  ToolChoice tool_choice = {};  // of a Chat with tools
  // The most tokens to reason; then the reasoning is closed and the answer begins. -1: no bound.
  std::int64_t reasoning_tokens = -1;
  // The answer to a Chat is text or a call, and not reasoning alone: the end counts only behind
  // some of it, and reasoning is closed where the model would end in it, or where max_tokens would
  // leave no room for an answer. A bound on reasoning brings this with it. Not where the beginning
  // of its text is given: there the model may have nothing to add.
  bool must_answer = false;
};

enum class FinishReason : unsigned char {
  kStop,       // the model ended, or a stop string was met
  kLength,     // max_tokens, or the context is full
  kToolCalls,  // the model ended after calling tools
  kCancelled,
};
HADAL_API std::string_view Name(FinishReason reason);  // "stop", "length", ...

struct Usage {
  std::int64_t prompt_tokens = 0;  // as Engine::Tokenize says it
  std::int64_t cached_tokens = 0;  // of the prompt: already known from the turn before
  // Of the prompt: known from the turn before, but computed again because a layer's window had been
  // forgotten (generations with windows, where a conversation goes back).
  std::int64_t replayed_tokens = 0;
  std::int64_t generated_tokens = 0;       // the ending token included
  std::int64_t reasoning_tokens = 0;       // of those: reasoning, its closing tag included
  std::int64_t draft_tokens = 0;           // guesses that steps of the model checked
  std::int64_t accepted_draft_tokens = 0;  // those that were what the model chose
};

struct Timings {
  double prefill_seconds = 0;     // from the request to its first token
  double decode_seconds = 0;      // from the first token to the last
  double plain_step_seconds = 0;  // mean of the steps after the first token that had no guesses
  // Tokens after the first one per second; 0 where there was none.
  double DecodeTokensPerSecond(const Usage& usage) const {
    const auto steps = static_cast<double>(usage.generated_tokens - 1);
    return decode_seconds > 0 && steps > 0 ? steps / decode_seconds : 0.0;
  }
  // How many times as fast the answer came as with plain steps alone; 0 where there were none.
  double DraftSpeedUp(const Usage& usage) const {
    return DecodeTokensPerSecond(usage) * plain_step_seconds;
  }
};

// A piece of an answer. A token often brings text of several kinds, or none yet.
struct GenerateEvent {
  enum class Kind : unsigned char { kPrefill, kPrompt, kToken, kEnd, kFailed };
  Kind kind = Kind::kToken;

  // kPrefill: how far the prompt is; `usage` says already what of it was known.
  std::int64_t prompt_done = 0, prompt_total = 0;

  // kPrompt: a token of the prompt, with its log-probabilities but for the first (only where
  // GenerateRequest::prompt_log_probabilities asks for them).
  // kToken: the token, and what became certain with it. kEnd: the rest.
  std::int32_t token = -1;
  std::string text = {};       // complete characters only
  std::string reasoning = {};  // the same
  struct ToolCallPiece {
    int call = 0;                // counted from 0
    std::string name, id;        // in the first piece of a call
    std::string arguments = {};  // the next piece of the JSON text
    bool repaired = false;       // with the last piece (ChatToolCall)
  };
  std::vector<ToolCallPiece> tool_calls = {};
  std::optional<float> log_probability = {};                    // where it was asked for
  std::vector<TokenLogProbability> top_log_probabilities = {};  // likewise

  // kEnd.
  FinishReason finish_reason = FinishReason::kStop;
  std::string stop = {};  // the stop string that ended the answer; empty: none did
  Usage usage = {};
  Timings timings = {};

  // kFailed, the last event as kEnd is: why the answer ends here. `usage` and `timings` are there.
  Status failure = {};
};

// Sees every event; the last one is kEnd or kFailed. False ends the answer, whose last event still
// comes. Called by Session::Generate on the thread of its caller, by Engine::Start on the engine's
// own.
using GenerateSink = std::function<bool(const GenerateEvent& event)>;

// The whole answer: all events joined.
struct GenerateResult {
  std::string text = {};
  std::optional<std::string> reasoning = {};  // nothing where the model did not reason
  std::vector<ChatToolCall> tool_calls = {};
  // Every token chosen, the ending one included; without those that hold nothing but what was taken
  // back of the prompt.
  std::vector<std::int32_t> ids = {};
  struct LogProbability {
    float log_probability = 0.0f;
    std::vector<TokenLogProbability> top = {};
  };
  std::vector<LogProbability> log_probabilities = {};  // beside ids, where they were asked for
  FinishReason finish_reason = FinishReason::kStop;
  std::string stop = {};  // the stop string that ended the answer; empty: none did
  Usage usage = {};
  Timings timings = {};

  HADAL_API void Add(const GenerateEvent& event);
};

}  // namespace hadal
