#include "formats/safetensors.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "formats/layout.h"

namespace hadal {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // the format's own limit
constexpr int kHeaderDepth = 8;                          // three levels occur

// Types that the format knows and no published checkpoint of ours holds.
constexpr std::array<std::string_view, 10> kKnownNotRead = {
    "F8_E5M2", "F4",  "F6_E2M3", "F6_E3M2",     "U16",
    "U32",     "U64", "C64",     "F8_E4M3FNUZ", "F8_E5M2FNUZ"};

// Only plain types: the names of GGUF's blocks mean nothing here.
Result<DType> ReadDType(const Metadata* field, const std::string& where) {
  const auto name = field != nullptr ? field->string() : std::nullopt;
  if (!name)
    return Unusable(where, field == nullptr ? "no \"dtype\"" : field->Describe(),
                    "\"dtype\" with the name of a number format", kDamaged);
  const auto dtype = DTypeByName(*name);
  if (dtype && Info(*dtype).block_values == 1) return *dtype;
  const bool known =
      std::find(kKnownNotRead.begin(), kKnownNotRead.end(), *name) != kKnownNotRead.end();
  if (known)
    return Unsupported(where, "number format " + std::string(*name), "BF16, F16, F32, F8_E4M3 ...",
                       "this quantisation is not supported; use the vendor's own files");
  return Unusable(where, "the unknown number format " + Quoted(*name),
                  "BF16, F16, F32, F8_E4M3 ...",
                  "the header is damaged, or written for a newer version of the format");
}

Result<std::vector<std::int64_t>> ReadShape(const Metadata* field, const std::string& where) {
  if (field == nullptr || !field->is_array())
    return Unusable(where, field == nullptr ? "no \"shape\"" : field->Describe(),
                    "\"shape\" with an array of dimensions", kDamaged);
  std::vector<std::int64_t> shape;
  for (const Metadata& item : field->items()) {
    const auto extent = item.is_integer() ? item.integer() : std::nullopt;
    if (!extent)
      return Unusable(where, "the dimension " + item.Describe(), "an integer of at most 63 bits",
                      kDamaged);
    shape.push_back(*extent);
  }
  HADAL_RETURN_IF_ERROR(CheckShape(shape, where));
  return shape;
}

struct Offsets {
  std::uint64_t begin = 0, end = 0;
};

Result<Offsets> ReadOffsets(const Metadata* field, const std::string& where) {
  const auto wrong = [&](const std::string& found) {
    return Unusable(where, found, "\"data_offsets\" with two integers, begin <= end", kDamaged);
  };
  if (field == nullptr) return wrong("no \"data_offsets\"");
  const auto items = field->items();
  if (items.size() != 2) return wrong(field->Describe());
  const auto begin = items[0].is_integer() ? items[0].unsigned_integer() : std::nullopt;
  const auto end = items[1].is_integer() ? items[1].unsigned_integer() : std::nullopt;
  if (!begin || !end || *begin > *end) return wrong(WriteJson(*field));
  return Offsets{*begin, *end};
}

Result<TensorInfo> ReadTensor(const Metadata::Member& member, std::uint64_t data_begin,
                              const std::string& file) {
  HADAL_RETURN_IF_ERROR(CheckName(member.key, file));
  const std::string where = file + ": tensor " + Quoted(member.key);
  if (!member.value.is_object())
    return Unusable(where, member.value.Describe(), "an object with dtype, shape, data_offsets",
                    kDamaged);
  TensorInfo tensor;
  tensor.name = std::string(member.key);
  HADAL_ASSIGN_OR_RETURN(tensor.dtype, ReadDType(member.value.Find("dtype"), where));
  HADAL_ASSIGN_OR_RETURN(tensor.shape, ReadShape(member.value.Find("shape"), where));
  HADAL_ASSIGN_OR_RETURN(tensor.size_bytes, TensorBytes(tensor.dtype, tensor.shape, where));
  HADAL_ASSIGN_OR_RETURN(const Offsets offsets,
                         ReadOffsets(member.value.Find("data_offsets"), where));
  if (offsets.end - offsets.begin != tensor.size_bytes)
    return Unusable(where, std::to_string(offsets.end - offsets.begin) + " bytes of data",
                    std::to_string(tensor.size_bytes) + " bytes for " +
                        std::string(Name(tensor.dtype)) + " " + ShapeText(tensor.shape),
                    "the header is damaged");
  const auto begin = CheckedAdd(data_begin, offsets.begin);
  if (!begin)
    return Unusable(where, "an offset that does not fit 64 bits", "a place in the file", kDamaged);
  tensor.offset_bytes = *begin;
  return tensor;
}

Status CheckMetadata(const Metadata& value, const std::string& where) {
  const bool strings = std::all_of(value.members().begin(), value.members().end(),
                                   [](const Metadata::Member& m) { return m.value.is_string(); });
  if (value.is_object() && strings) return {};
  return Unusable(where + ": __metadata__",
                  strings ? value.Describe() : "a value that is not a string",
                  "an object whose values are strings", kDamaged);
}

// Where the header ends, after checking that it lies inside the file.
Result<std::uint64_t> HeaderEnd(ByteSpan head, std::uint64_t file_bytes, const std::string& where) {
  if (head.size() < kLengthBytes)
    return Unusable(where, "a file of " + std::to_string(head.size()) + " bytes",
                    "at least 8 bytes: the header's length",
                    "is it a safetensors file, and complete?");
  const auto length = LoadUnaligned<std::uint64_t>(head.data());
  if (length > kMostHeaderBytes)
    return Unusable(where, "a header of " + std::to_string(length) + " bytes",
                    "at most " + std::to_string(kMostHeaderBytes), "is it a safetensors file?");
  const std::uint64_t end = kLengthBytes + length;
  if (end > file_bytes || end > head.size())
    return Unusable(where,
                    "a header of " + std::to_string(length) + " bytes in a file of " +
                        std::to_string(file_bytes),
                    "a header inside the file", "the file is cut short; fetch it again");
  return end;
}

}  // namespace

Result<SafetensorsHeader> ParseSafetensors(ByteSpan head, std::uint64_t file_bytes,
                                           const std::string& where) {
  HADAL_ASSIGN_OR_RETURN(const std::uint64_t data_begin, HeaderEnd(head, file_bytes, where));
  const auto chars = AsChars(head.subspan(kLengthBytes, data_begin - kLengthBytes));
  SafetensorsHeader header;
  HADAL_ASSIGN_OR_RETURN(header.document,
                         ParseJson(std::string_view(chars.data(), chars.size()), where + ": header",
                                   {.max_depth = kHeaderDepth}));
  const Metadata& root = header.document.root();
  if (!root.is_object())
    return Unusable(where + ": header", root.Describe(), "a JSON object", kDamaged);
  for (const Metadata::Member& member : root.members()) {
    if (member.key == "__metadata__") {
      HADAL_RETURN_IF_ERROR(CheckMetadata(member.value, where));
      continue;
    }
    HADAL_ASSIGN_OR_RETURN(TensorInfo tensor, ReadTensor(member, data_begin, where));
    header.tensors.push_back(std::move(tensor));
  }
  HADAL_RETURN_IF_ERROR(CheckNamesDiffer(header.tensors, where));
  HADAL_RETURN_IF_ERROR(
      PlaceTensors(&header.tensors, {data_begin, file_bytes, /*dense=*/true}, where));
  return header;
}

}  // namespace hadal
