// Where the shared goldens lie: $HADAL_SHARED_DIR, else the folder `shared` beside the project.
// Tests that need them say so and are counted as skipped where they are absent.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace hadal {

inline std::optional<std::string> SharedDir() {
  const char* named = std::getenv("HADAL_SHARED_DIR");
  const std::string folder =
      named != nullptr ? named : std::string(HADAL_SOURCE_DIR) + "/../shared";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

}  // namespace hadal

// First line of a test that reads the shared goldens; `dir` becomes a std::string.
#define HADAL_NEEDS_SHARED(dir)                                                           \
  const std::optional<std::string> hadal_shared_dir = ::hadal::SharedDir();               \
  if (!hadal_shared_dir) GTEST_SKIP() << "the shared goldens are not beside the project"; \
  const std::string& dir = *hadal_shared_dir
