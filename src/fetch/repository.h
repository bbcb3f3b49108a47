// A repository of a hub: its list of files, and where each is. One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "fetch/file_list.h"
#include "fetch/hub_client.h"
#include "fetch/hub_name.h"

namespace hadal {

// The list of the newest revision, all its pages, at most kMostListBytes.
Result<std::vector<HubFile>> ListFiles(HubClient* client, const HubName& name,
                                       const RetryOptions& retry);

// The address of a file's content.
std::string FileUrl(const HubClient& client, const HubName& name, const HubFile& file);

}  // namespace hadal
