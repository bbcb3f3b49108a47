// The layout of one GGUF file, version 3 (format: gguf.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"
#include "formats/tensor_writer.h"

namespace hadal {

// The key/value pairs of a header, each with the type that readers expect of it. The caller adds
// each key once.
class GgufPairs {
 public:
  void U32(std::string_view key, std::uint32_t value);
  void F32(std::string_view key, float value);
  void Bool(std::string_view key, bool value);
  void String(std::string_view key, std::string_view value);
  void Strings(std::string_view key, std::span<const std::string> values);
  void I32s(std::string_view key, std::span<const std::int32_t> values);
  void F32s(std::string_view key, std::span<const float> values);

  std::uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void Key(std::string_view key, GgufValueType type);
  void ArrayKey(std::string_view key, GgufValueType type, std::uint64_t length);

  std::string bytes_;
  std::uint64_t count_ = 0;
};

// Places the tensors in the order given, each at a multiple of 32, and sets their offsets and
// sizes. Shapes are row-major. Only name, dtype and shape of the tensors are read. Errors:
// kUnusable for a name or shape that the reader would refuse, or a type that GGUF lacks.
Result<TensorFileLayout> GgufLayout(const GgufPairs& pairs, std::vector<TensorInfo> tensors);

}  // namespace hadal
