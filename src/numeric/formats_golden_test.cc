// The number formats against the shared goldens units/formats.safetensors (tables and dequantised
// blocks) and units/act_quant.safetensors (rounding to codes as the releases do it).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "numeric/formats.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

struct Tensor {
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;
  std::int64_t rows() const { return shape.size() > 1 ? shape[0] : 1; }
  std::int64_t columns() const { return shape.back(); }
  float F32(std::int64_t i) const { return LoadUnaligned<float>(data + 4 * i); }
  float Bf16(std::int64_t i) const { return Bf16ToF32(LoadUnaligned<std::uint16_t>(data + 2 * i)); }
  int Byte(std::int64_t i) const { return static_cast<int>(data[i]); }
};

class Goldens {
 public:
  explicit Goldens(const std::string& path) : file_(MappedFile::Open(path).value()) {
    const std::byte* bytes = file_->bytes().data();
    const auto header = LoadUnaligned<std::uint64_t>(bytes);
    document_ = ParseJson({reinterpret_cast<const char*>(bytes + 8), header}, path).value();
    for (const Metadata::Member& member : document_.root().members()) {
      if (member.key == "__metadata__") continue;
      Tensor& tensor = tensors_[std::string(member.key)];
      for (const Metadata& size : member.value.Find("shape")->items())
        tensor.shape.push_back(*size.integer());
      tensor.data = bytes + 8 + header + *member.value.Find("data_offsets")->items()[0].integer();
    }
  }
  const Tensor& operator[](const std::string& name) const { return tensors_.at(name); }

 private:
  std::shared_ptr<const MappedFile> file_;
  MetadataDocument document_;
  std::map<std::string, Tensor> tensors_;
};

bool SameFloat(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

TEST(FormatGoldens, Tables) {
  HADAL_NEEDS_SHARED(shared);
  const Goldens goldens(shared + "/golden/units/formats.safetensors");
  for (int i = 0; i < 256; ++i) {
    const auto code = static_cast<std::uint8_t>(i);
    EXPECT_PRED2(SameFloat, E4m3ToF32(code), goldens["e4m3"].F32(i)) << i;
    EXPECT_PRED2(SameFloat, E8m0ToF32(code), goldens["e8m0"].F32(i)) << i;
  }
  for (int i = 0; i < 16; ++i) EXPECT_PRED2(SameFloat, E2m1ToF32(i), goldens["e2m1"].F32(i)) << i;
}

TEST(FormatGoldens, Fp8Blocks) {
  HADAL_NEEDS_SHARED(shared);
  const Goldens goldens(shared + "/golden/units/formats.safetensors");
  for (const auto& [name, block] :
       {std::pair{"fp8_128_partial", 128}, {"fp8_32", 32}, {"fp8_32_partial", 32}})
    for (const bool e8m0 : {false, true}) {
      const std::string kind = e8m0 ? "e8m0" : "f32", base = name;
      const Tensor& code = goldens[base + ".code"];
      const Tensor& scale = goldens[base + ".scale_" + kind];
      const Tensor& want = goldens[base + ".value_" + kind];
      std::vector<float> got(static_cast<std::size_t>(code.columns()));
      for (std::int64_t row = 0; row < code.rows(); ++row) {
        DecodeRow({.format = WeightFormat::kFp8Block,
                   .codes = code.data + row * code.columns(),
                   .scales = scale.data + row / block * scale.columns() * (e8m0 ? 1 : 4),
                   .scale_dtype = e8m0 ? DType::kF8E8M0 : DType::kF32,
                   .block = block},
                  0, code.columns(), got.data());
        for (std::int64_t i = 0; i < code.columns(); ++i)
          ASSERT_PRED2(SameFloat, got[static_cast<std::size_t>(i)],
                       want.F32(row * code.columns() + i))
              << base << " " << kind << " row " << row << " column " << i;
      }
    }
}

TEST(FormatGoldens, PackedFp4) {
  HADAL_NEEDS_SHARED(shared);
  const Goldens goldens(shared + "/golden/units/formats.safetensors");
  const Tensor& packed = goldens["fp4.packed"];
  const Tensor& scale = goldens["fp4.scale"];
  const Tensor& want = goldens["fp4.value"];
  std::vector<float> got(static_cast<std::size_t>(want.columns()));
  for (std::int64_t row = 0; row < packed.rows(); ++row) {
    DecodeRow({.format = WeightFormat::kMxfp4,
               .codes = packed.data + row * packed.columns(),
               .scales = scale.data + row * scale.columns()},
              0, want.columns(), got.data());
    for (std::int64_t i = 0; i < want.columns(); ++i)
      ASSERT_PRED2(SameFloat, got[static_cast<std::size_t>(i)], want.F32(row * want.columns() + i));
  }
}

float LargestOf(const Tensor& x, std::int64_t first, int count) {
  float largest = 0.0f;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::fabs(x.Bf16(first + i)));
  return largest;
}

TEST(FormatGoldens, Fp8CodesOfActivations) {
  HADAL_NEEDS_SHARED(shared);
  const Goldens goldens(shared + "/golden/units/act_quant.safetensors");
  for (const int block : {128, 64, 32})
    for (const bool e8m0 : {false, true}) {
      const std::string name = "fp8_b" + std::to_string(block);
      const Tensor& x = goldens[name + ".x"];
      const Tensor& code = goldens[name + (e8m0 ? ".ue8m0.code" : ".f32.code")];
      const Tensor& want = goldens[name + (e8m0 ? ".ue8m0.scale" : ".f32.scale")];
      for (std::int64_t first = 0; first < x.rows() * x.columns(); first += block) {
        const float largest = std::max(LargestOf(x, first, block), 1e-4f);
        float scale = largest / 448.0f;
        if (e8m0) {
          const std::uint8_t exponent = F32ToE8m0Up(largest * (1.0f / 448.0f));
          ASSERT_EQ(exponent, want.Byte(first / block)) << name;
          scale = E8m0ToF32(exponent);
        } else {
          ASSERT_EQ(scale, want.F32(first / block)) << name;
        }
        for (std::int64_t i = first; i < first + block; ++i)
          ASSERT_EQ(F32ToE4m3(x.Bf16(i) / scale), code.Byte(i)) << name << " value " << i;
      }
    }
}

TEST(FormatGoldens, Fp4CodesOfActivations) {
  HADAL_NEEDS_SHARED(shared);
  const Goldens goldens(shared + "/golden/units/act_quant.safetensors");
  for (const bool e8m0 : {true, false}) {
    const std::string name = e8m0 ? "fp4_e8m0_b32" : "fp4_e4m3_b16";
    const int block = e8m0 ? 32 : 16;
    const Tensor& x = goldens[name + ".x"];
    for (std::int64_t first = 0; first < x.rows() * x.columns(); first += block) {
      const float largest = LargestOf(x, first, block);
      const std::uint8_t code =
          e8m0 ? F32ToE8m0Up(std::max(largest, 6.0f * 0x1p-126f) * (1.0f / 6.0f))
               : F32ToE4m3(std::max(largest, 6.0f * 0x1p-9f) / 6.0f);
      ASSERT_EQ(code, goldens[name + ".scale"].Byte(first / block));
      const float scale = e8m0 ? E8m0ToF32(code) : E4m3ToF32(code);
      for (std::int64_t i = first; i < first + block; ++i)
        ASSERT_EQ(F32ToE2m1(x.Bf16(i) / scale), goldens[name + ".code"].Byte(i))
            << name << " " << i;
    }
  }
}

}  // namespace
}  // namespace hadal
