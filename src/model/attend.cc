#include "model/attend.h"

namespace hadal {

void StorePart(StepState& step, const View& rows, std::size_t part) {
  for (const StepSegment& segment : step.segments)
    step.ops->Run(StoreRows{rows.Rows(segment.first_row, segment.row_count),
                            segment.sequence->Part(part), segment.position});
}

std::vector<AttendRows> AttendTable(const StepState& step, std::size_t key_part,
                                    std::size_t value_part) {
  std::vector<AttendRows> table;
  table.reserve(step.segments.size());
  for (const StepSegment& segment : step.segments)
    table.push_back({segment.first_row, segment.row_count, segment.position,
                     segment.sequence->Part(key_part), segment.sequence->Part(value_part)});
  return table;
}

}  // namespace hadal
