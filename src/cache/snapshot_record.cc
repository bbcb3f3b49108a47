#include "cache/snapshot_record.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace hadal {
namespace {

constexpr char kMagic[8] = {'H', 'A', 'D', 'A', 'L', 'P', 'F', 'X'};
constexpr std::uint64_t kDigestAt = 32;  // in the preamble; it covers all of the header but itself
constexpr std::uint32_t kStretch = 1, kTurn = 2;  // flags of a state

Status Broken(std::string found, std::string expected) {
  return Unusable("prefix file", std::move(found), std::move(expected),
                  "the entry is dropped and its tokens are computed again");
}

class Writer {
 public:
  template <typename T>
  void Put(T value) {
    char bytes[sizeof(T)];
    StoreUnaligned(bytes, value);
    out_.append(bytes, sizeof(T));
  }
  void PutText(const std::string& text) { out_ += text; }
  template <typename T>
  void PutAll(const std::vector<T>& values) {
    out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads in order; what is missing makes `ok` false and reads as zero.
class Reader {
 public:
  explicit Reader(ByteSpan bytes) : left_(bytes) {}

  template <typename T>
  T Get() {
    T value{};
    if (const auto bytes = Take(sizeof(T), 1); !bytes.empty())
      value = LoadUnaligned<T>(bytes.data());
    return value;
  }
  std::string GetText(std::uint64_t count) {
    const ByteSpan bytes = Take(count, 1);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  template <typename T>
  std::vector<T> GetAll(std::uint64_t count) {
    const ByteSpan bytes = Take(count, sizeof(T));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  // Whether `count` things of at least so many bytes can be there, before room is made for them.
  bool Has(std::uint64_t count, std::uint64_t least_bytes) {
    ok_ = ok_ && count <= left_.size() / least_bytes;
    return ok_;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }

 private:
  ByteSpan Take(std::uint64_t count, std::uint64_t each) {
    if (!Has(count, each)) return {};
    const ByteSpan taken = left_.first(static_cast<std::size_t>(count * each));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  ByteSpan left_;
  bool ok_ = true;
};

Digest HeaderDigest(ByteSpan header) {
  std::string covered(AsChars(header).begin(), AsChars(header).end());
  covered.erase(kDigestAt, sizeof(Digest));
  return Sha256Digest(std::as_bytes(std::span(covered)));
}

RecordPart GetPart(Reader* in) {
  RecordPart part;
  part.row_bytes = in->Get<std::uint64_t>();
  part.tokens_per_entry = in->Get<std::int64_t>();
  part.page_rows = in->Get<std::int64_t>();
  part.window.need_tokens = in->Get<std::int64_t>();
  part.window.group_tokens = in->Get<std::int64_t>();
  return part;
}

SnapshotState GetState(Reader* in) {
  constexpr std::uint64_t kLeastTableBytes = 20;
  SnapshotState state;
  state.length = in->Get<std::int64_t>();
  const auto flags = in->Get<std::uint32_t>();
  state.stretch = (flags & kStretch) != 0;
  state.turn = (flags & kTurn) != 0;
  const auto tables = in->Get<std::uint32_t>();
  if (!in->Has(tables, kLeastTableBytes)) return state;
  for (std::uint32_t i = 0; i < tables && in->ok(); ++i) {
    PageTable table;
    table.first_page = in->Get<std::int64_t>();
    table.held_from = in->Get<std::int64_t>();
    table.pages = in->GetAll<std::uint32_t>(in->Get<std::uint32_t>());
    state.tables.push_back(std::move(table));
  }
  return state;
}

void PutState(const SnapshotState& state, Writer* out) {
  out->Put(state.length);
  out->Put((state.stretch ? kStretch : 0) | (state.turn ? kTurn : 0));
  out->Put(static_cast<std::uint32_t>(state.tables.size()));
  for (const PageTable& table : state.tables) {
    out->Put(table.first_page);
    out->Put(table.held_from);
    out->Put(static_cast<std::uint32_t>(table.pages.size()));
    out->PutAll(table.pages);
  }
}

// Numbers beyond any real layout; below them no product of two overflows.
bool Sane(const RecordPart& part) {
  constexpr std::int64_t kMostRows = 1 << 20, kMostTokens = 1 << 30;
  const CacheWindow& window = part.window;
  return part.row_bytes > 0 && part.row_bytes <= (1u << 30) && part.tokens_per_entry > 0 &&
         part.tokens_per_entry <= kMostRows && part.page_rows > 0 && part.page_rows <= kMostRows &&
         window.need_tokens >= 0 && window.need_tokens <= kMostTokens && window.group_tokens > 0 &&
         window.group_tokens <= std::max<std::int64_t>(1, window.need_tokens);
}

// Where a page belongs, once a table has named it.
struct Place {
  std::int64_t number = -1;
};

Status CheckTable(const SnapshotRecord& record, std::size_t part_index, std::int64_t length,
                  const PageTable& table, std::vector<Place>* places) {
  const RecordPart& part = record.parts[part_index];
  const std::int64_t end = length / part.tokens_per_entry;
  const std::int64_t need = part.window.NeedFrom(length);
  if (table.held_from < 0 || table.held_from > end || (need < length && table.held_from > need))
    return Broken("rows of a part from " + std::to_string(table.held_from) + " on",
                  "all that the next token reads");
  const std::int64_t first = table.held_from / part.page_rows;
  const std::int64_t count =
      table.held_from < end ? (end - 1) / part.page_rows - first + 1 : std::int64_t{0};
  if (table.first_page != first || std::ssize(table.pages) != count)
    return Broken(std::to_string(table.pages.size()) + " pages of a part",
                  std::to_string(count) + " pages");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t at = table.pages[static_cast<std::size_t>(i)];
    if (at >= record.pages.size() || record.pages[at].part != part_index)
      return Broken("a page of another part", "pages of the part");
    std::int64_t& number = (*places)[at].number;
    if (number >= 0 && number != first + i) return Broken("a page in two places", "one place");
    number = first + i;
    const std::int64_t begin_row = number * part.page_rows;
    const RecordPage& page = record.pages[at];
    if (begin_row + page.first_row > std::max(begin_row, table.held_from) ||
        begin_row + page.end_row < std::min(begin_row + part.page_rows, end))
      return Broken("a page with too few rows", "all rows that are held");
  }
  return {};
}

Status CheckState(const SnapshotRecord& record, bool present, const SnapshotState& state,
                  std::vector<Place>* places) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < record.parts.size(); ++i) {
    if (!present && !record.parts[i].window.bounded()) continue;
    if (next == state.tables.size()) return Broken("too few parts", "every part");
    HADAL_RETURN_IF_ERROR(CheckTable(record, i, state.length, state.tables[next++], places));
  }
  if (next != state.tables.size()) return Broken("too many parts", "every part once");
  return {};
}

}  // namespace

std::uint64_t RecordChunkCount(std::uint64_t payload_bytes) {
  return payload_bytes / kRecordChunkBytes + (payload_bytes % kRecordChunkBytes != 0);
}

std::vector<RecordPart> RecordParts(const CacheLayout& layout) {
  std::vector<RecordPart> parts;
  for (const CachePartLayout& part : layout.parts)
    parts.push_back({part.row_bytes(), part.tokens_per_entry, part.page_rows, part.window});
  return parts;
}

CacheReach SnapshotRecord::Reach() const {
  CacheReach reach;
  reach.length = length();
  for (std::size_t i = 0; i < parts.size(); ++i)
    reach.Add({parts[i].window, tables.states[0].tables[i].held_from});
  for (std::size_t i = 1; i < tables.states.size(); ++i)
    reach.moments.push_back(tables.states[i].length);
  return reach;
}

std::string EncodeRecord(const SnapshotRecord& record) {
  Writer out;
  out.PutText(std::string(kMagic, sizeof(kMagic)));
  out.Put(kRecordVersion);
  out.Put(std::uint32_t{0});
  out.PutText(std::string(kRecordPreambleBytes - 16, '\0'));  // filled in below
  out.Put(record.number);
  out.Put(static_cast<std::uint32_t>(record.fingerprint.size()));
  out.Put(static_cast<std::uint32_t>(record.space.size()));
  out.Put(static_cast<std::uint64_t>(record.tables.ids.size()));
  out.Put(static_cast<std::uint32_t>(record.parts.size()));
  out.Put(static_cast<std::uint32_t>(record.tables.states.size()));
  out.Put(static_cast<std::uint64_t>(record.pages.size()));
  out.Put(record.payload_bytes);
  out.PutText(record.fingerprint);
  out.PutText(record.space);
  out.PutAll(record.tables.ids);
  for (const RecordPart& part : record.parts) {
    out.Put(part.row_bytes);
    out.Put(part.tokens_per_entry);
    out.Put(part.page_rows);
    out.Put(part.window.need_tokens);
    out.Put(part.window.group_tokens);
  }
  for (const SnapshotState& state : record.tables.states) PutState(state, &out);
  for (const RecordPage& page : record.pages) {
    out.Put(page.part);
    out.Put(page.first_row);
    out.Put(page.end_row);
  }
  out.PutAll(record.chunks);
  std::string header = out.Take();
  StoreUnaligned<std::uint64_t>(header.data() + 16, header.size());
  StoreUnaligned<std::uint64_t>(header.data() + 24, header.size() + record.payload_bytes);
  StoreUnaligned(header.data() + kDigestAt, HeaderDigest(std::as_bytes(std::span(header))));
  return header;
}

Result<std::uint64_t> RecordHeaderBytes(ByteSpan start, std::uint64_t file_bytes) {
  if (start.size() < kRecordPreambleBytes || file_bytes < kRecordPreambleBytes)
    return Broken(std::to_string(file_bytes) + " bytes", "a whole preamble");
  if (std::memcmp(start.data(), kMagic, sizeof(kMagic)) != 0)
    return Broken("another first word", "HADALPFX");
  const auto version = LoadUnaligned<std::uint32_t>(start.data() + 8);
  if (version != kRecordVersion)
    return Unsupported("prefix file", "version " + std::to_string(version),
                       "version " + std::to_string(kRecordVersion),
                       "it is of another version of hadal; its tokens are computed again");
  const auto header_bytes = LoadUnaligned<std::uint64_t>(start.data() + 16);
  if (header_bytes < kRecordPreambleBytes || header_bytes > file_bytes)
    return Broken("a header of " + std::to_string(header_bytes) + " bytes",
                  "at most the file's " + std::to_string(file_bytes));
  if (LoadUnaligned<std::uint64_t>(start.data() + 24) != file_bytes)
    return Broken(std::to_string(file_bytes) + " bytes", "as many as its preamble says");
  return header_bytes;
}

Result<SnapshotRecord> ParseRecord(ByteSpan start, std::uint64_t file_bytes) {
  HADAL_ASSIGN_OR_RETURN(const std::uint64_t header_bytes, RecordHeaderBytes(start, file_bytes));
  if (start.size() < header_bytes) return Broken("a part of a header", "the whole of it");
  const ByteSpan header = start.first(static_cast<std::size_t>(header_bytes));
  if (LoadUnaligned<Digest>(header.data() + kDigestAt) != HeaderDigest(header))
    return Broken("a header that was changed", "the one that was written");
  constexpr std::uint64_t kPartBytes = 40, kLeastStateBytes = 16, kPageBytes = 12;
  Reader in(header.subspan(kRecordPreambleBytes));
  SnapshotRecord record;
  record.number = in.Get<std::uint64_t>();
  const auto fingerprint_bytes = in.Get<std::uint32_t>();
  const auto space_bytes = in.Get<std::uint32_t>();
  const auto ids = in.Get<std::uint64_t>();
  const auto parts = in.Get<std::uint32_t>();
  const auto states = in.Get<std::uint32_t>();
  const auto pages = in.Get<std::uint64_t>();
  record.payload_bytes = in.Get<std::uint64_t>();
  record.fingerprint = in.GetText(fingerprint_bytes);
  record.space = in.GetText(space_bytes);
  record.tables.ids = in.GetAll<std::int32_t>(ids);
  if (in.Has(parts, kPartBytes))
    for (std::uint32_t i = 0; i < parts; ++i) record.parts.push_back(GetPart(&in));
  if (in.Has(states, kLeastStateBytes))
    for (std::uint32_t i = 0; i < states && in.ok(); ++i)
      record.tables.states.push_back(GetState(&in));
  if (in.Has(pages, kPageBytes)) {
    for (std::uint64_t i = 0; i < pages; ++i) {
      const auto part = in.Get<std::uint32_t>(), first = in.Get<std::uint32_t>();
      record.pages.push_back({part, first, in.Get<std::uint32_t>()});
    }
  }
  record.chunks = in.GetAll<Digest>(RecordChunkCount(record.payload_bytes));
  if (!in.at_end()) return Broken("a header of another length", "the one that its counts give");
  if (file_bytes - header_bytes != record.payload_bytes)
    return Broken(std::to_string(file_bytes - header_bytes) + " bytes of rows",
                  std::to_string(record.payload_bytes));
  HADAL_RETURN_IF_ERROR(CheckRecord(record));
  return record;
}

Status CheckRecord(const SnapshotRecord& record) {
  const std::vector<SnapshotState>& states = record.tables.states;
  if (states.empty() || states[0].length != record.length() || record.length() == 0)
    return Broken("no present state", "one of all tokens");
  if (!std::all_of(record.parts.begin(), record.parts.end(), Sane))
    return Broken("a part of impossible shape", "rows, pages and windows of a layout");
  std::uint64_t bytes = 0;
  for (const RecordPage& page : record.pages) {
    if (page.part >= record.parts.size() || page.first_row >= page.end_row ||
        page.end_row > record.parts[page.part].page_rows)
      return Broken("a page of impossible rows", "rows within a page");
    const auto total = CheckedMul(page.end_row - page.first_row, record.parts[page.part].row_bytes);
    const auto sum = total ? CheckedAdd(bytes, *total) : std::nullopt;
    if (!sum) return Broken("rows beyond 64 bits", "rows that a file can hold");
    bytes = *sum;
  }
  if (bytes != record.payload_bytes)
    return Broken(std::to_string(record.payload_bytes) + " bytes of rows",
                  "the " + std::to_string(bytes) + " of its pages");
  std::vector<Place> places(record.pages.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const bool ascends = i < 2 || states[i].length > states[i - 1].length;
    if (i > 0 && (states[i].length <= 0 || states[i].length > record.length() || !ascends))
      return Broken("moments in no order", "ascending lengths");
    HADAL_RETURN_IF_ERROR(CheckState(record, i == 0, states[i], &places));
  }
  if (std::any_of(places.begin(), places.end(), [](const Place& one) { return one.number < 0; }))
    return Broken("a page of no part", "pages that the timeline uses");
  return {};
}

bool PayloadMatches(const SnapshotRecord& record, ByteSpan payload) {
  if (payload.size() != record.payload_bytes) return false;
  for (const Digest& digest : record.chunks) {
    const ByteSpan chunk = payload.first(std::min<std::size_t>(payload.size(), kRecordChunkBytes));
    if (Sha256Digest(chunk) != digest) return false;
    payload = payload.subspan(chunk.size());
  }
  return payload.empty();
}

}  // namespace hadal
