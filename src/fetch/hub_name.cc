#include "fetch/hub_name.h"

#include <algorithm>

namespace hadal {
namespace {

constexpr std::size_t kMostNameBytes = 96, kMostPathBytes = 512, kMostPartBytes = 255;

Status NoHubName(std::string_view text) {
  return UsageError("NAME", "\"" + std::string(text.substr(0, 200)) + "\"",
                    "OWNER/NAME or OWNER/NAME:FILE.gguf, as the hub calls it",
                    "for example: hadal pull deepseek-ai/DeepSeek-V2-Lite");
}

std::string_view WithoutHost(std::string_view text) {
  for (const std::string_view host :
       {"https://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/"})
    if (text.starts_with(host)) return text.substr(host.size());
  return text;
}

}  // namespace

bool IsModelName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kMostNameBytes && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

bool IsHubPath(std::string_view path) {
  if (path.empty() || path.size() > kMostPathBytes) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto byte = static_cast<unsigned char>(path[i]);
    if (byte < 0x20 || byte == 0x7F || byte == '\\') return false;
    // U+0080 to U+009F steer terminals as well.
    if (byte == 0xC2 && i + 1 < path.size() && static_cast<unsigned char>(path[i + 1]) < 0xA0)
      return false;
  }
  while (true) {
    const std::string_view part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == ".." || part.size() > kMostPartBytes) return false;
    if (part.size() == path.size()) return true;
    path.remove_prefix(part.size() + 1);
  }
}

std::string HubName::ToString() const {
  return owner + "/" + name + (file.empty() ? "" : ":" + file);
}

Result<HubName> ParseHubName(std::string_view text) {
  const std::string_view bare = WithoutHost(text);
  const std::size_t colon = bare.find(':');
  const std::string_view place = bare.substr(0, colon);
  const std::string_view file =
      colon == std::string_view::npos ? std::string_view() : bare.substr(colon + 1);
  const std::size_t slash = place.find('/');
  if (slash == std::string_view::npos) return NoHubName(text);
  HubName name{std::string(place.substr(0, slash)), std::string(place.substr(slash + 1)),
               file == "latest" ? "" : std::string(file)};
  if (!IsModelName(name.owner) || !IsModelName(name.name)) return NoHubName(text);
  if (colon != std::string_view::npos && !IsHubPath(file)) return NoHubName(text);
  return name;
}

}  // namespace hadal
