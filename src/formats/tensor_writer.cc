#include "formats/tensor_writer.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace hadal {

Result<TensorFileWriter> TensorFileWriter::Create(const std::string& path,
                                                  TensorFileLayout layout) {
  HADAL_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  HADAL_RETURN_IF_ERROR(file.Write(layout.header));
  return TensorFileWriter(std::move(file), std::move(layout));
}

Status TensorFileWriter::PadTo(std::uint64_t offset_bytes) {
  static constexpr std::array<std::byte, 256> kZeros{};
  while (file_.written_bytes() < offset_bytes) {
    const std::uint64_t missing = offset_bytes - file_.written_bytes();
    HADAL_RETURN_IF_ERROR(
        file_.Write(ByteSpan(kZeros).first(std::min<std::uint64_t>(missing, kZeros.size()))));
  }
  return {};
}

Status TensorFileWriter::Append(ByteSpan bytes) {
  HADAL_CHECK(turn_ < layout_.tensors.size(), "data beyond the last tensor");
  const TensorInfo& tensor = layout_.tensors[turn_];
  HADAL_RETURN_IF_ERROR(PadTo(tensor.offset_bytes));
  const std::uint64_t end = tensor.offset_bytes + tensor.size_bytes;
  HADAL_CHECK(bytes.size() <= end - file_.written_bytes(), "a piece that crosses tensors");
  HADAL_RETURN_IF_ERROR(file_.Write(bytes));
  if (file_.written_bytes() == end) ++turn_;
  return {};
}

Status TensorFileWriter::Finish() {
  HADAL_CHECK(turn_ == layout_.tensors.size(), "a tensor without all its data");
  HADAL_RETURN_IF_ERROR(PadTo(layout_.file_bytes));
  return file_.Commit();
}

}  // namespace hadal
