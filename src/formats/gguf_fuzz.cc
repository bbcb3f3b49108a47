#include <cstdint>

#include "base/json.h"
#include "formats/fuzz_touch.h"
#include "formats/gguf.h"
#include "formats/gguf_types.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hadal::ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto whole = hadal::ParseGguf(bytes, size, "fuzz", nullptr);
  if (whole.ok()) hadal::TouchTensors(whole->tensors, bytes);
  // Behind the length checks: the same header in a file that is long enough.
  const auto header = hadal::ParseGguf(bytes, hadal::kPretendedFileBytes, "fuzz", nullptr);
  (void)header.status().ToString();
  if (!header.ok()) return 0;
  (void)hadal::WriteJson(header->metadata.root());
  for (const hadal::TensorInfo& tensor : header->tensors)
    HADAL_CHECK(hadal::GgmlOfDType(tensor.dtype).has_value(), "what is read can be written");
  return 0;
}
