// What all attention kinds do with the cache: write the step's rows, read the pages.
#pragma once

#include <vector>

#include "model/step_state.h"

namespace hadal {

// Writes the rows of every segment to their positions in a cache part.
void StorePart(StepState& step, const View& rows, std::size_t part);

// The page tables of every segment. Attention whose values are columns of its keys passes the same
// part twice.
std::vector<AttendRows> AttendTable(const StepState& step, std::size_t key_part,
                                    std::size_t value_part);

}  // namespace hadal
