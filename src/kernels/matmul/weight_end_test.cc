// Products read nothing behind their weight: a tensor may be the last of a mapped file, which may
// end where a page does, and the byte after it then ends the program.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/bytes.h"
#include "kernels/host_view.h"
#include "kernels/test_matrix.h"

namespace hadal {
namespace {

using kernel_test::MakeMatrix;
using kernel_test::OpsAt;

// A copy of some bytes that ends where a page begins which nobody may read.
class AtTheEnd {
 public:
  explicit AtTheEnd(const std::vector<std::byte>& bytes)
      : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        length_(RoundUp(bytes.size(), page_) + page_),
        start_(static_cast<std::byte*>(
            ::mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        bytes_(start_ + length_ - page_ - bytes.size()) {
    EXPECT_EQ(::mprotect(start_ + length_ - page_, page_, PROT_NONE), 0);
    std::memcpy(bytes_, bytes.data(), bytes.size());
  }
  ~AtTheEnd() { ::munmap(start_, length_); }
  AtTheEnd(const AtTheEnd&) = delete;
  AtTheEnd& operator=(const AtTheEnd&) = delete;

  std::byte* data() const { return bytes_; }

 private:
  std::size_t page_, length_;
  std::byte *start_, *bytes_;
};

TEST(WeightEnd, IsNotReadBeyond) {
  for (const WeightFormatInfo& info : AllWeightFormats())
    for (const std::int64_t columns : {256, 512})
      for (const std::int64_t outputs : {1, 16, 37}) {
        const auto matrix = MakeMatrix({info.format, outputs, columns}, 5);
        const AtTheEnd codes(matrix->codes);
        Linear weight = matrix->linear;
        weight.data =
            HostView(codes.data(), weight.data.dtype, {weight.data.shape[0], weight.data.shape[1]});
        for (const std::string& level : kernel_test::LevelsOfProducts())
          for (const Profile profile : {Profile::kFast, Profile::kFloat}) {
            const auto ops = OpsAt(level, profile);
            for (const std::int64_t rows : {1, 3, 20}) {
              SCOPED_TRACE(std::string(info.name) + " " + level + " " + std::to_string(rows));
              const kernel_test::Rows x(rows, columns, 7), y(rows, outputs, 8), want = y.Copy();
              const MatMul call{&weight, x.view(), y.view()};
              ops->Run(std::span<const MatMul>(&call, 1));
              const MatMul same{&matrix->linear, x.view(), want.view()};
              ops->Run(std::span<const MatMul>(&same, 1));
              ASSERT_EQ(kernel_test::FirstDifference(y.Values(), want.Values()), -1);
            }
          }
      }
}

}  // namespace
}  // namespace hadal
