#include "sched/schedule.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/check.h"
#include "sched/admission.h"
#include "sched/share.h"

namespace hadal {
namespace {

// The plan while it is made: what each request holds and gets, and which pages are free.
class Planner {
 public:
  Planner(const QueueState& state, const Budget& budget) : state_(state), budget_(budget) {
    free_pages_ = budget.pages - state.kept_pages;
    kept_pages_ = state.kept_pages;
    for (const QueueEntry& entry : state.entries) {
      shares_.push_back({&entry, entry.cached_tokens, entry.admitted});
      free_pages_ -= PagesOf(entry.cached_tokens, budget);
    }
    std::sort(shares_.begin(), shares_.end(), [&budget](const Share& a, const Share& b) {
      return StandsBefore(*a.entry, *b.entry, budget);
    });
    idle_ = state.idle;
    std::sort(idle_.begin(), idle_.end(), [](const IdleSequence& a, const IdleSequence& b) {
      return a.used_step != b.used_step ? a.used_step < b.used_step : a.sequence < b.sequence;
    });
    for (const IdleSequence& idle : idle_) free_pages_ -= PagesOf(idle.cached_tokens, budget);
  }

  StepPlan Make() {
    Admit();
    ShareRows();
    for (std::size_t i = 0; i < shares_.size(); ++i) TakePages(i);
    ShareDraftRows();
    for (const Share& share : shares_) {
      if (share.rows == 0) continue;
      plan_.rows.push_back(
          {share.entry->id, share.rows, share.rows == share.pending(), share.draft_rows});
    }
    std::sort(plan_.rows.begin(), plan_.rows.end(),
              [](const PlannedRows& a, const PlannedRows& b) { return a.id < b.id; });
    return std::move(plan_);
  }

 private:
  // Pending rows up to the next place where a snapshot is wanted.
  std::int64_t Reach(const Share& share) const {
    const std::int64_t end = share.cached + share.pending();
    std::int64_t reach = end;
    if (budget_.snapshot_alignment > 0) {
      const std::int64_t last = end - end % budget_.snapshot_alignment;
      const std::int64_t stretch =
          (share.cached / budget_.snapshot_tokens + 1) * budget_.snapshot_tokens;
      if (last > share.cached) reach = std::min(last, stretch);
    }
    if (share.entry->snapshot_at > share.cached) reach = std::min(reach, share.entry->snapshot_at);
    return reach - share.cached;
  }
  std::int64_t NewPages(const Share& share, std::int64_t rows) const {
    return PagesOf(share.cached + rows, budget_) - PagesOf(share.cached, budget_);
  }

  void EvictFor(std::int64_t pages) {
    const std::int64_t release =
        std::min(kept_pages_, std::max<std::int64_t>(pages - free_pages_, 0));
    plan_.release += release;
    kept_pages_ -= release;
    free_pages_ += release;
    while (free_pages_ < pages && !idle_.empty()) {
      plan_.evict.push_back(idle_.front().sequence);
      free_pages_ += PagesOf(idle_.front().cached_tokens, budget_);
      idle_.erase(idle_.begin());
    }
  }

  void TakeFrom(Share* share) {
    plan_.preempt.push_back(share->entry->id);
    free_pages_ += PagesOf(share->cached, budget_);
    std::erase(plan_.admit, share->entry->id);
    std::erase(plan_.aside, share->entry->id);
    *share = {share->entry, 0, false, true};
  }
  // Takes pages from requests that stand behind number `index`, the last first. For one in place
  // also from others in place, and at last from those in front that only wait.
  void PreemptFor(std::int64_t pages, std::size_t index, bool in_place) {
    for (std::size_t i = shares_.size(); i-- > index + 1 && free_pages_ < pages;)
      if (shares_[i].cached > 0 && (in_place || !shares_[i].admitted)) TakeFrom(&shares_[i]);
    for (std::size_t i = in_place ? index : 0; i-- > 0 && free_pages_ < pages;)
      if (shares_[i].cached > 0 && !shares_[i].admitted) TakeFrom(&shares_[i]);
  }

  // Without overtaking: the first that does not fit ends it.
  void Admit() {
    Admission admission(state_, budget_, &shares_);
    std::int64_t promised_pages = 0;  // to those in place
    for (const Share& share : shares_)
      if (share.admitted) promised_pages += NewPages(share, share.pending());
    while (!state_.hold || admission.running() == 0) {
      const bool full = admission.running() >= budget_.requests;
      Share* next = admission.Next(!full);
      Share* aside = next != nullptr && full ? admission.Aside(*next) : nullptr;
      if (next == nullptr || (full && aside == nullptr)) return;
      const std::int64_t needed = NewPages(*next, next->pending()) + promised_pages;
      const auto index = static_cast<std::size_t>(next - shares_.data());
      EvictFor(needed);
      PreemptFor(needed, index, false);
      if (free_pages_ < needed) return;
      promised_pages = needed;
      if (aside != nullptr) {
        promised_pages -= NewPages(*aside, aside->pending());
        admission.Leave(aside);
        plan_.aside.push_back(aside->entry->id);
      }
      admission.Admit(next);
      plan_.admit.push_back(next->entry->id);
    }
  }

