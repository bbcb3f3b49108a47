// --verify: a model is compared with its recorded checksums before it is used.
#pragma once

#include <string>

#include "hadal/status.h"

namespace hadal {

// `model` as the user says it. Writes the record where there is none yet, and says which of the two
// it did.
Status VerifyModel(const std::string& model);

}  // namespace hadal
