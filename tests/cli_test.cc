// The program as users and scripts see it: exit codes, and one JSON object with the members that
// docs/cli.md promises and nothing else on standard output.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/model_folder.h"
#include "fetch/pull_test_data.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

struct Ran {
  int exit_code = -1;
  std::string output;  // standard output alone
};

Ran Hadal(const std::string& arguments) {
  const std::string command = HADAL_PROGRAM " " + arguments + " 2>/dev/null </dev/null";
  Ran ran;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer;
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    ran.output.append(buffer.data(), count);
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

// Runs with --json; the one object, which must have these members.
MetadataDocument Json(const std::string& arguments, const std::vector<std::string>& members,
                      int exit_code = 0) {
  const Ran ran = Hadal(arguments + " --json");
  EXPECT_EQ(ran.exit_code, exit_code) << arguments;
  EXPECT_EQ(ran.output.find('\n'), ran.output.size() - 1) << "one line, one object";
  auto document = ParseJson(ran.output, arguments);
  EXPECT_TRUE(document.ok()) << arguments << ": " << document.status().ToString();
  if (!document.ok()) return {};
  for (const std::string& member : members)
    EXPECT_NE(document->root().Find(member), nullptr) << arguments << ": " << member;
  return *std::move(document);
}

const std::vector<std::string> kRunMembers = {"text",
                                              "reasoning",
                                              "ids",
                                              "finish_reason",
                                              "prompt_tokens",
                                              "replayed_tokens",
                                              "generated_tokens",
                                              "prefill_seconds",
                                              "decode_seconds",
                                              "accepted_draft_tokens"};

TEST(Cli, WrongUsageIsTwo) {
  for (const char* arguments :
       {"", "nope", "run --nope", "run --ids 1 -p x", "run --ids 1,b", "run --temp x --ids 1",
        "run -p x --experts mass", "run -p x --draft best",
        "run -p x --draft ngram --draft-tokens 0", "run -p x --profile exact",
        "run --raw --system s -p x", "check", "check nope", "perplexity", "synth v3",
        "synth nope --out x", "tokenize --text a -f b"}) {
    const Ran ran = Hadal(arguments);
    EXPECT_EQ(ran.exit_code, 2) << arguments;
    EXPECT_EQ(ran.output, "") << arguments;
  }
}

TEST(Cli, HelpIsZero) {
  for (const char* command :
       {"", "run", "tokenize", "inspect", "check", "check model", "check tokenizer", "check encode",
        "check parse", "check determinism", "perplexity", "bench", "bench kernels", "synth",
        "machine", "list", "pull", "rm"}) {
    const Ran ran = Hadal(std::string(command) + " --help");
    EXPECT_EQ(ran.exit_code, 0) << command;
    EXPECT_NE(ran.output.find("--help"), std::string::npos) << command;
  }
}

TEST(Cli, UnusableFilesAreThree) {
  for (const char* command : {"run --ids 1 ", "inspect ", "check model ", "tokenize --text a "})
    EXPECT_EQ(Hadal(std::string(command) + "no/such/model").exit_code, 3) << command;
  EXPECT_EQ(Hadal("check parse no/such/parse_v3.jsonl").exit_code, 3);
}

TEST(Cli, RunOnIds) {
  HADAL_NEEDS_SHARED(shared);
  const std::string model = shared + "/golden/models/llama_a";
  const auto document = Json("run " + model + " --ids 5,6,7 -n 4 --temp 0", kRunMembers);
  const Metadata& root = document.root();
  EXPECT_EQ(root.Find("ids")->items().size(), 4u);
  EXPECT_EQ(root.Find("prompt_tokens")->integer(), 3);
  EXPECT_EQ(root.Find("finish_reason")->string(), "length");
  EXPECT_TRUE(root.Find("reasoning")->is_null());
  // People get the ids of a model without a tokenizer, as a list that --ids takes.
  std::string ids;
  for (const Metadata& id : root.Find("ids")->items())
    ids += (ids.empty() ? "" : ",") + std::to_string(*id.integer());
  EXPECT_EQ(Hadal("run " + model + " --ids 5,6,7 -n 4 --temp 0").output, ids + "\n");

  EXPECT_EQ(Hadal("run " + model + " -p text").exit_code, 3) << "it has no tokenizer";
  EXPECT_EQ(Hadal("run " + model + " --ids 5,512").exit_code, 2) << "an id beyond the vocabulary";
  EXPECT_EQ(Hadal("run " + model + " --ids 5,6 --ctx 4 -n 3").exit_code, 2) << "context";
  EXPECT_EQ(Hadal("run " + model + " --ids 5,6 --ctx 5 -n 3").exit_code, 0);
}

TEST(Cli, SeedsDecideTokens) {
  HADAL_NEEDS_SHARED(shared);
  const std::string run =
      "run " + shared + "/golden/models/qwen2_a --ids 5,6,7 -n 16 --temp 1.5 --ignore-eos ";
  const std::string one = Hadal(run + "--seed 1").output;
  EXPECT_EQ(Hadal(run + "--seed 1 --threads 1 --isa ref").output, one);
  EXPECT_NE(Hadal(run + "--seed 2").output, one);
}

TEST(Cli, InspectAndChecks) {
  HADAL_NEEDS_SHARED(shared);
  const std::string model = shared + "/golden/models/v3_a";
  const auto inspected =
      Json("inspect " + model, {"architecture", "generation", "layers", "parameters",
                                "active_parameters", "bytes_by_format", "cache_bytes_per_token",
                                "memory", "context_tokens", "vocabulary", "runnable"});
  for (const char* member :
       {"mapped_bytes", "derived_bytes", "cache_bytes", "scratch_bytes", "program_bytes"})
    EXPECT_GT(inspected.root().Find("memory")->Find(member)->integer().value_or(0), 0) << member;

  const std::vector<std::string> check = {"ok", "profile", "tolerance", "prompts", "skipped"};
  EXPECT_EQ(Json("check model " + model, check).root().Find("ok")->boolean(), true);
  const auto strict = Json("check model " + model + " --tolerance 1e-12", check, 1);
  EXPECT_EQ(strict.root().Find("ok")->boolean(), false);
  const std::vector<std::string> vectors = {"ok", "total", "passed", "failures", "disputed"};
  const std::string text = shared + "/golden/text/";
  Json("check encode " + text + "encode_smollm2.jsonl", vectors);
  Json("check parse " + text + "parse_v3.jsonl", vectors);
  Json("check tokenizer " + text + "tokenizers/smollm2/tokenizer.json.gz " + text +
           "stream_decode_smollm2.jsonl",
       vectors);
}

TEST(Cli, Tokenize) {
  HADAL_NEEDS_SHARED(shared);
  const auto tokens = Json("tokenize " + shared +
                               "/golden/text/tokenizers/smollm2/tokenizer.json.gz --text "
                               "'Hello world'",
                           {"ids", "pieces", "count"});
  EXPECT_EQ(tokens.root().Find("count")->integer(), 2);
  EXPECT_EQ(tokens.root().Find("pieces")->items()[1].string(), " world");
}

TEST(Cli, SyntheticModelsRunOnText) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("hadal_cli_test_" + std::to_string(getpid())))
          .string();
  EXPECT_EQ(Hadal("synth smollm2-135m --layers 1 --out " + folder).exit_code, 0);
  const auto document = Json("run " + folder + " --raw -p abc -n 3 --temp 0", kRunMembers);
  EXPECT_EQ(document.root().Find("prompt_tokens")->integer(), 3);
  EXPECT_EQ(Hadal("run " + folder + " -p abc").exit_code, 3) << "it has no chat template";
  std::filesystem::remove_all(folder);
}

