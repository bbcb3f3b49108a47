#include "spec/sizes.h"

#include <limits>

namespace hadal {
namespace {

void AddSaturating(std::int64_t* sum, std::int64_t value) {
  if (__builtin_add_overflow(*sum, value, sum)) *sum = std::numeric_limits<std::int64_t>::max();
}

// Whether a planned tensor counts: integer tables do not, nor what is optional (copies, file
// extras) but for an untied head; of two forms of one matrix the joined one.
bool Counts(const ExpectedTensor& tensor, bool tied) {
  if (tensor.storage == Storage::kInteger) return false;
  if (tensor.role == Role::kHead) return !tied;
  if (tensor.need == Need::kOptional) return tensor.role == Role::kRouterBiasImage;
  return tensor.role != Role::kKB && tensor.role != Role::kVB;
}

bool IsExpert(Role role) {
  return role == Role::kExpertGate || role == Role::kExpertUp || role == Role::kExpertDown;
}

}  // namespace

ParameterCount CountParameters(const ModelSpec& spec, const TensorPlan& plan, bool tied) {
  ParameterCount count;
  for (const ExpectedTensor& tensor : plan.tensors()) {
    if (!Counts(tensor, tied)) continue;
    const std::int64_t values = tensor.values();
    if (tensor.draft) {
      AddSaturating(&count.draft, values);
      continue;
    }
    AddSaturating(&count.total, values);
    std::int64_t active = values;
    if (IsExpert(tensor.role))
      active = values / spec.mixture.experts * spec.mixture.experts_per_token;
    if (tensor.role == Role::kEngramTable) {
      AddSaturating(&count.engram, values);
      active = spec.engram.columns() * spec.engram.head_dim;
    }
    AddSaturating(&count.active, active);
  }
  return count;
}

}  // namespace hadal
