#include "fetch/fetch_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/file.h"

namespace hadal {
namespace {

constexpr std::uint64_t kMostNoteBytes = 4096, kReadBytes = 4 << 20;
constexpr std::size_t kMostTagBytes = 256;

// A strong ETag names one content, byte for byte (RFC 9110 section 8.8.1); others say nothing here.
std::string StrongTag(const std::string& tag) {
  const bool whole =
      tag.size() >= 2 && tag.size() <= kMostTagBytes && tag.front() == '"' && tag.back() == '"';
  const bool plain = std::ranges::all_of(tag, [](char c) { return c > 0x20 && c < 0x7F; });
  return whole && plain ? tag : std::string();
}

// The note: what the list said when the file was begun, and the server's name for its content.
std::string NoteHead(const HubFile& file) {
  return fmt::format("{} {}\n", file.Digest(), file.bytes);
}

Status Longer(const HubFile& file, const std::string& found) {
  return Unusable(file.path, found, fmt::format("{} bytes, as the hub's list says", file.bytes),
                  "the hub holds another file than it lists; try again later");
}

class Fetch {
 public:
  Fetch(HubClient* client, const FilePlace& place, const HubFile& file, GrowingFile* out,
        const std::function<void(std::uint64_t)>& on_bytes)
      : client_(client),
        place_(place),
        file_(file),
        out_(out),
        on_bytes_(on_bytes),
        most_bytes_(out->bytes()) {
    const auto note = ReadFile(place.note_path, kMostNoteBytes);
    if (note.ok() && out->bytes() > 0) tag_ = note->substr(note->find('\n') + 1);
  }

  GetResult Once() {
    if (out_->bytes() == file_.bytes) return {GetEnd::kDone};
    std::vector<std::string> headers;
    if (out_->bytes() > 0) headers.push_back(fmt::format("Range: bytes={}-", out_->bytes()));
    if (out_->bytes() > 0 && !tag_.empty()) headers.push_back("If-Range: " + tag_);
    again_ = {};
    GetResult result = client_->Get(place_.url, headers,
                                    {[this](const HttpHead& head) { return Begin(head); },
                                     [this](std::string_view piece) { return Take(piece); }});
    if (!again_.ok()) result = {GetEnd::kAgain, again_, result.head};
    if (result.head.status == 416) Forget();
    if (result.end == GetEnd::kDone && out_->bytes() != file_.bytes)
      result = {GetEnd::kAgain,
                Failed(file_.path, fmt::format("{} bytes", out_->bytes()),
                       fmt::format("{}", file_.bytes), "the answer was too short; try again"),
                result.head};
    result.gained_bytes = out_->bytes() - std::min(out_->bytes(), most_bytes_);
    most_bytes_ = std::max(most_bytes_, out_->bytes());
    return result;
  }

 private:
  void Forget() {
    (void)out_->Empty();
    tag_.clear();
  }
  // Ends this try; the next one begins with the first byte.
  Status FromTheBeginning(const std::string& why) {
    Forget();
    again_ = Failed(file_.path, why, "the rest of the file that was begun",
                    "it is fetched from its beginning");
    return again_;
  }

  Status Begin(const HttpHead& head) {
    if (head.status == 206) {
      const std::string wanted =
          fmt::format("bytes {}-{}/{}", out_->bytes(), file_.bytes - 1, file_.bytes);
      if (head.content_range != wanted)
        return FromTheBeginning("the part " + head.content_range + " of it");
      const std::string tag = StrongTag(head.etag);
      if (!tag_.empty() && !tag.empty() && tag != tag_) return FromTheBeginning("another ETag");
    } else {
      HADAL_RETURN_IF_ERROR(out_->Empty());
      tag_ = StrongTag(head.etag);
      HADAL_RETURN_IF_ERROR(WriteFileAtomically(place_.note_path, NoteHead(file_) + tag_));
    }
    const std::uint64_t missing = file_.bytes - out_->bytes();
    if (head.content_length && *head.content_length != missing)
      return Longer(file_, fmt::format("{} bytes announced where {} are missing",
                                       *head.content_length, missing));
    return {};
  }

  Status Take(std::string_view piece) {
    if (piece.size() > file_.bytes - out_->bytes())
      return Longer(file_, fmt::format("more than {} bytes", file_.bytes));
    HADAL_RETURN_IF_ERROR(out_->Append(piece));
    on_bytes_(out_->bytes());
    return {};
  }

  HubClient* client_;
  const FilePlace& place_;
  const HubFile& file_;
  GrowingFile* out_;
  const std::function<void(std::uint64_t)>& on_bytes_;
  std::string tag_;
  Status again_;
  std::uint64_t most_bytes_;  // that were there at any time
};

}  // namespace

Result<std::uint64_t> KeptBytes(const FilePlace& place, const HubFile& file) {
  HADAL_ASSIGN_OR_RETURN(GrowingFile out, GrowingFile::Open(place.path));
  const auto note = ReadFile(place.note_path, kMostNoteBytes);
  const bool ours = note.ok() && note->starts_with(NoteHead(file)) && out.bytes() <= file.bytes;
  if (!ours) HADAL_RETURN_IF_ERROR(out.Empty());
  return out.bytes();
}

Status FetchFile(HubClient* client, const FilePlace& place, const HubFile& file,
                 const RetryOptions& retry, const std::function<void(std::uint64_t)>& on_bytes) {
  HADAL_ASSIGN_OR_RETURN(GrowingFile out, GrowingFile::Open(place.path));
  if (out.bytes() == file.bytes) return {};
  Fetch fetch(client, place, file, &out, on_bytes);
  const Status fetched = WithRetries(client->limits(), retry, [&fetch] { return fetch.Once(); });
  const Status synced = out.Sync();
  return fetched.ok() ? synced : fetched;
}

Result<bool> CheckFile(const std::string& path, const HubFile& file,
                       const std::function<bool()>& cancelled,
                       const std::function<void(std::uint64_t)>& on_bytes) {
  DigestStream digest(file.has_sha256() ? DigestStream::Kind::kSha256 : DigestStream::Kind::kSha1);
  // git names a file by what it puts before its content (git-scm.com, "Git Internals").
  if (!file.has_sha256()) {
    digest.Add(fmt::format("blob {}", file.bytes));
    digest.Add(std::string_view("\0", 1));
  }
  std::uint64_t done = 0;
  while (true) {
    if (cancelled && cancelled())
      return Status(Code::kCancelled, path, "stopped on request", "", "");
    HADAL_ASSIGN_OR_RETURN(const std::string piece, ReadFilePart(path, done, kReadBytes));
    if (piece.empty()) break;
    digest.Add(piece);
    done += piece.size();
    on_bytes(done);
  }
  return done == file.bytes && digest.Finish() == file.checksum;
}

}  // namespace hadal
