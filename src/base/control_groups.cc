#include "base/control_groups.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

namespace hadal {
namespace {

constexpr std::size_t kMostDepth = 64;  // of nested groups
constexpr std::size_t kMostCores = 1 << 16;

// The first line of a file; empty where there is none.
std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

template <typename T>
std::optional<T> Number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool Lists(std::string_view comma_separated, std::string_view wanted) {
  while (!comma_separated.empty()) {
    const std::size_t comma = std::min(comma_separated.find(','), comma_separated.size());
    if (comma_separated.substr(0, comma) == wanted) return true;
    comma_separated.remove_prefix(std::min(comma + 1, comma_separated.size()));
  }
  return false;
}

// mountinfo writes blanks and the like as \040.
std::string Unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// A mounted tree of groups: the group `root` is seen at the folder `point`.
struct GroupMount {
  std::string root, point;
};

// Of version 2 where `controller` is empty.
std::optional<GroupMount> FindMount(const std::string& mounts, std::string_view controller) {
  std::ifstream file(mounts);
  for (std::string line; std::getline(file, line);) {
    // "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELDS] - TYPE SOURCE SUPER_OPTIONS"
    std::istringstream words(line);
    std::string id, parent, device, root, point, word, type, source, options;
    words >> id >> parent >> device >> root >> point;
    while (words >> word && word != "-") {
    }
    words >> type >> source >> options;
    const bool wanted =
        controller.empty() ? type == "cgroup2" : type == "cgroup" && Lists(options, controller);
    if (wanted) return GroupMount{Unescaped(root), Unescaped(point)};
  }
  return std::nullopt;
}

// The group of this process in the tree of `controller`; of version 2 where it is empty.
std::optional<std::string> FindGroup(const std::string& groups, std::string_view controller) {
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {
    // "NUMBER:CONTROLLER,...:/PATH"; version 2 has the number 0 and no controllers.
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view list = std::string_view(line).substr(first + 1, second - first - 1);
    if (controller.empty() ? list.empty() && line.starts_with("0:") : Lists(list, controller))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

// The folders of the groups that hold this process: its own, then those around it as far as they
// are mounted.
std::vector<std::string> GroupFolders(const GroupFiles& files, std::string_view controller) {
  const auto mount = FindMount(files.mounts, controller);
  const auto group = FindGroup(files.groups, controller);
  if (!mount || !group) return {};
  // Inside a container the group's name may be the host's, with the container's as the root.
  const std::string root = mount->root == "/" ? "" : mount->root;
  std::string below;
  const bool inside =
      group->starts_with(root) && (group->size() == root.size() || (*group)[root.size()] == '/');
  if (inside && group->find("/..") == group->npos) below = group->substr(root.size());
  while (below.ends_with('/')) below.pop_back();
  std::vector<std::string> folders;
  while (!below.empty() && folders.size() < kMostDepth) {
    folders.push_back(mount->point + below);
    below.resize(below.rfind('/'));
  }
  folders.push_back(mount->point);
  return folders;
}

// Microseconds of CPU time in each period, as whole cores; 0 for no limit.
int QuotaCores(std::string_view quota, std::string_view period) {
  const auto granted = Number<std::int64_t>(quota), each = Number<std::int64_t>(period);
  if (!granted || !each || *granted <= 0 || *each <= 0) return 0;
  return static_cast<int>(
      std::clamp<std::int64_t>(*granted / *each, 1, static_cast<std::int64_t>(kMostCores)));
}

void Narrow(CoreLimits* limits, int quota) {
  if (quota > 0) limits->quota = limits->quota == 0 ? quota : std::min(limits->quota, quota);
}

void Narrow(CoreLimits* limits, const std::optional<std::vector<bool>>& allowed) {
  if (!allowed) return;
  if (!limits->allowed) {
    limits->allowed = allowed;
    return;
  }
  std::vector<bool>& both = *limits->allowed;
  both.resize(std::min(both.size(), allowed->size()));
  for (std::size_t i = 0; i < both.size(); ++i) both[i] = both[i] && (*allowed)[i];
}

// The number behind a key of memory.stat ("key 123" lines); 0 where it is absent.
std::uint64_t StatField(const std::string& path, const std::string& wanted) {
  std::ifstream file(path);
  std::string key;
  for (std::uint64_t value = 0; file >> key >> value;)
    if (key == wanted) return value;
  return 0;
}

// The names that a version gives to a group's limit and use of memory, and to the part of the use
// that is cached files, which the system takes back when it needs to.
struct MemoryNames {
  const char *limit, *used, *idle_files, *busy_files;
};
constexpr MemoryNames kVersion1{"/memory.limit_in_bytes", "/memory.usage_in_bytes",
                                "total_inactive_file", "total_active_file"};
constexpr MemoryNames kVersion2{"/memory.max", "/memory.current", "inactive_file", "active_file"};

// What one group leaves of its memory; nothing without a limit ("max", and in version 1 a number
// near 2^63).
std::optional<std::uint64_t> MemoryLeft(const std::string& folder, const MemoryNames& names) {
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;
  const auto limit = Number<std::uint64_t>(FirstLine(folder + names.limit));
  if (!limit || *limit >= kNoLimit) return std::nullopt;
  const std::string stat = folder + "/memory.stat";
  const std::uint64_t used = Number<std::uint64_t>(FirstLine(folder + names.used)).value_or(0);
  const std::uint64_t files =
      std::min(used, StatField(stat, names.idle_files) + StatField(stat, names.busy_files));
  return *limit - std::min(*limit, used - files);
}

}  // namespace

std::optional<std::vector<bool>> ParseCoreList(const std::string& text) {
  std::vector<bool> cores;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t dash = std::min(part.find('-'), part.size());
    const auto first = Number<std::size_t>(std::string_view(part).substr(0, dash));
    const auto last =
        dash == part.size() ? first : Number<std::size_t>(std::string_view(part).substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMostCores) return std::nullopt;
    if (cores.size() <= *last) cores.resize(*last + 1);
    std::fill(cores.begin() + static_cast<std::ptrdiff_t>(*first),
              cores.begin() + static_cast<std::ptrdiff_t>(*last) + 1, true);
  }
  if (cores.empty()) return std::nullopt;
  return cores;
}

CoreLimits ReadCoreLimits(const GroupFiles& files) {
  CoreLimits limits;
  for (const std::string& folder : GroupFolders(files, "")) {
    std::istringstream words(FirstLine(folder + "/cpu.max"));
    std::string quota, period;
    words >> quota >> period;
    Narrow(&limits, QuotaCores(quota, period));
    Narrow(&limits, ParseCoreList(FirstLine(folder + "/cpuset.cpus.effective")));
  }
  for (const std::string& folder : GroupFolders(files, "cpu"))
    Narrow(&limits, QuotaCores(FirstLine(folder + "/cpu.cfs_quota_us"),
                               FirstLine(folder + "/cpu.cfs_period_us")));
  for (const std::string& folder : GroupFolders(files, "cpuset"))
    Narrow(&limits, ParseCoreList(FirstLine(folder + "/cpuset.effective_cpus")));
  return limits;
}

std::optional<std::uint64_t> GroupMemoryLeft(const GroupFiles& files) {
  std::optional<std::uint64_t> least;
  const auto narrow = [&least](const std::optional<std::uint64_t>& left) {
    if (left) least = std::min(least.value_or(*left), *left);
  };
  for (const std::string& folder : GroupFolders(files, "")) narrow(MemoryLeft(folder, kVersion2));
  for (const std::string& folder : GroupFolders(files, "memory"))
    narrow(MemoryLeft(folder, kVersion1));
  return least;
}

}  // namespace hadal
