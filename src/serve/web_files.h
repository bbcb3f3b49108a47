// The files of the page, as web/dist had them when the program was built; none where there was no
// such folder.
#pragma once

#include <span>
#include <string_view>

namespace hadal {

struct WebFile {
  std::string_view path;  // "/index.html"
  std::string_view bytes;
};
std::span<const WebFile> WebFiles();

}  // namespace hadal
