// Reads the named tensors of a golden safetensors file, for tests of rooms below `formats`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"

namespace hadal {

struct GoldenTensor {
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;

  std::int64_t rows() const { return shape.size() > 1 ? shape[0] : 1; }
  std::int64_t columns() const { return shape.back(); }
  float F32(std::int64_t i) const { return LoadUnaligned<float>(data + 4 * i); }
  std::int64_t I64(std::int64_t i) const { return LoadUnaligned<std::int64_t>(data + 8 * i); }
  std::vector<float> Floats() const {
    std::vector<float> values(static_cast<std::size_t>(rows() * columns()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = F32(static_cast<std::int64_t>(i));
    return values;
  }
};

class GoldenTensors {
 public:
  explicit GoldenTensors(const std::string& path) : file_(MappedFile::Open(path).value()) {
    const std::byte* bytes = file_->bytes().data();
    const auto header = LoadUnaligned<std::uint64_t>(bytes);
    document_ = ParseJson({reinterpret_cast<const char*>(bytes + 8), header}, path).value();
    for (const Metadata::Member& member : document_.root().members()) {
      if (member.key == "__metadata__") continue;
      GoldenTensor& tensor = tensors_[std::string(member.key)];
      for (const Metadata& size : member.value.Find("shape")->items())
        tensor.shape.push_back(*size.integer());
      tensor.data = bytes + 8 + header + *member.value.Find("data_offsets")->items()[0].integer();
    }
  }
  const GoldenTensor& operator[](const std::string& name) const { return tensors_.at(name); }

 private:
  std::shared_ptr<const MappedFile> file_;
  MetadataDocument document_;
  std::map<std::string, GoldenTensor> tensors_;
};

}  // namespace hadal
