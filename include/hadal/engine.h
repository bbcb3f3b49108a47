// Engine and Session: the front door of the library.
//
//   auto engine = hadal::Engine::Open({.model = "smollm2-135m-instruct"});
//   if (!engine) { report(engine.status().ToString()); }
//   hadal::Session session(*engine);
//   hadal::GenerateRequest request;
//   request.prompt = hadal::Chat{{{"user", "What is a trench?"}}};
//   auto answer = session.Generate(request, [](const hadal::GenerateEvent& event) {
//     std::cout << event.text << std::flush;
//     return true;
//   });
//
// The library neither prints nor exits, and throws nothing of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hadal/counters.h"
#include "hadal/export.h"
#include "hadal/generate.h"
#include "hadal/status.h"

namespace hadal {

struct EngineOptions {
  // A directory with config.json, a .gguf file, or a name in the model folder ($HADAL_HOME, else
  // ~/.local/share/hadal). Empty: the default model.
  std::string model = {};
  std::string profile = "fast";  // "float": as precise as the stored weights; "fast": the default
  std::string isa = {};          // an instruction set level by name; empty: the best there is
  int threads = 0;               // 0: every core that the process may use
  std::int64_t context_tokens = 0;       // most tokens of one timeline; 0: what the model promises
  std::uint64_t cache_budget_bytes = 0;  // of all timelines together; 0: no bound
  std::int64_t step_tokens = 512;        // most prompt tokens computed at once
  std::string prompt_format = {};        // by name; empty: the model's own
  // Guessing tokens ahead changes how fast an answer comes and never its tokens. "none"; "ngram":
  // from the text itself; "model": by the checkpoint's own draft layers.
  std::string draft = "none";
  std::int64_t draft_tokens = 4;  // most guesses of a step, 1 to 16
  // What may wait for its first step: requests, and tokens of their prompts together; 0: no bound.
  // What comes on top is refused with kBusy.
  std::int64_t queue_requests = 0, queue_tokens = 0;
  // Answers of Engine::Start leave what they computed for requests that begin in the same way, up
  // to so many bytes of what timelines hold (beside or within cache_budget_bytes); 0: nothing.
  std::uint64_t prefix_cache_bytes = 0;
  // And in files of this folder, so that they survive a restart: made where it is absent, for one
  // model and profile (files of others are deleted). Files never exceed prefix_disk_bytes. Empty:
  // none.
  std::string prefix_disk_folder = {};
  std::uint64_t prefix_disk_bytes = 0;
};

struct EngineInfo {
  std::string path = {};          // of the checkpoint
  std::string architecture = {};  // as the checkpoint says it
  std::string profile, isa;       // in force
  int threads = 0;
  std::int64_t vocabulary = 0;
  std::int64_t context_tokens = 0;
  bool has_tokenizer = false;
  std::string prompt_format = {};    // empty: none is known for this model
  std::string draft = {};            // in force
  SamplingOptions recommended = {};  // what the checkpoint recommends, else the defaults
  // Memory of a timeline: so much for every token, and beside that so much for having any.
  std::uint64_t cache_bytes_per_token = 0, cache_bytes_per_session = 0;
};

struct AnswerControl;  // the library's own

// One answer on its way, of Engine::Start. Any thread may call any function. It does not keep the
// engine: closing that ends the answer as cancelled.
class HADAL_API Answer {
 public:
  ~Answer();  // cancels
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  // Ends the answer before its next token, also while it waits or its prompt is read; its last
  // event is still to come. Safe in a signal handler.
  void Cancel() noexcept;
  // Closes the reasoning before the next token, or as soon as it begins, and the answer goes on
  // with its text; nothing where it does not reason, or was not asked for with must_answer or a
  // bound on reasoning.
  void EndReasoning() noexcept;

  std::int64_t prompt_tokens() const { return prompt_tokens_; }

  Answer(std::shared_ptr<AnswerControl> control, std::int64_t prompt_tokens)
      : control_(std::move(control)), prompt_tokens_(prompt_tokens) {}

 private:
  std::shared_ptr<AnswerControl> control_;
  std::int64_t prompt_tokens_;
};

// A loaded model, shared by its sessions; any thread may call any function. Answers that are made
// at the same time share the steps of the model; their tokens do not depend on each other.
class HADAL_API Engine {
 public:
  static Result<std::shared_ptr<Engine>> Open(const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const EngineInfo& info() const;

  // The ids that a prompt becomes. Fails where the model has no tokenizer, or no prompt format for
  // a chat.
  Result<std::vector<std::int32_t>> Tokenize(const GenerateRequest& request) const;
  // The text of ids, special tokens included.
  Result<std::string> Detokenize(const std::vector<std::int32_t>& ids) const;

  // Begins an answer on a timeline of its own and returns at once; `sink` gets the events on the
  // engine's thread, where every other answer waits for it: it must hand them on and not block.
  // Fails like Session::Generate where the request is wrong or too large, and with kBusy where too
  // much waits already (EngineOptions); once this has succeeded,
  // exactly one kEnd or kFailed comes. The prompt becomes tokens on the calling thread. The sink is
  // gone after the last event and must not keep the engine; destroying the answer does not wait for
  // it.
  Result<std::shared_ptr<Answer>> Start(const GenerateRequest& request, GenerateSink sink);

  // What it has done and holds, as of its last step.
  EngineCounters counters() const;
  // Whether the counters tell the rows of each expert (mixtures); off at first.
  void CountExperts(bool on);

  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);  // the library's own business
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// One timeline: keeps what the model remembers of the last request, so that the next one computes
// only what is new. One Generate at a time; Cancel may be called from anywhere.
class HADAL_API Session {
 public:
  explicit Session(std::shared_ptr<Engine> engine);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Answers one request; returns when the answer is complete. With a sink, every piece goes there
  // as it comes, on this thread. kUsage before any work where the prompt and max_tokens do not fit
  // the context: nothing is ever cut off silently.
  Result<GenerateResult> Generate(const GenerateRequest& request, const GenerateSink& sink = {});

  // Ends the answer in progress, or the next one if there is none, at its next token. Safe in a
  // signal handler.
  void Cancel() noexcept;

  // Forgets the timeline and gives its memory back.
  void Reset();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The folder that holds models by name: $HADAL_HOME/models, else ~/.local/share/hadal/models.
HADAL_API std::string ModelFolder();

}  // namespace hadal
