// The commands of the program, one file each. Each function describes its command's options and
// what it does with them; docs/cli.md is the contract.
#pragma once

#include "options.h"

namespace hadal {

void AddRun(Options program);
void AddTokenize(Options program);
void AddCheck(Options program);
void AddPerplexity(Options program);
void AddBench(Options program);
void AddInspect(Options program);
void AddServe(Options program);
void AddSynth(Options program);
void AddMachine(Options program);
void AddList(Options program);
void AddUsage(Options program);
void AddPull(Options program);
void AddRemove(Options program);

}  // namespace hadal
