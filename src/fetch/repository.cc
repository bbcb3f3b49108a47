#include "fetch/repository.h"

#include <fmt/format.h>

#include <set>

namespace hadal {
namespace {

constexpr int kMostPages = 64;
constexpr char kRevision[] = "main";

// The address behind rel="next" in a Link header (RFC 8288); "" where there is none.
std::string NextPage(const std::string& link) {
  for (std::size_t at = 0; (at = link.find('<', at)) != std::string::npos;) {
    const std::size_t end = link.find('>', at);
    if (end == std::string::npos) return {};
    const std::string parameters = link.substr(end, link.find(',', end) - end);
    if (parameters.find("rel=\"next\"") != std::string::npos)
      return link.substr(at + 1, end - at - 1);
    at = end;
  }
  return {};
}

// One page; its length counts towards what all may have.
GetResult GetPage(HubClient* client, const std::string& url, std::uint64_t most_bytes,
                  std::string* page) {
  page->clear();
  const auto begin = [&](const HttpHead& head) -> Status {
    if (head.status == 200) return {};
    return Unusable(url, fmt::format("status {}", head.status), "status 200", "try again later");
  };
  const auto body = [&](std::string_view piece) -> Status {
    if (page->size() + piece.size() > most_bytes)
      return Unusable(url, fmt::format("a list of more than {} bytes", kMostListBytes),
                      "a model's files", "is it the right repository?");
    *page += piece;
    return {};
  };
  return client->Get(url, {}, {begin, body});
}

}  // namespace

Result<std::vector<HubFile>> ListFiles(HubClient* client, const HubName& name,
                                       const RetryOptions& retry) {
  std::string url = fmt::format("{}/api/models/{}/{}/tree/{}?recursive=true", client->base(),
                                name.owner, name.name, kRevision);
  std::vector<HubFile> files;
  std::set<std::string> paths;
  std::uint64_t read_bytes = 0;
  for (int pages = 0; !url.empty(); ++pages) {
    if (pages == kMostPages || !client->SameHost(url))
      return Unusable(name.ToString(), "a list that goes on at " + url,
                      fmt::format("at most {} pages at the hub", kMostPages),
                      "is it the right repository?");
    std::string page;
    HttpHead head;
    HADAL_RETURN_IF_ERROR(WithRetries(client->limits(), retry, [&] {
      GetResult result = GetPage(client, url, kMostListBytes - read_bytes, &page);
      head = result.head;
      return result;
    }));
    read_bytes += page.size();
    HADAL_ASSIGN_OR_RETURN(auto more, ParseFileList(page, name.ToString() + ": list"));
    for (HubFile& file : more) {
      if (!paths.insert(file.path).second)
        return Unusable(name.ToString() + ": list", file.path + " twice", "each file once",
                        "the hub's answer is not one that can be trusted; try again");
      files.push_back(std::move(file));
    }
    url = NextPage(head.link);
  }
  return files;
}

std::string FileUrl(const HubClient& client, const HubName& name, const HubFile& file) {
  return fmt::format("{}/{}/{}/resolve/{}/{}", client.base(), name.owner, name.name, kRevision,
                     EscapedPath(file.path));
}

}  // namespace hadal
