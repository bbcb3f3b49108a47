#include "sched/admission.h"

namespace hadal {

Admission::Admission(const QueueState& state, const Budget& budget, std::vector<Share>* shares)
    : state_(state),
      budget_(budget),
      shares_(*shares),
      admitted_step_(state.admitted_step),
      admissions_(state.admissions) {
  for (const auto& [tenant, account] : state.tenants)
    tenants_[tenant].admission = account.last_admission;
  for (const Share& share : shares_) {
    if (!share.admitted) continue;
    ++running_;
    ++tenants_[share.entry->tenant].running;
  }
}

bool Admission::WaitsIn(const Share& share, std::int32_t priority) const {
  return !share.admitted && !share.out && !share.entry->blocked &&
         share.entry->priority == priority;
}

std::int32_t Admission::PriorityOfNext(bool let_low_ones_in) const {
  // Since when each priority that has somebody waiting has waited.
  std::map<std::int32_t, std::uint64_t> since;
  for (const Share& share : shares_) {
    if (!WaitsIn(share, share.entry->priority)) continue;
    const auto [at, first] = since.emplace(share.entry->priority, share.entry->arrived_step);
    if (!first) at->second = std::min(at->second, share.entry->arrived_step);
  }
  std::int32_t next = since.empty() ? 0 : since.rbegin()->first;
  if (!let_low_ones_in) return next;
  auto longest = static_cast<std::uint64_t>(budget_.aging_steps);
  for (auto& [priority, step] : since) {
    const auto last = admitted_step_.find(priority);
    if (last != admitted_step_.end()) step = std::max(step, last->second);
    if (state_.step - std::min(step, state_.step) < longest) continue;
    longest = state_.step - step + 1;
    next = priority;
  }
  return next;
}

Share* Admission::Next(bool let_low_ones_in) const {
  if (running_ == 0) {  // it may have every page that others only keep
    for (Share& share : shares_)
      if (!share.out && !share.entry->blocked) return &share;
    return nullptr;
  }
  const std::int32_t priority = PriorityOfNext(let_low_ones_in);
  Share* next = nullptr;
  for (Share& share : shares_) {
    if (!WaitsIn(share, priority)) continue;
    if (next == nullptr) {
      next = &share;
      continue;
    }
    // Of one priority the order of shares_ is that of arrival.
    if (share.entry->tenant == next->entry->tenant) continue;
    const Tenant &mine = tenants_.at(share.entry->tenant), &its = tenants_.at(next->entry->tenant);
    if (mine.running != its.running ? mine.running < its.running : mine.admission < its.admission)
      next = &share;
  }
  return next;
}

Share* Admission::Aside(const Share& next) const {
  const std::int64_t own = tenants_.at(next.entry->tenant).running;
  Share* aside = nullptr;
  std::int64_t most = 0;
  for (auto at = shares_.rbegin(); at != shares_.rend(); ++at) {
    Share& share = *at;
    // Neither one of this very plan, nor the first of all: that would lose its claim to an end.
    if (!share.admitted || !share.entry->admitted || &share == &shares_.front()) continue;
    if (share.entry->priority < next.entry->priority &&
        StandsBefore(*next.entry, *share.entry, budget_))
      return &share;
    const std::int64_t running = tenants_.at(share.entry->tenant).running;
    if (share.entry->priority > next.entry->priority || running - 1 < own + 1 || running <= most)
      continue;
    aside = &share;
    most = running;
  }
  return aside;
}

void Admission::Admit(Share* share) {
  share->admitted = true;
  ++running_;
  Tenant& tenant = tenants_[share->entry->tenant];
  ++tenant.running;
  tenant.admission = ++admissions_;
  admitted_step_[share->entry->priority] = state_.step;
}

void Admission::Leave(Share* share) {
  share->admitted = false;
  share->out = true;
  --running_;
  --tenants_[share->entry->tenant].running;
}

}  // namespace hadal
