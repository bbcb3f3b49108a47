// The page: its files with their types, tags and a policy that lets no request leave the server.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "serve/http_message.h"
#include "serve/web_files.h"

namespace hadal {

// Immutable once made; any thread may ask.
class Page {
 public:
  // Compresses what gets smaller by it.
  explicit Page(std::span<const WebFile> files);

  bool Has(std::string_view path) const { return files_.contains(path); }
  // The file, compressed where the client takes that, or 304 where it has it already; 404 where
  // there is none.
  HttpResponse Answer(std::string_view path, const HttpRequest& request) const;

 private:
  struct File {
    std::string_view type, bytes;
    std::string gzip = {};  // empty: it would be larger
    std::string tag = {};
    bool lasting = false;  // its name changes with its content
  };
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace hadal
