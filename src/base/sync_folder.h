// SyncFolder: makes names that were given or taken in a folder durable. A file system that cannot
// do that is no failure. Any thread.
#pragma once

#include <string>

namespace hadal {

// Empty: the working directory.
void SyncFolder(const std::string& path);

}  // namespace hadal
