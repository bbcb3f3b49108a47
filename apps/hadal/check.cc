// hadal check: the model, the tokenizer, the prompt encodings, the answer parsers and determinism,
// each against what is written down.
#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/status.h"
#include "child_process.h"
#include "commands.h"
#include "engine/model_folder.h"
#include "eval/check_encode.h"
#include "eval/check_model.h"
#include "eval/check_parse.h"
#include "eval/check_tokenizer.h"
#include "eval/check_weights.h"
#include "eval/determinism.h"
#include "kernels/cpu_level.h"
#include "model_choice.h"
#include "report.h"

namespace hadal {
namespace {

constexpr int kCheckFailed = 1;

struct ModelCheck {
  ModelChoice choice;
  std::string expected, profile = "float";
  std::optional<double> tolerance;
  bool inject = false, json = false;

  Result<CheckModelReport> Run() const {
    CheckModelOptions options;
    HADAL_ASSIGN_OR_RETURN(options.profile, ProfileNamed(profile));
    options.tolerance = tolerance;
    options.inject = inject;
    HADAL_ASSIGN_OR_RETURN(const auto checkpoint, OpenCheckpoint(choice));
    const std::string path =
        expected.empty() ? ExpectedBeside(*checkpoint, options.profile) : expected;
    if (!FileExists(path))
      return Unusable(path, "no such file", "expected outputs", "name the file with --expected");
    HADAL_ASSIGN_OR_RETURN(const ExpectedFile file, ReadExpected(path));
    ModelChoice with_draft = choice;
    with_draft.draft = DraftUse::kIfAble;
    return CheckModel(OpenerOf(checkpoint, with_draft), file, options);
  }
};

void AddModel(Options group) {
  const auto check = std::make_shared<ModelCheck>();
  Options command = group.Command("model", "compare with a file of expected outputs", [check] {
    const auto report = check->Run();
    return Tell(report, check->json, report.ok() && report->ok ? 0 : kCheckFailed);
  });
  Describe(&command, &check->choice);
  command.Value("--expected", &check->expected, "the file (default: beside the model)");
  command.Choice("--profile", &check->profile, {"float", "reference", "fast"}, "default: float");
  command.Value("--tolerance", &check->tolerance, "largest difference of a logit in float");
  command.Flag("--inject", &check->inject, "start every layer from the stored residual");
  command.Flag("--json", &check->json, "print one JSON object");
}

struct WeightsCheck {
  std::string model;
  bool record = false, json = false;

  Result<CheckWeightsReport> Run() const {
    HADAL_ASSIGN_OR_RETURN(const std::string path, FindModel(model));
    return CheckWeights(path, ChecksumRecord(HadalHome(), path), record);
  }
};

void AddWeights(Options group) {
  const auto check = std::make_shared<WeightsCheck>();
  Options command =
      group.Command("weights", "compare the files with what they were when recorded", [check] {
        const auto report = check->Run();
        return Tell(report, check->json, report.ok() && report->ok() ? 0 : kCheckFailed);
      });
  command.Value("model", &check->model, "the model; the default one if left out");
  command.Flag("--record", &check->record, "record what is there now, whatever was");
  command.Flag("--json", &check->json, "print one JSON object");
}

// The three checks over files of vectors.
struct VectorCheck {
  std::string file, vectors;
  std::optional<std::string> overlay, format;
  bool json = false;
};

void AddVectors(Options group) {
  const auto check = std::make_shared<VectorCheck>();
  const auto tell = [check](const Result<CheckReport>& report) {
    return Tell(report, check->json, report.ok() && report->ok() ? 0 : kCheckFailed);
  };
  Options tokenizer = group.Command("tokenizer", "run tokenizer vectors", [check, tell] {
    return tell(CheckTokenizer(check->file, check->vectors, check->overlay));
  });
  tokenizer.Value("file", &check->file, "a tokenizer.json, also gzipped, or a .gguf file");
  tokenizer.Require("file");
  tokenizer.Value("vectors", &check->vectors, "a file of vectors");
  tokenizer.Require("vectors");
  tokenizer.Value("--overlay", &check->overlay, "a file that renames added tokens");
  tokenizer.Flag("--json", &check->json, "print one JSON object");

  const auto add = [&](const char* name, const char* help, auto run) {
    Options command = group.Command(
        name, help, [check, tell, run] { return tell(run(check->vectors, check->format)); });
    command.Value("vectors", &check->vectors, "a file of vectors");
    command.Require("vectors");
    command.Value("--format", &check->format, "the format (default: from the file's name)");
    command.Flag("--json", &check->json, "print one JSON object");
  };
  add("encode", "run prompt encoding vectors", CheckEncode);
  add("parse", "run answer parsing vectors", CheckParse);
}

struct DeterminismRun {
  ModelChoice choice;
  std::string only_level;  // a child process: print the hash of this level and end
  bool json = false;

