// hadal serve: models for programs and people, over HTTP.
#include "serve/server.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/process_memory.h"
#include "commands.h"
#include "engine/model_folder.h"
#include "hadal/engine.h"
#include "hub_environment.h"
#include "interrupt_signals.h"
#include "report.h"
#include "serve/keep_alive.h"
#include "serve/key_ring.h"
#include "serve/ledger.h"
#include "serve/metrics.h"
#include "serve/pull_desk.h"
#include "serve/request_log.h"
#include "serve/routes.h"
#include "verify.h"

namespace hadal {
namespace {

constexpr double kDrainSeconds = 30;
constexpr std::uint64_t kPrefixDiskMegabytes = 16384;

struct ServeOptions {
  std::vector<std::string> models;
  EngineOptions engine{.prefix_cache_bytes = std::uint64_t{2} << 30};
  ServerOptions server;
  std::string key_file, new_key, ledger;
  std::optional<std::uint64_t> prefix_cache_megabytes, prefix_disk_megabytes;
  std::string prefix_disk;
  std::optional<std::uint64_t> memory_megabytes;
  std::string keep_alive;
  std::int64_t most_calls = 512, most_answers = 16;
  std::optional<double> drain_seconds;
  bool no_ledger = false, quiet = false, verify = false, no_pull = false;
};

// "models/llama.gguf" is called llama; a model of the folder as it is called there.
std::string NameOf(const std::string& model) {
  if (model.empty()) return std::string(kDefaultModel);
  std::filesystem::path path(model);
  if (path.filename().empty()) path = path.parent_path();
  return path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
}

Result<std::shared_ptr<Engine>> OpenModel(const ServeOptions& options, const std::string& name,
                                          const std::string& model) {
  EngineOptions engine = options.engine;
  engine.model = model;
  engine.queue_requests = options.most_calls;
  if (options.prefix_cache_megabytes)
    engine.prefix_cache_bytes = *options.prefix_cache_megabytes << 20;
  // A folder for each model: files of another one would be deleted as none of its own.
  if (!options.prefix_disk.empty()) {
    std::error_code ignored;  // the engine says what is wrong with the folder
    std::filesystem::create_directories(options.prefix_disk, ignored);
    engine.prefix_disk_folder = options.prefix_disk + "/" + name;
    engine.prefix_disk_bytes = options.prefix_disk_megabytes.value_or(kPrefixDiskMegabytes) << 20;
  }
  if (options.verify) HADAL_RETURN_IF_ERROR(VerifyModel(model));
  HADAL_ASSIGN_OR_RETURN(std::shared_ptr<Engine> opened, Engine::Open(engine));
  const EngineInfo& info = opened->info();
  Say(fmt::format("hadal: {} ({}, {}, {}, {} threads, context {})\n", name, info.architecture,
                  info.profile, info.isa, info.threads, info.context_tokens));
  return opened;
}

Status LoadModels(const ServeOptions& options, Service* service) {
  std::vector<std::string> models = options.models;
  if (models.empty()) models.emplace_back();
  for (const std::string& model : models) {
    const std::string name = NameOf(model);
    if (service->models().IsPinned(name))
      return UsageError("MODEL", name + " twice", "models of different names",
                        "rename one of the files");
    HADAL_ASSIGN_OR_RETURN(std::shared_ptr<Engine> opened, OpenModel(options, name, model));
    const std::int64_t created = ChangedSeconds(opened->info().path);
    service->models().AddPinned(
        {.name = name, .engine = std::move(opened), .created_seconds = created});
  }
  return {};
}

// What the machine, or the container, has for models now, where nothing else is said.
Result<ModelPoolOptions> PoolOptions(const ServeOptions& options) {
  ModelPoolOptions pool;
  pool.catalog =
      std::make_shared<ModelCatalog>(FactsOptions{.profile = options.engine.profile,
                                                  .context_tokens = options.engine.context_tokens,
                                                  .step_tokens = options.engine.step_tokens},
                                     options.engine.prompt_format);
  pool.open = [options, catalog = pool.catalog](const std::string& name, const std::string& path) {
    ServeOptions own = options;
    // A model of the folder with less context than --ctx says has its own.
    if (const auto facts = catalog->Facts(path); facts.ok() && own.engine.context_tokens > 0)
      own.engine.context_tokens = facts->context_tokens;
    return OpenModel(own, name, path);
  };
  pool.memory_bytes =
      options.memory_megabytes ? *options.memory_megabytes * 1000000 : AvailableMemoryBytes();
  pool.most_waiting = static_cast<std::size_t>(options.most_calls);
  if (!options.keep_alive.empty()) {
    const auto span = ParseKeepAlive(options.keep_alive);
    if (!span)
      return UsageError("--keep-alive", options.keep_alive, "a duration such as 5m, 1h30m or 90s",
                        "-1 keeps models for ever, 0 frees each after its answer");
    pool.keep_alive = *span;
  }
  return pool;
}

Status ReadKeys(const ServeOptions& options, KeyRing* keys) {
  if (options.key_file.empty()) return {};
  HADAL_ASSIGN_OR_RETURN(ApiKeys read, ReadKeyFile(options.key_file));
  keys->Set(std::move(read));
  return {};
}

// Keys and certificate are read again; what cannot be read leaves the old ones in force.
void Reload(const ServeOptions& options, Server* server, KeyRing* keys) {
  if (const Status status = ReadKeys(options, keys); !status.ok()) Fail(status);
  if (options.server.tls_key.empty()) return;
  if (const Status status = server->ReloadCertificate(); !status.ok()) Fail(status);
}

Status Serve(const ServeOptions& options) {
  if (!options.new_key.empty()) {
    HADAL_ASSIGN_OR_RETURN(const NewKey made, MakeKey(options.new_key));
    PrintLine(made.line);
    Say("hadal: the key, which is shown this once: " + made.key + "\n");
    return {};
  }
  // Before the threads, which must not see them.
  SignalQueue signals;
  const auto keys = std::make_shared<KeyRing>();
  HADAL_RETURN_IF_ERROR(ReadKeys(options, keys.get()));
  HADAL_ASSIGN_OR_RETURN(ModelPoolOptions pool, PoolOptions(options));
  const auto service = std::make_shared<Service>(
      ServiceLimits{.admission = {.most_calls = options.most_calls},
                    .most_answers = static_cast<int>(options.most_answers)},
      std::move(pool));
  // Where others can reach the server without a key, they cannot fill its disk.
  if (!options.no_pull && (keys->in_force() || !options.server.allow_without_key)) {
    PullOptions pull;
    pull.folder = ModelFolder();
    ReadHubEnvironment(&pull);
    service->set_pulls(std::make_shared<PullDesk>(std::move(pull)));
  }
  const auto metrics = std::make_shared<Metrics>();
  service->AddObserver(std::static_pointer_cast<CallObserver>(metrics));
  service->AddObserver(std::static_pointer_cast<RequestObserver>(metrics));
  if (!options.quiet) {
    const auto log = std::make_shared<RequestLog>(2);
    service->AddObserver(std::static_pointer_cast<CallObserver>(log));
    service->AddObserver(std::static_pointer_cast<RequestObserver>(log));
  }
  if (!options.no_ledger) {
    HADAL_ASSIGN_OR_RETURN(
        const std::shared_ptr<Ledger> ledger,
        Ledger::Open(options.ledger.empty() ? HadalHome() + "/ledger.sqlite" : options.ledger));
    service->AddObserver(std::static_pointer_cast<CallObserver>(ledger));
    metrics->AddCounter("hadal:ledger_dropped_total", "Calls that the ledger had no time for.",
                        [ledger] { return static_cast<double>(ledger->dropped()); });
  }
  // Who asks before the models are there hears that they are being loaded.
  service->set_loading(true);
  HADAL_ASSIGN_OR_RETURN(
      const std::unique_ptr<Server> server,
      Server::Start(options.server, MakeRouter(service, metrics), service, keys));
  Say(fmt::format("hadal: loading; asked at {}, it says so\n", server->url()));
  HADAL_RETURN_IF_ERROR(LoadModels(options, service.get()));
  service->set_loading(false);
  PrintLine(fmt::format("hadal: serving at {}{}", server->url(),
                        keys->in_force() ? "" : " (no key needed)"));
  while (signals.Wait() == SIGHUP) Reload(options, server.get(), keys.get());
  const double seconds = options.drain_seconds.value_or(kDrainSeconds);
  Say(fmt::format("hadal: ending; running answers have {} seconds (signal again to end at once)\n",
                  seconds));
  signals.ExitOnNext();
  server->Drain(seconds);
  return {};
}

void Describe(Options* command, ServeOptions* options) {
  ServerOptions* server = &options->server;
  command->Value("models", &options->models,
                 "the models that stay loaded; the default one if left out");
  command->Value("--host", &server->host, "address to listen on (default: localhost alone)");
  command->Value("--port", &server->port, "default 8080; 0: one that is free");
  command->Value("--api-key-file", &options->key_file,
                 "who may ask: lines of NAME sha256:HEX [scopes=] [calls=] [tokens=] [priority=]");
  command->Value("--make-key", &options->new_key,
                 "make a key of this name, print its line for the file, and end");
  command->Flag("--insecure-no-auth", &server->allow_without_key,
                "listen on other addresses than localhost without keys");
  command->Value("--tls-cert", &server->tls_certificate, "PEM file: answer by https");
  command->Value("--tls-key", &server->tls_key, "PEM file: its key");
  command->Value("--allowed-host", &server->gate.hosts,
                 "a name by which clients may call this server; repeatable");
  command->Value("--origin", &server->gate.origins,
                 "a web page's origin that may ask (https://chat.example); repeatable");
  command->Value("--drain-seconds", &options->drain_seconds,
                 "how long running answers have when the server ends (default 30)");
  command->Value("--queue", &options->most_calls, "most answers running and waiting (default 512)");
  command->Value("--most-answers", &options->most_answers, "most answers to one call (default 16)");
  command->Value("--memory-mb", &options->memory_megabytes,
                 "memory for models that are loaded when somebody asks for them, those above "
                 "included (default: what is free; 0: no bound)");
  command->Value("--keep-alive", &options->keep_alive,
                 "how long such a model stays after its last answer (default 5m; -1: for ever)");
  command->Value("--prefix-cache-mb", &options->prefix_cache_megabytes,
                 "memory for beginnings that were read before (default 2048; 0: none)");
  command->Value("--prefix-disk", &options->prefix_disk,
                 "folder that keeps them over restarts (default: none)");
  command->Value("--prefix-disk-mb", &options->prefix_disk_megabytes,
                 "most of that folder (default 16384)");
  command->Value("--ledger", &options->ledger, "file that counts use by key and model");
  command->Flag("--no-ledger", &options->no_ledger, "count nothing on disk");
  command->Flag("--no-pull", &options->no_pull, "fetch no models for clients");
  command->Flag("--quiet", &options->quiet, "no lines for requests and calls on standard error");
  command->Flag("--verify", &options->verify,
                "compare the models' files with their recorded checksums first");
  command->Value("--template", &options->engine.prompt_format, "the prompt format, by name");
  command->Choice("--draft", &options->engine.draft, {"none", "ngram", "model"},
                  "guess tokens ahead: never another token");
  command->Value("--ctx", &options->engine.context_tokens, "most tokens of prompt and answer");
  command->Value("--threads", &options->engine.threads, "default: every usable core");
  command->Value("--isa", &options->engine.isa, "instruction set level (hadal machine lists them)");
  command->Choice("--profile", &options->engine.profile, {"float", "reference", "fast"},
                  "which numbers to compute with");
}

}  // namespace

void AddServe(Options program) {
  const auto options = std::make_shared<ServeOptions>();
  Options command = program.Command("serve", "answer programs and people over HTTP", [options] {
    const Status status = Serve(*options);
    return status.ok() ? 0 : Fail(status);
  });
  Describe(&command, options.get());
}

}  // namespace hadal
