#include "cache/disk_index.h"

#include <cstring>

#include "base/digest.h"

namespace hadal {
namespace {

constexpr char kMagic[8] = {'H', 'A', 'D', 'A', 'L', 'P', 'F', 'I'};
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kHeadBytes = 24, kEntryBytes = 16;  // magic, version, count; number, use

void Put(std::uint64_t value, std::string* out) {
  char bytes[sizeof(value)];
  StoreUnaligned(bytes, value);
  out->append(bytes, sizeof(bytes));
}

}  // namespace

std::string EncodeDiskIndex(const DiskUses& uses) {
  std::string out(kMagic, sizeof(kMagic));
  Put(kVersion, &out);
  Put(uses.size(), &out);
  for (const auto& [number, use] : uses) {
    Put(number, &out);
    Put(use, &out);
  }
  const Digest digest = Sha256Digest(std::as_bytes(std::span(out)));
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return out;
}

Result<DiskUses> ParseDiskIndex(ByteSpan bytes) {
  const auto broken = [](std::string found, std::string expected) {
    return Unusable("prefix index", std::move(found), std::move(expected),
                    "the order of use is lost, and no entry");
  };
  if (bytes.size() < kHeadBytes + sizeof(Digest) ||
      std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0)
    return broken(std::to_string(bytes.size()) + " bytes of something else", "HADALPFI");
  if (const auto version = LoadUnaligned<std::uint64_t>(bytes.data() + 8); version != kVersion)
    return Unsupported("prefix index", "version " + std::to_string(version), "version 1",
                       "the order of use is lost, and no entry");
  const ByteSpan covered = bytes.first(bytes.size() - sizeof(Digest));
  if (LoadUnaligned<Digest>(bytes.data() + covered.size()) != Sha256Digest(covered))
    return broken("bytes that were changed", "those that were written");
  const auto count = LoadUnaligned<std::uint64_t>(bytes.data() + 16);
  if (count != (covered.size() - kHeadBytes) / kEntryBytes ||
      (covered.size() - kHeadBytes) % kEntryBytes != 0)
    return broken(std::to_string(count) + " entries", "as many as its length says");
  DiskUses uses;
  for (ByteSpan left = covered.subspan(kHeadBytes); !left.empty(); left = left.subspan(kEntryBytes))
    uses[LoadUnaligned<std::uint64_t>(left.data())] = LoadUnaligned<std::uint64_t>(left.data() + 8);
  return uses;
}

}  // namespace hadal
