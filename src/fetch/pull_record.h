// The record of a pull in a model's folder: where it came from and what its files were, so that the
// next pull knows it again. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "fetch/choose_files.h"

namespace hadal {

inline constexpr char kPullRecord[] = ".hadal-pull.json";

std::string PullRecord(const std::string& hub, const HubName& name, const FileChoice& choice);

// Whether a record is that of the same repository and files, but for those that only speak about
// the model; false for text that is no record.
bool SameFiles(std::string_view record, const HubName& name, const FileChoice& choice);

}  // namespace hadal