  // One row for everyone in place, who was served longest ago first; then the rest.
  void ShareRows() {
    std::vector<Share*> order;
    bool decoding = false;
    for (Share& share : shares_) {
      if (!share.admitted) continue;
      order.push_back(&share);
      decoding |= share.cached > 0 && share.pending() == 1;
    }
    std::stable_sort(order.begin(), order.end(), [](const Share* a, const Share* b) {
      return a->entry->served_step < b->entry->served_step;
    });
    left_rows_ = decoding ? budget_.mixed_rows : budget_.step_rows;
    for (Share* share : order) {
      if (left_rows_ == 0) return;
      share->rows = 1;
      --left_rows_;
    }
    std::map<std::int32_t, std::vector<Share*>, std::greater<>> levels;
    for (Share* share : order)
      if (share->rows < Reach(*share)) levels[share->entry->priority].push_back(share);
    // Twice: what a level leaves is for the others.
    for (int round = 0; round < 2; ++round) {
      for (auto level = levels.begin(); level != levels.end(); ++level) {
        const bool lowest = std::next(level) == levels.end();
        const std::int64_t part = round > 0 || lowest ? left_rows_ : left_rows_ - left_rows_ / 4;
        left_rows_ -= part - ShareAmongTenants(level->second, part);
      }
    }
  }

  // Even parts for tenants, who had least first, and within one for its requests. Returns the rest.
  std::int64_t ShareAmongTenants(const std::vector<Share*>& shares, std::int64_t rows) {
    struct Group {
      std::int64_t had = 0;
      std::vector<Share*> shares;
    };
    std::map<std::uint64_t, Group> by_tenant;
    for (Share* share : shares) by_tenant[share->entry->tenant].shares.push_back(share);
    std::vector<Group> groups;
    for (auto& [tenant, group] : by_tenant) {
      group.had = state_.tenants.at(tenant).rows;
      groups.push_back(std::move(group));
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& a, const Group& b) { return a.had < b.had; });
    const auto give = [this](Share* share, std::int64_t most) {
      const std::int64_t more = std::min(most, Reach(*share) - share->rows);
      share->rows += more;
      return more;
    };
    return Spread(groups, rows, [&give](const Group& group, std::int64_t most) {
      return most - Spread(group.shares, most, give);
    });
  }

  // Finds pages for the rows of number `index`, or gives it as many rows as fit.
  void TakePages(std::size_t index) {
    Share& share = shares_[index];
    if (share.rows == 0) return;
    const std::int64_t needed = NewPages(share, share.rows);
    EvictFor(needed);
    PreemptFor(needed, index, true);
    if (free_pages_ < needed) {
      const std::int64_t pages =
          PagesOf(share.cached, budget_) + free_pages_ - budget_.sequence_pages;
      share.rows =
          std::clamp<std::int64_t>(pages * budget_.page_tokens - share.cached, 0, share.rows);
    }
    free_pages_ -= NewPages(share, share.rows);
  }

  // Rows for guesses from what is left, one by one in turn.
  void ShareDraftRows() {
    const auto wants = [this](const Share& share) {
      const std::int64_t most = std::min(share.entry->draft_tokens, share.entry->left_tokens - 1);
      return share.rows > 0 && share.rows == share.pending() && share.draft_rows < most &&
             NewPages(share, share.rows + share.draft_rows + 1) -
                     NewPages(share, share.rows + share.draft_rows) <=
                 free_pages_;
    };
    for (bool given = true; given;) {
      given = false;
      for (Share& share : shares_) {
        if (left_rows_ == 0 || !wants(share)) continue;
        const std::int64_t rows = share.rows + share.draft_rows;
        free_pages_ -= NewPages(share, rows + 1) - NewPages(share, rows);
        ++share.draft_rows;
        --left_rows_;
        given = true;
      }
    }
  }

  const QueueState& state_;
  const Budget& budget_;
  std::vector<Share> shares_;  // in the order of StandsBefore
  std::vector<IdleSequence> idle_;
  std::int64_t free_pages_ = 0, kept_pages_ = 0, left_rows_ = 0;
  StepPlan plan_;
};

}  // namespace

std::int64_t PagesOf(std::int64_t tokens, const Budget& budget) {
  if (tokens == 0) return 0;
  return budget.sequence_pages + (tokens + budget.page_tokens - 1) / budget.page_tokens;
}

bool CanEverFit(std::int64_t total_tokens, const Budget& budget) {
  return PagesOf(total_tokens, budget) <= budget.pages;
}

StepPlan Schedule(const QueueState& state, const Budget& budget) {
  HADAL_CHECK(budget.requests <= std::min(budget.mixed_rows, budget.step_rows),
              "every admitted request needs a row in every step");
  return Planner(state, budget).Make();
}

}  // namespace hadal
