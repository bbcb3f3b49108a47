// The raw tables of unicode_table.cc (generated); unicode_classes.h is how they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "text/code_set.h"

namespace hadal::unicode {

// All code points from 0 upwards as runs of one general category: length << 5 | category, the
// category as an index into kCategoryNames of unicode_classes.cc.
extern const std::uint32_t kCategoryRuns[];
extern const std::size_t kCategoryRunCount;

extern const CodeRange kWhiteSpace[];
extern const std::size_t kWhiteSpaceCount;
extern const CodeRange kHan[];
extern const std::size_t kHanCount;

}  // namespace hadal::unicode
