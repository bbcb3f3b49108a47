// hadal run: one answer, or a chat.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "answer_printer.h"
#include "base/file.h"
#include "base/status.h"
#include "chat.h"
#include "commands.h"
#include "json_object.h"
#include "report.h"
#include "run_options.h"
#include "terminal.h"
#include "verify.h"

namespace hadal {
namespace {

// The text to answer: -p, -f, or what comes through a pipe.
Result<std::string> PromptText(const RunOptions& options) {
  if (options.prompt) return *options.prompt;
  if (options.file) return ReadFile(*options.file);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

Status SetPrompt(const RunOptions& options, GenerateRequest* request) {
  if (options.ids) {
    HADAL_ASSIGN_OR_RETURN(std::vector<std::int32_t> ids, ParseIds(*options.ids));
    request->prompt = TokenIds{std::move(ids)};
    return {};
  }
  HADAL_ASSIGN_OR_RETURN(std::string text, PromptText(options));
  if (options.raw) {
    request->prompt = RawText{std::move(text)};
    return {};
  }
  Chat chat;
  chat.think = ThinkModeOf(options.think);
  chat.effort = options.effort;
  if (!options.system.empty()) chat.messages.push_back({.role = "system", .text = options.system});
  chat.messages.push_back({.role = "user", .text = std::move(text)});
  request->prompt = std::move(chat);
  return {};
}

std::string JsonOf(const GenerateResult& result) {
  JsonObject object;
  object.Add("text", result.text);
  if (result.reasoning)
    object.Add("reasoning", *result.reasoning);
  else
    object.AddNull("reasoning");
  object.Add("ids", result.ids)
      .Add("finish_reason", Name(result.finish_reason))
      .Add("prompt_tokens", result.usage.prompt_tokens)
      .Add("replayed_tokens", result.usage.replayed_tokens)
      .Add("generated_tokens", result.usage.generated_tokens)
      .Add("prefill_seconds", result.timings.prefill_seconds)
      .Add("decode_seconds", result.timings.decode_seconds)
      .Add("draft_tokens", result.usage.draft_tokens)
      .Add("accepted_draft_tokens", result.usage.accepted_draft_tokens);
  const double speed_up = result.timings.DraftSpeedUp(result.usage);
  if (result.usage.draft_tokens > 0 && speed_up > 0)
    object.Add("draft_speed_up", speed_up);
  else
    object.AddNull("draft_speed_up");
  if (result.log_probabilities.empty()) return object.Text();
  std::vector<std::string> rows;
  for (const auto& [log_probability, top] : result.log_probabilities) {
    std::vector<std::string> likeliest;
    for (const TokenLogProbability& other : top)
      likeliest.push_back(JsonObject()
                              .Add("id", other.token)
                              .Add("logprob", static_cast<double>(other.log_probability))
                              .Text());
    rows.push_back(JsonObject()
                       .Add("logprob", static_cast<double>(log_probability))
                       .AddJson("top", JsonArray(likeliest))
                       .Text());
  }
  return object.AddJson("logprobs", JsonArray(rows)).Text();
}

Status AnswerOnce(const RunOptions& options, const std::shared_ptr<Engine>& engine,
                  GenerateRequest request) {
  Session session(engine);
  AnswerPrinter printer(options.json);
  const Interrupts::Scope scope(&session);
  HADAL_ASSIGN_OR_RETURN(
      const GenerateResult result,
      session.Generate(request, [&printer](const GenerateEvent& event) { return printer(event); }));
  printer.Finish(result);
  if (options.json)
    PrintLine(JsonOf(result));
  else if (!engine->info().has_tokenizer)
    PrintLine(fmt::format("{}", fmt::join(result.ids, ",")));
  if (result.finish_reason == FinishReason::kCancelled)
    return Failed("answer", "interrupted before its end", "a whole answer", "ask again");
  return {};
}

Status Run(const RunOptions& options) {
  HADAL_RETURN_IF_ERROR(Check(options));
  const bool one_answer =
      options.prompt || options.file || options.ids || !InputIsTerminal() || options.json;
  if (!one_answer && (options.raw || !OutputIsTerminal()))
    return UsageError("prompt", "none", "-p, -f, --ids or a pipe",
                      "a chat needs a terminal and a chat template");
  GenerateRequest request;
  if (one_answer) HADAL_RETURN_IF_ERROR(SetPrompt(options, &request));
  if (options.verify) HADAL_RETURN_IF_ERROR(VerifyModel(options.engine.model));
  HADAL_ASSIGN_OR_RETURN(const std::shared_ptr<Engine> engine, Engine::Open(options.engine));
  HADAL_ASSIGN_OR_RETURN(GenerateRequest complete, RequestOf(options, engine->info().recommended));
  complete.prompt = std::move(request.prompt);
  if (one_answer) return AnswerOnce(options, engine, std::move(complete));
  return RunChat(engine, complete, options.system,
                 {.think = ThinkModeOf(options.think), .effort = options.effort});
}

}  // namespace

void AddRun(Options program) {
  const auto options = std::make_shared<RunOptions>();
  Options command =
      program.Command("run", "answer a prompt, or chat where there is none", [options] {
        const Status status = Run(*options);
        return status.ok() ? 0 : Fail(status);
      });
  Describe(&command, options.get());
}

}  // namespace hadal
