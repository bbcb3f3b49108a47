// EngineCounters: what an engine has done and holds, for metrics and for a live view. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hadal {

struct EngineCounters {
  // Now. A request waits until it has had its first place in a step.
  std::int64_t waiting = 0, running = 0;
  std::int64_t waiting_tokens = 0;  // of the prompts of those that wait
  struct Tenant {
    std::string tenant = {};
    std::int64_t waiting = 0, running = 0;
  };
  std::vector<Tenant> tenants = {};  // that have requests
  double step_running_seconds = 0;   // since the step in progress began; 0: none is

  // Since the engine was opened.
  std::uint64_t steps = 0;
  double step_seconds = 0;                                   // of all steps together
  std::int64_t accepted_requests = 0, refused_requests = 0;  // refused: the queue was full
  // Accepted ones that are over: by themselves, given up, too late, with a failure. Of the last
  // kind, `nan_logits` had logits that are no numbers.
  std::int64_t ended = 0, cancelled = 0, late = 0, failed = 0, nan_logits = 0;
  // Prompt tokens of requests that have begun: all = computed + cached once they are read; of those
  // computed, `replayed` were known but for a window. `recomputed_tokens` come on top, of prompts
  // and answers that a preemption threw away.
  std::int64_t prompt_tokens = 0, prompt_tokens_computed = 0, prompt_tokens_cached = 0,
               prompt_tokens_replayed = 0, recomputed_tokens = 0;
  std::int64_t generated_tokens = 0, draft_tokens = 0, accepted_draft_tokens = 0;
  std::int64_t preemptions = 0;    // pages given back, started again from tokens
  std::int64_t set_aside = 0;      // places lost to another tenant or a higher priority
  std::int64_t out_of_memory = 0;  // steps that found no memory and were tried again

  // Memory of timelines, known prefixes included. Budget 0: no bound.
  std::uint64_t cache_used_bytes = 0, cache_allocated_bytes = 0, cache_budget_bytes = 0;

  // Known prefixes.
  struct Prefixes {
    std::uint64_t held_bytes = 0, budget_bytes = 0;
    std::int64_t held = 0, inserted = 0, evicted = 0;
    std::int64_t lookups = 0, hits = 0, asked_tokens = 0, hit_tokens = 0;
    struct Disk {
      std::int64_t files = 0;
      std::uint64_t quota_bytes = 0, bytes = 0;  // of the files
      std::int64_t loaded = 0, stored = 0;
      std::uint64_t written_bytes = 0, read_bytes = 0;
      // Dropped because they were damaged; not written for want of room or budget; that failed.
      std::int64_t broken = 0, refused = 0, failed_writes = 0;
    } disk = {};
    // Why a lookup found no more than it did: reason and count ("new_tokens", "evicted", ...).
    std::vector<std::pair<std::string, std::int64_t>> reasons = {};
  } prefixes = {};

  // Mixtures only, and only after Engine::CountExperts(true): [layer][expert] rows routed to it;
  // empty for layers without experts.
  std::vector<std::vector<std::int64_t>> expert_rows = {};
};

}  // namespace hadal
