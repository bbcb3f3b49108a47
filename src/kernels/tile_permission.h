// Whether this process may use matrix tiles (AMX). Tiles are 8 KiB more for the system to save with
// each thread that uses them, and Linux (5.16 on) wants to be asked before the first of a process
// does; the answer holds for all of its threads, and a thread gets the memory when it first uses a
// tile.
#pragma once

namespace hadal {

// Asks the system at the first call. False where it refuses or does not know tiles; also where an
// alternate signal stack of a thread is too small for them.
bool MayUseTiles() noexcept;

}  // namespace hadal