  Result<DeterminismOptions> Work(const Checkpoint& checkpoint) const {
    DeterminismOptions options;
    if (const auto file = ReadExpected(ExpectedBeside(checkpoint, Profile::kFloat)); file.ok())
      for (const ExpectedPrompt& prompt : file->prompts)
        if (prompt.ids.size() > options.prompt.size()) options.prompt = prompt.ids;
    for (const CpuLevelInfo& level : AllCpuLevels())
      if (Supports(DetectCpuFeatures(), level.level)) options.isa_levels.emplace_back(level.name);
    return options;
  }

  static DeterminismFactory Factory(std::shared_ptr<const Checkpoint> checkpoint) {
    return [checkpoint = std::move(checkpoint)](int threads, const std::string& isa) {
      return OpenerOf(checkpoint, {"", isa, threads, DraftUse::kIfAble})(Profile::kFast);
    };
  }

  Result<std::string> HashOfLevel() const {
    HADAL_ASSIGN_OR_RETURN(const auto checkpoint, OpenCheckpoint(choice));
    HADAL_ASSIGN_OR_RETURN(const DeterminismOptions options, Work(*checkpoint));
    HADAL_ASSIGN_OR_RETURN(const auto model, Factory(checkpoint)(choice.threads, only_level));
    DeterminismSetting setting;
    setting.isa = only_level;
    return DeterminismHash(*model, setting, options);
  }

  Result<DeterminismReport> Run() const {
    HADAL_ASSIGN_OR_RETURN(const auto checkpoint, OpenCheckpoint(choice));
    HADAL_ASSIGN_OR_RETURN(const DeterminismOptions options, Work(*checkpoint));
    return CheckDeterminism(Factory(checkpoint), options, [&](const std::string& level) {
      return OutputOfOurselves(
          {"check", "determinism", checkpoint->path(), "--hash-of-level", level});
    });
  }
};

void AddDeterminism(Options group) {
  const auto run = std::make_shared<DeterminismRun>();
  Options command = group.Command(
      "determinism", "the same work under many settings must give the same bits", [run] {
        if (run->only_level.empty()) {
          const auto report = run->Run();
          return Tell(report, run->json, report.ok() && report->ok() ? 0 : kCheckFailed);
        }
        const auto hash = run->HashOfLevel();
        if (!hash.ok()) return Fail(hash.status());
        PrintLine(*hash);
        return 0;
      });
  command.Value("model", &run->choice.model, "the model; the default one if left out");
  command.Value("--hash-of-level", &run->only_level, "print the hash of one level's work and end");
  command.Flag("--json", &run->json, "print one JSON object");
}

}  // namespace

void AddCheck(Options program) {
  Options group = program.Command("check", "compare with what is written down");
  AddModel(group);
  AddWeights(group);
  AddVectors(group);
  AddDeterminism(group);
}

}  // namespace hadal
