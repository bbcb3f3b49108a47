#include "formats/weight_checksums.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/digest.h"
#include "base/file.h"
#include "formats/hash.h"

namespace hadal {
namespace {

// Beside the weights: what else decides an answer.
constexpr const char* kSideFiles[] = {"config.json",
                                      "generation_config.json",
                                      "tokenizer.json",
                                      "tokenizer.json.gz",
                                      "tokenizer_config.json",
                                      "tiktoken.model",
                                      "model.safetensors.index.json",
                                      "chat_template.jinja",
                                      "encoding/encoding_dsv32.py",
                                      "encoding/encoding_dsv4.py",
                                      "encoding/encoding.py"};

using PieceDigest = std::array<std::byte, 16>;

struct Piece {
  std::size_t file = 0, span = 0, index = 0;
  std::uint64_t offset_bytes = 0, size_bytes = 0;
};

std::vector<Piece> PiecesOf(const WeightChecksums& checksums) {
  std::vector<Piece> pieces;
  for (std::size_t file = 0; file < checksums.files.size(); ++file) {
    const auto& spans = checksums.files[file].spans;
    for (std::size_t span = 0; span < spans.size(); ++span)
      for (std::size_t i = 0; i < spans[span].digests.size(); ++i) {
        const std::uint64_t begin = i * kChecksumPieceBytes;
        pieces.push_back({file, span, i, spans[span].offset_bytes + begin,
                          std::min(kChecksumPieceBytes, spans[span].size_bytes - begin)});
      }
  }
  return pieces;
}

// Calls `use(piece, bytes)` for every piece, on several threads; with a failure where it could not
// be read whole.
template <typename Use>
void ReadPieces(const WeightChecksums& checksums, const std::vector<Piece>& pieces,
                ThreadPool* threads, const Use& use) {
  threads->Run(std::ssize(pieces), [&](std::int64_t task) {
    const Piece& piece = pieces[static_cast<std::size_t>(task)];
    const std::string& path = checksums.files[piece.file].path;
    Result<std::string> bytes = ReadFilePart(path, piece.offset_bytes, piece.size_bytes);
    if (bytes.ok() && bytes->size() < piece.size_bytes)
      bytes = Unusable(path, "its end inside of what it held", "the whole file", "fetch it again");
    use(static_cast<std::size_t>(task), bytes);
  });
}

PieceDigest DigestOf(std::string_view bytes) {
  PieceDigest digest;
  std::ranges::copy_n(Sha256Digest(bytes).begin(), digest.size(), digest.begin());
  return digest;
}

void AddSpan(std::string name, bool is_tensor, std::uint64_t begin, std::uint64_t end,
             WeightChecksums::File* file) {
  if (begin >= end) return;
  ChecksumSpan span{std::move(name), is_tensor, begin, end - begin};
  span.digests.resize(
      static_cast<std::size_t>((end - begin + kChecksumPieceBytes - 1) / kChecksumPieceBytes));
  file->spans.push_back(std::move(span));
}

Result<WeightChecksums> LayoutOf(const Checkpoint& checkpoint) {
  WeightChecksums all;
  for (const auto& mapped : checkpoint.files())
    all.files.push_back({mapped->path(), mapped->bytes().size()});
  std::vector<std::uint64_t> ends(all.files.size(), 0);
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    const auto file = static_cast<std::size_t>(tensor.file);
    AddSpan(ends[file] == 0 ? "header" : "between tensors", false, ends[file], tensor.offset_bytes,
            &all.files[file]);
    ends[file] = tensor.offset_bytes + tensor.size_bytes;
    AddSpan(tensor.name, true, tensor.offset_bytes, ends[file], &all.files[file]);
  }
  for (std::size_t file = 0; file < all.files.size(); ++file)
    AddSpan(ends[file] == 0 ? "content" : "behind the tensors", false, ends[file],
            all.files[file].size_bytes, &all.files[file]);
  for (const char* name : kSideFiles) {
    const auto path = checkpoint.SideFile(name);
    if (!path) continue;
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(*path, error);
    if (error)
      return Unusable(*path, error.message(), "a file of the checkpoint", "is it still there?");
    AddSpan("content", false, 0, size, &all.files.emplace_back(*path, size));
  }
  return all;
}

}  // namespace

std::uint64_t WeightChecksums::bytes() const {
  std::uint64_t sum = 0;
  for (const File& file : files) sum += file.size_bytes;
  return sum;
}

std::int64_t WeightChecksums::tensors() const {
  std::int64_t count = 0;
  for (const File& file : files)
    count += std::ranges::count_if(file.spans, [](const auto& span) { return span.is_tensor; });
  return count;
}

Result<WeightChecksums> ChecksumsOf(const Checkpoint& checkpoint, ThreadPool* threads) {
  HADAL_ASSIGN_OR_RETURN(WeightChecksums all, LayoutOf(checkpoint));
  const std::vector<Piece> pieces = PiecesOf(all);
  std::vector<Status> failures(pieces.size());
  ReadPieces(all, pieces, threads, [&](std::size_t i, const Result<std::string>& bytes) {
    const Piece& piece = pieces[i];
    failures[i] = bytes.status();
    if (bytes.ok()) all.files[piece.file].spans[piece.span].digests[piece.index] = DigestOf(*bytes);
  });
  for (const Status& failure : failures) HADAL_RETURN_IF_ERROR(failure);
  return all;
}

std::vector<ChangedPiece> FindChanges(const WeightChecksums& recorded, ThreadPool* threads) {
  const std::vector<Piece> pieces = PiecesOf(recorded);
  std::vector<unsigned char> changed(pieces.size(), 0);
  ReadPieces(recorded, pieces, threads, [&](std::size_t i, const Result<std::string>& bytes) {
    const Piece& piece = pieces[i];
    const auto& expected = recorded.files[piece.file].spans[piece.span].digests[piece.index];
    changed[i] = !bytes.ok() || DigestOf(*bytes) != expected;
  });
  std::vector<ChangedPiece> found;
  std::size_t next = 0;
  for (std::size_t file = 0; file < recorded.files.size(); ++file) {
    const WeightChecksums::File& was = recorded.files[file];
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(was.path, error);
    if (error || size != was.size_bytes)
      found.push_back({.file = was.path,
                       .size_bytes = was.size_bytes,
                       .found = error ? error.message() : std::to_string(size) + " bytes"});
    for (; next < pieces.size() && pieces[next].file == file; ++next) {
      const Piece& piece = pieces[next];
      const ChecksumSpan& span = was.spans[piece.span];
      if (changed[next] && !error && piece.offset_bytes + piece.size_bytes <= size)
        found.push_back({was.path, span.name, span.is_tensor, piece.offset_bytes, piece.size_bytes,
                         "other bytes"});
    }
  }
  return found;
}

}  // namespace hadal
