// ModelCatalog: what is known of models by their files, without loading them: facts of their
// headers, read once a path and content. Any thread may call; reading holds up no other call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "engine/model_facts.h"

namespace hadal {

// A number that differs once a checkpoint's files have other names, sizes or times; 0 where there
// are none.
std::uint64_t FilesStamp(const std::string& path);

class ModelCatalog {
 public:
  using ReadFacts = std::function<Result<ModelFacts>(const std::string& path)>;

  // `format_name`: the prompt format of every model; empty: each one's own.
  explicit ModelCatalog(const FactsOptions& options = {}, std::string format_name = {});
  // Facts from elsewhere (tests).
  explicit ModelCatalog(ReadFacts read) : read_(std::move(read)) {}

  // Of the checkpoint at a path; the reason where its headers are wrong is remembered too.
  Result<ModelFacts> Facts(const std::string& path);
  // Reads the tokenizer, each time.
  Result<Language> ReadLanguageOf(const std::string& path) const;

 private:
  struct Row {
    std::uint64_t stamp = 0;
    Result<ModelFacts> facts;
  };
  static constexpr std::size_t kMostRows = 4096;

  const ReadFacts read_;
  const std::string format_name_;
  std::mutex mutex_;
  std::map<std::string, Row> rows_;
};

}  // namespace hadal
