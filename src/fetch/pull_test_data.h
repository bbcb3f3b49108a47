// What the tests of pulling share: a model folder of their own, and a small model to fetch.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/random.h"
#include "fetch/fake_hub.h"
#include "fetch/pull.h"

namespace hadal {

class PullFolder {
 public:
  PullFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hadal_pull_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~PullFolder() { std::filesystem::remove_all(path_); }
  PullFolder(const PullFolder&) = delete;
  PullFolder& operator=(const PullFolder&) = delete;

  std::string path() const { return path_ + "/models"; }
  std::string Of(const std::string& file) const { return path() + "/" + file; }
  // Where an unfinished file of `model` grows.
  std::string Part(const std::string& file) const { return Of(".pull/model/files/" + file); }
  bool Has(const std::string& file) const { return std::filesystem::exists(Of(file)); }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  // Everything outside of the model folder: there must be nothing.
  std::size_t Strays() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      count += entry.path().filename() != "models";
    return count;
  }

 private:
  std::string path_;
};

inline std::string Bytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next32());
  return bytes;
}

constexpr char kWeights[] = "model.safetensors";

inline FakeRepository SmallModel() {
  return {{{"config.json", "{\"model_type\":\"none\"}"},
           {"tokenizer.json", "{}"},
           {"encoding/encoding_dsv4.py", "print('never run')"},
           {"README.md", "words"},
           {"LICENSE", "terms"},
           {".gitattributes", "*"},
           {"pytorch_model.bin", "pickled"},
           {"original/other.safetensors", "another"},
           {"consolidated.safetensors", "the same again"},
           {kWeights, Bytes(300'000, 1)}}};
}

// Quick to try again, slow to give up waiting.
inline PullOptions OptionsFor(const FakeHub& hub, const PullFolder& folder) {
  PullOptions options;
  options.folder = folder.path();
  options.hub = hub.url();
  options.stall_seconds = 60;
  options.retry.first_wait_seconds = 0;
  return options;
}

inline const HubName kModel{"some", "model", ""};

}  // namespace hadal
