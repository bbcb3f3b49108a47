#include "spec/cache_parts.h"

#include <limits>

#include "base/bytes.h"

namespace hadal {
namespace {

constexpr std::size_t kFloat = static_cast<std::size_t>(Profile::kFloat);
constexpr std::size_t kReference = static_cast<std::size_t>(Profile::kReference);
constexpr std::size_t kFast = static_cast<std::size_t>(Profile::kFast);

// f32 in `float`, bf16 else. `reference` keeps what a vendor form rounds to, which bf16 holds
// exactly.
CachePart PlainPart(std::string_view name, int layer, std::int64_t width) {
  CachePart part;
  part.name = name;
  part.layer = layer;
  part.width = width;
  part.dtype = {DType::kF32, DType::kBF16, DType::kBF16};
  part.entry_bytes = {4 * width, 2 * width, 2 * width};
  return part;
}

// The same, but `fast` holds the vendor's packed form.
CachePart PackedPart(std::string_view name, int layer, std::int64_t width,
                     std::int64_t packed_bytes) {
  CachePart part = PlainPart(name, layer, width);
  part.dtype[kFast] = DType::kU8;
  part.entry_bytes[kFast] = packed_bytes;
  return part;
}

CachePart Window(CachePart part, std::int64_t entries) {
  part.kind = CachePartKind::kWindow;
  part.entries = entries;
  return part;
}

CachePart Compressed(CachePart part, std::int64_t tokens_per_entry) {
  part.tokens_per_entry = tokens_per_entry;
  return part;
}

// Sums in progress are f32 whatever the profile (architectures.md 4.6.2).
CachePart Partial(std::string_view name, int layer, std::int64_t width, std::int64_t entries) {
  CachePart part = PlainPart(name, layer, width);
  part.kind = CachePartKind::kPartial;
  part.entries = entries;
  part.dtype = {DType::kF32, DType::kF32, DType::kF32};
  part.entry_bytes = {4 * width, 4 * width, 4 * width};
  return part;
}

// Packed bytes of one entry, by generation.
// V3.2 (architectures.md 3.5): E4M3 latent, F32 scale per 128, BF16 rope key.
std::int64_t PackedLatent(const AttentionSpec& a) {
  return a.kv_rank + 4 * CeilDiv(a.kv_rank, 128) + 2 * a.rope_dim;
}
std::int64_t PackedIndexV32(const AttentionSpec& a) {
  return a.index_head_dim + 4 * CeilDiv(a.index_head_dim, 128);
}
// V4 (4.11): E4M3 but for the BF16 rope part, E8M0 scale per 64 padded to 8 bytes.
std::int64_t PackedKvV4(const AttentionSpec& a) {
  const std::int64_t scales = CeilDiv(a.nope_dim, 64);
  return a.nope_dim + 2 * a.rope_dim + CeilDiv(scales, 8) * 8;
}
// V4, V4.1: FP4 index keys, E8M0 scale per 32.
std::int64_t PackedIndexFp4(const AttentionSpec& a) {
  return CeilDiv(a.index_head_dim, 2) + CeilDiv(a.index_head_dim, 32);
}
// V4.1 (5.11): windows E4M3 with E8M0 scale per 32; entries FP4 with E4M3 scale per 16.
std::int64_t PackedWindowV41(const AttentionSpec& a) {
  return a.head_dim + CeilDiv(a.head_dim, 32);
}
std::int64_t PackedKvV41(const AttentionSpec& a) {
  return CeilDiv(a.head_dim, 2) + CeilDiv(a.head_dim, 16);
}

void AddV4(const AttentionSpec& a, const LayerSpec& layer, int index,
           std::vector<CachePart>* parts) {
  const std::int64_t packed = PackedKvV4(a);
  parts->push_back(Window(PackedPart("window", index, a.head_dim, packed), a.window));
  if (layer.ratio == 0) return;
  parts->push_back(Compressed(PackedPart("compressed", index, a.head_dim, packed), layer.ratio));
  if (layer.attention == AttentionKind::kCompressed) {
    parts->push_back(Partial("partial", index, 2 * a.head_dim, layer.ratio));
    return;
  }
  // Overlapping groups: values and scores of both halves of the present group, and of one half of
  // the last.
  parts->push_back(
      Compressed(PackedPart("index", index, a.index_head_dim, PackedIndexFp4(a)), layer.ratio));
  parts->push_back(Partial("partial", index, 6 * a.head_dim, layer.ratio));
  parts->push_back(Partial("index_partial", index, 6 * a.index_head_dim, layer.ratio));
}

void AddV41(const AttentionSpec& a, const LayerSpec& layer, int index,
            std::vector<CachePart>* parts) {
  parts->push_back(Window(PackedPart("window", index, a.head_dim, PackedWindowV41(a)), a.window));
  if (layer.ratio == 0 || layer.kv_source != index) return;
  parts->push_back(
      Compressed(PackedPart("compressed", index, a.head_dim, PackedKvV41(a)), layer.ratio));
  parts->push_back(
      Compressed(PackedPart("index", index, a.index_head_dim, PackedIndexFp4(a)), layer.ratio));
  if (layer.ratio > 1) parts->push_back(Partial("partial", index, 2 * a.head_dim, layer.ratio));
}

void AddParts(const ModelSpec& spec, const LayerSpec& layer, int index,
              std::vector<CachePart>* parts) {
  const AttentionSpec& a = spec.attention;
  switch (layer.attention) {
    case AttentionKind::kGrouped:
      parts->push_back(PlainPart("keys", index, a.kv_heads * a.head_dim));
      parts->push_back(PlainPart("values", index, a.kv_heads * a.head_dim));
      return;
    case AttentionKind::kLatent:
      parts->push_back(PlainPart("latent", index, a.kv_rank + a.rope_dim));
      return;
    case AttentionKind::kLatentSparse:
      parts->push_back(PackedPart("latent", index, a.kv_rank + a.rope_dim, PackedLatent(a)));
      parts->push_back(PackedPart("index", index, a.index_head_dim, PackedIndexV32(a)));
      return;
    case AttentionKind::kWindow:
    case AttentionKind::kCompressedSparse:
    case AttentionKind::kCompressed:
      if (spec.generation == Generation::kDeepSeekV4) return AddV4(a, layer, index, parts);
      return AddV41(a, layer, index, parts);
  }
}

static_assert(kFloat == 0 && kReference == 1 && kFast == 2, "the arrays above are in this order");

std::uint64_t MulSaturating(std::uint64_t a, std::uint64_t b) {
  return CheckedMul(a, b).value_or(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace

std::vector<CachePart> CacheParts(const ModelSpec& spec) {
  std::vector<CachePart> parts;
  for (int i = 0; i < static_cast<int>(spec.layer_count()); ++i)
    AddParts(spec, spec.layers[static_cast<std::size_t>(i)], i, &parts);
  return parts;
}

double CacheBytesPerToken(const ModelSpec& spec, Profile profile) {
  double bytes = 0.0;
  for (const CachePart& part : CacheParts(spec))
    if (part.kind == CachePartKind::kTokens)
      bytes += static_cast<double>(part.entry_bytes_of(profile)) /
               static_cast<double>(part.tokens_per_entry);
  return bytes;
}

std::uint64_t CacheBytes(const ModelSpec& spec, Profile profile, std::int64_t tokens,
                         std::int64_t page_tokens) {
  std::uint64_t total = 0;
  for (const CachePart& part : CacheParts(spec)) {
    const std::int64_t entries =
        part.kind == CachePartKind::kTokens
            ? CeilDiv(CeilDiv(tokens, part.tokens_per_entry), page_tokens) * page_tokens
            : part.entries;
    const std::uint64_t bytes =
        MulSaturating(static_cast<std::uint64_t>(entries),
                      static_cast<std::uint64_t>(part.entry_bytes_of(profile)));
    total = CheckedAdd(total, bytes).value_or(std::numeric_limits<std::uint64_t>::max());
  }
  return total;
}

}  // namespace hadal
