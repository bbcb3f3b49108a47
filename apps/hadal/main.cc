// hadal: the command line. Arguments, wiring and printing only; the work is done by the library.
#include <csignal>

#include "commands.h"
#include "version.h"

int main(int argc, char** argv) {
  // A reader that goes away ends the output, not the program in the middle of a file.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is an error of its writer, not the end of a server.
  std::signal(SIGXFSZ, SIG_IGN);
  hadal::Program program("hadal",
                         "Runs DeepSeek-class language models on this machine, from the files that "
                         "their makers publish.\nMODEL is a directory with config.json, a .gguf "
                         "file, or a name from `hadal list`.",
                         hadal::kVersion);
  for (const auto add :
       {hadal::AddRun, hadal::AddTokenize, hadal::AddInspect, hadal::AddCheck, hadal::AddPerplexity,
        hadal::AddBench, hadal::AddServe, hadal::AddUsage, hadal::AddSynth, hadal::AddMachine,
        hadal::AddList, hadal::AddPull, hadal::AddRemove})
    add(program.options());
  return program.Run(argc, argv);
}
