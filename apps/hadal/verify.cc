#include "verify.h"

#include "base/status.h"
#include "engine/model_folder.h"
#include "eval/check_weights.h"
#include "report.h"

namespace hadal {

Status VerifyModel(const std::string& model) {
  HADAL_ASSIGN_OR_RETURN(const std::string path, FindModel(model));
  HADAL_ASSIGN_OR_RETURN(const CheckWeightsReport report,
                         CheckWeights(path, ChecksumRecord(HadalHome(), path), false));
  if (report.ok()) Say("hadal: " + report.ToText());
  return report.ToStatus();
}

}  // namespace hadal
