#include <cstdint>

#include "formats/fuzz_touch.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hadal::ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto whole = hadal::ParseSafetensors(bytes, size, "fuzz");
  if (whole.ok()) hadal::TouchTensors(whole->tensors, bytes);
  // Behind the length checks: the same header in a file that is long enough.
  const auto header = hadal::ParseSafetensors(bytes, hadal::kPretendedFileBytes, "fuzz");
  (void)header.status().ToString();
  return 0;
}
