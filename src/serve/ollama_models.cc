// Ollama's routes about models: version, tags, ps, show, and the local folder: copy and delete.
// Pulling is pull_desk.h; pushing and creating need a registry or its blobs, which this server does
// not speak to.
#include <algorithm>

#include "base/digest.h"
#include "engine/model_folder.h"
#include "serve/field_lists.h"
#include "serve/json_writer.h"
#include "serve/model_description.h"
#include "serve/number_limits.h"
#include "serve/ollama_folder.h"
#include "serve/ollama_request.h"
#include "serve/ollama_time.h"
#include "serve/pull_desk.h"
#include "serve/routes.h"

namespace hadal {
namespace {

using SharedExchange = std::shared_ptr<Exchange>;

// The generation of Ollama's API that these routes follow; clients compare it with what they need.
constexpr char kApiVersion[] = "0.12.0";

void Fail(const SharedExchange& exchange, const ApiError& error) {
  SendError(error, exchange.get());
}

// A name for what lies at a path now: contents are not read, since they are many gigabytes.
std::string DigestOf(const FolderModel& model) {
  const std::string text =
      model.path + "\n" + std::to_string(model.bytes) + "\n" + model.modified_at;
  return Hex(Sha256Digest(text));
}

void WriteDetails(const FolderModel& files, const ModelSummary& model, JsonWriter* json) {
  json->BeginObject().Key("parent_model").Text("");
  json->Key("format").Text(files.path.ends_with(".gguf") ? "gguf" : "safetensors");
  json->Key("family").Text(model.architecture).Key("families").BeginArray();
  if (!model.architecture.empty()) json->Text(model.architecture);
  json->EndArray().Key("parameter_size").Text(model.parameter_size);
  json->Key("quantization_level").Text(model.quantization);
  if (model.context_tokens > 0) json->Key("context_length").Integer(model.context_tokens);
  json->EndObject();
}

void WriteCapabilities(const ModelAbility& ability, JsonWriter* json) {
  json->BeginArray().Text("completion");
  if (ability.calls_tools()) json->Text("tools");
  if (ability.fills_in()) json->Text("insert");
  if (ability.thinks()) json->Text("thinking");
  json->EndArray();
}

// `bytes`: of its files, or of the memory that it takes.
void WriteModel(const FolderModel& files, const ModelSummary& model, std::uint64_t bytes,
                JsonWriter* json) {
  json->Key("name").Text(files.name + ":latest").Key("model").Text(files.name + ":latest");
  json->Key("size").Integer(static_cast<std::int64_t>(bytes));
  json->Key("digest").Text(DigestOf(files)).Key("details");
  WriteDetails(files, model, json);
}

void Version(const SharedExchange& exchange) {
  JsonWriter json;
  json.BeginObject().Key("version").Text(kApiVersion).EndObject();
  exchange->Send(HttpResponse::Json(json.Take()));
}

// All that may be served, loaded or not.
void Tags(const Service& service, const SharedExchange& exchange) {
  JsonWriter json;
  json.BeginObject().Key("models").BeginArray();
  for (const ModelPool::Row& row : service.models().Rows()) {
    const FolderModel files = FolderModelOf(row);
    json.BeginObject();
    WriteModel(files, Summarize(row, service.models().catalog()), files.bytes, &json);
    json.Key("modified_at").Text(files.modified_at);
    if (row.engine != nullptr) {
      json.Key("capabilities");
      WriteCapabilities(AbilityOf(*row.engine), &json);
    }
    json.EndObject();
  }
  exchange->Send(HttpResponse::Json(json.EndArray().EndObject().Take()));
}

std::string ExpiresAt(KeepAlive left) {
  if (left == kKeepForever) return "2318-01-01T00:00:00.000000000Z";  // as Ollama says never
  return Rfc3339(std::chrono::system_clock::now() + left);
}

// What is loaded.
void Ps(const Service& service, const SharedExchange& exchange) {
  JsonWriter json;
  json.BeginObject().Key("models").BeginArray();
  for (const ModelPool::Row& row : service.models().LoadedRows()) {
    json.BeginObject();
    WriteModel(FolderModelOf(row), Summarize(row, service.models().catalog()), row.memory_bytes,
               &json);
    json.Key("expires_at").Text(ExpiresAt(row.expires_in)).Key("size_vram").Integer(0);
    json.Key("context_length").Integer(row.engine->info().context_tokens).EndObject();
  }
  exchange->Send(HttpResponse::Json(json.EndArray().EndObject().Take()));
}

std::string ParameterLines(const SamplingOptions& options) {
  JsonWriter temperature, top_p;
  std::string lines = "temperature " + temperature.Number(options.temperature).Take();
  lines += "\ntop_p " + top_p.Number(options.top_p).Take();
  return lines + "\ntop_k " + std::to_string(options.top_k);
}

// The model that a body names, loaded or not.
ApiResult<ModelPool::Row> FindRow(const Service& service, const Metadata& body) {
  auto name = OllamaModelName(body);
  if (!name.ok()) return name.error();
  auto row = service.models().Find(*name);
  if (!row.ok() && service.loading()) return LoadingError();
  return row;
}

void WriteModelInfo(const ModelDescription& model, bool verbose, JsonWriter* json) {
  const std::string& architecture = model.architecture;
  json->BeginObject().Key("general.architecture").Text(architecture);
  json->Key(architecture + ".context_length").Integer(model.context_tokens);
  json->Key(architecture + ".vocab_size").Integer(model.vocabulary);
  const Tokenizer* tokenizer = model.ability.tokenizer;
  json->Key("tokenizer.ggml.tokens").BeginArray();
  if (verbose && tokenizer != nullptr)
    for (std::int32_t id = 0; id < tokenizer->vocabulary(); ++id)
      json->Text(tokenizer->WrittenToken(id));
  json->EndArray().Key("tokenizer.ggml.merges").BeginArray().EndArray().EndObject();
}

std::string Description(const FolderModel& files, const ModelDescription& model, bool verbose) {
  JsonWriter json;
  json.BeginObject().Key("modelfile").Text("FROM " + files.name + "\n");
  json.Key("parameters").Text(ParameterLines(model.recommended));
  json.Key("template").Text(model.prompt_format).Key("details");
  WriteDetails(files, model, &json);
  json.Key("model_info");
  WriteModelInfo(model, verbose, &json);
  json.Key("capabilities");
  WriteCapabilities(model.ability, &json);
  json.Key("modified_at").Text(files.modified_at);
  return json.EndObject().Take();
}

void Show(const Service& service, const SharedExchange& exchange) {
  auto body = ParseOllamaBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  auto row = FindRow(service, body->root());
  if (!row.ok()) return Fail(exchange, row.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const bool verbose = fields.Boolean("verbose").value_or(false);
  constexpr std::string_view kKnown[] = {"model", "name", "system", "template", "options"};
  fields.Ignore(kKnown);
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  auto model = DescribeModel(*row, service.models().catalog());
  if (!model.ok()) return Fail(exchange, model.error());
  exchange->Send(HttpResponse::Json(Description(FolderModelOf(*row), *model, verbose)));
}

// The body of a request that changes the folder: JSON, and said to be.
ApiResult<MetadataDocument> ManageBody(const HttpRequest& request) {
  if (request.body.empty()) return InvalidField("", "missing request body");
  return ParseRequest(request);
}

// Under either of its keys.
std::string ReadModelName(Fields* fields) {
  const auto older = fields->Text("name");
  std::string name = fields->Text("model").value_or(older.value_or(""));
  if (name.empty()) fields->reader()->Fail(InvalidField("model", "model is required"));
  return name;
}

void Copy(const SharedExchange& exchange) {
  auto body = ManageBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  fields.Require("source");
  fields.Require("destination");
  const std::string source = fields.Text("source").value_or("");
  const std::string destination = fields.Text("destination").value_or("");
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  if (const auto error = CopyModel(source, destination)) return Fail(exchange, *error);
  exchange->Send(HttpResponse{200, {}, {}});
}

// One of the folder may go while it answers: running answers finish on what they hold, and nobody
// finds it from here on. One that somebody named when the server began stays.
void Delete(Service& service, const SharedExchange& exchange) {
  auto body = ManageBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const std::string model = ReadModelName(&fields);
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  if (service.models().IsPinned(model))
    return Fail(exchange,
                {.kind = ErrorKind::kConflict, .message = "model '" + model + "' is being served"});
  if (const auto error = DeleteModel(model)) return Fail(exchange, *error);
  service.models().Forget(model);
  exchange->Send(HttpResponse{200, {}, {}});
}

// A model that is there already, by its name in the folder, needs no pulling.
void SendPulled(bool stream, const SharedExchange& exchange) {
  if (!stream) return exchange->Send(HttpResponse::Json(R"({"status":"success"})"));
  exchange->Begin(200, {{"Content-Type", "application/x-ndjson"}}, "");
  exchange->Write("{\"status\":\"pulling manifest\"}\n");
  exchange->Write("{\"status\":\"success\"}\n");
  exchange->Finish();
}

void Pull(Service* service, const SharedExchange& exchange) {
  auto body = ManageBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const std::string model = ReadModelName(&fields);
  const bool stream = fields.Boolean("stream").value_or(true);
  fields.Boolean("insecure");
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  if (service->models().Find(model).ok() || FindListedModel(model))
    return SendPulled(stream, exchange);
  const auto name = ParseHubName(model);
  if (!name.ok())
    return Fail(exchange, {.kind = ErrorKind::kInvalid,
                           .message = "pulling '" + model +
                                      "' is not supported: name a model of the hub as OWNER/NAME "
                                      "or OWNER/NAME:FILE.gguf"});
  if (service->pulls() == nullptr)
    return Fail(exchange, {.kind = ErrorKind::kForbidden,
                           .message = "this server pulls no models: put the model's files into "
                                      "its model folder"});
  service->pulls()->Start(*name, stream, service, exchange);
}

void NotHere(const SharedExchange& exchange, const std::string& what) {
  Fail(exchange, {.kind = ErrorKind::kInvalid, .message = what});
}

// Embeddings: the request is checked, then refused for what the model is.
void Embed(const Service& service, const SharedExchange& exchange, const char* input) {
  auto body = ParseOllamaBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  auto model = FindRow(service, body->root());
  if (!model.ok()) return Fail(exchange, model.error());
  if (auto keep_alive = ReadKeepAlive(body->root()); !keep_alive.ok())
    return Fail(exchange, keep_alive.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const Metadata* value = fields.Any(input);
  if (value != nullptr && !value->is_string()) TextsOf(&fields, input, 0, 2048);
  fields.Boolean("truncate");
  ReadInteger(&fields, "dimensions");
  constexpr std::string_view kKnown[] = {"model", "name", "options", "keep_alive"};
  fields.Ignore(kKnown);
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  NotHere(exchange,
          "\"" + model->name + "\" does not support embeddings: it was trained to continue text");
}

}  // namespace

void AddOllamaModelRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access infer = Access::Key(Scope::kInfer), manage = Access::Key(Scope::kManage);
  router->Add({"GET", "/api/version", Access::Key(Scope::kInfer), Version});
  router->Add({"GET", "/api/tags", infer, [service](const auto& e) { Tags(*service, e); }});
  router->Add({"GET", "/api/ps", infer, [service](const auto& e) { Ps(*service, e); }});
  router->Add({"POST", "/api/show", infer, [service](const auto& e) { Show(*service, e); }});
  router->Add(
      {"POST", "/api/embed", infer, [service](const auto& e) { Embed(*service, e, "input"); }});
  router->Add({"POST", "/api/embeddings", infer,
               [service](const auto& e) { Embed(*service, e, "prompt"); }});
  router->Add({"POST", "/api/copy", manage, Copy});
  router->Add({"DELETE", "/api/delete", manage, [service](const auto& e) { Delete(*service, e); }});
  router->Add({"POST", "/api/pull", manage, [service](const auto& e) { Pull(service.get(), e); }});
  router->Add({"POST", "/api/push", manage, [](const auto& e) {
                 NotHere(e, "pushing models is not supported by this server");
               }});
  router->Add({"POST", "/api/create", manage, [](const auto& e) {
                 NotHere(e, "creating models is not supported by this server");
               }});
  router->Add({"POST", "/api/blobs/{digest}", manage,
               [](const auto& e) { NotHere(e, "storing blobs is not supported by this server"); }});
  router->Add({"GET", "/api/blobs/{digest}", manage, [](const auto& e) {
                 Fail(e, {.kind = ErrorKind::kNotFound, .message = "blob not found"});
               }});
}

}  // namespace hadal