TEST(Cli, PullsAModelThatRuns) {
  const PullFolder home;
  const std::string made = home.path() + "_made";
  ASSERT_EQ(Hadal("synth tiny --out " + made).exit_code, 0);
  FakeRepository repository;
  for (const auto& entry : std::filesystem::directory_iterator(made))
    repository.files[entry.path().filename().string()] = PullFolder::Read(entry.path().string());
  FakeHub hub([&](const HubRequest& request) { return repository.Answer(request); });
  ASSERT_EQ(setenv("HADAL_HOME", std::filesystem::path(home.path()).parent_path().c_str(), 1), 0);
  const std::string pull = "pull some/model --from " + hub.url();
  Json(pull, {"name", "path", "bytes", "fetched_bytes"});
  EXPECT_EQ(Json(pull, {}).root().Find("fetched_bytes")->integer(), 0) << "it is there";
  EXPECT_EQ(Json("list", {"folder"}).root().Find("models")->items().size(), 1u);
  EXPECT_EQ(Hadal("run model -p a -n 2").exit_code, 0);
  EXPECT_EQ(Hadal("pull model --from " + hub.url()).exit_code, 2) << "no owner";
  EXPECT_EQ(Hadal("pull some/other --from " + hub.url()).exit_code, 3);
  EXPECT_EQ(Hadal("rm model").exit_code, 0);
  EXPECT_EQ(Hadal("rm model").exit_code, 2) << "it is gone";
  EXPECT_FALSE(home.Has("model"));
  unsetenv("HADAL_HOME");
}

TEST(Cli, DefaultModelAnswers) {
  if (!FindModel("").ok()) GTEST_SKIP() << "the default model is not here (scripts/run)";
  const auto document =
      Json("run -p 'What is the capital of France?' --temp 0 --profile float", kRunMembers);
  EXPECT_EQ(document.root().Find("text")->string(), "The capital of France is Paris.");
  EXPECT_EQ(document.root().Find("finish_reason")->string(), "stop");
}

}  // namespace
}  // namespace hadal
