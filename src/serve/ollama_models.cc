// Ollama's routes about models: version, tags, ps, show, and the local folder: copy and delete.
// Pulling, pushing and creating need a registry or its blobs, which this server does not speak to.
#include <algorithm>

#include "base/digest.h"
#include "engine/model_folder.h"
#include "serve/field_lists.h"
#include "serve/json_writer.h"
#include "serve/number_limits.h"
#include "serve/ollama_folder.h"
#include "serve/ollama_request.h"
#include "serve/ollama_time.h"
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

// `engine` is null for a model of the folder that is not served.
void WriteDetails(const FolderModel& model, const Engine* engine, JsonWriter* json) {
  const std::string family = engine == nullptr ? "" : engine->info().architecture;
  json->BeginObject().Key("parent_model").Text("");
  json->Key("format").Text(model.path.ends_with(".gguf") ? "gguf" : "safetensors");
  json->Key("family").Text(family).Key("families").BeginArray();
  if (!family.empty()) json->Text(family);
  json->EndArray().Key("parameter_size").Text("").Key("quantization_level").Text("");
  if (engine != nullptr) json->Key("context_length").Integer(engine->info().context_tokens);
  json->EndObject();
}

void WriteCapabilities(const Engine& engine, JsonWriter* json) {
  const ModelAbility ability = AbilityOf(engine);
  json->BeginArray().Text("completion");
  if (ability.calls_tools()) json->Text("tools");
  if (ability.fills_in()) json->Text("insert");
  if (ability.thinks()) json->Text("thinking");
  json->EndArray();
}

void WriteModel(const FolderModel& model, const Engine* engine, JsonWriter* json) {
  json->Key("name").Text(model.name + ":latest").Key("model").Text(model.name + ":latest");
  json->Key("size").Integer(static_cast<std::int64_t>(model.bytes));
  json->Key("digest").Text(DigestOf(model)).Key("details");
  WriteDetails(model, engine, json);
}

void Version(const SharedExchange& exchange) {
  JsonWriter json;
  json.BeginObject().Key("version").Text(kApiVersion).EndObject();
  exchange->Send(HttpResponse::Json(json.Take()));
}

// What is served, then what else the folder holds.
void Tags(const Service& service, const SharedExchange& exchange) {
  JsonWriter json;
  json.BeginObject().Key("models").BeginArray();
  std::vector<std::string> served;
  const auto write = [&json](const FolderModel& model, const Engine* engine) {
    json.BeginObject();
    WriteModel(model, engine, &json);
    json.Key("modified_at").Text(model.modified_at);
    if (engine != nullptr) {
      json.Key("capabilities");
      WriteCapabilities(*engine, &json);
    }
    json.EndObject();
  };
  for (const ServedModel& model : service.models()) {
    write(FolderModelOf(model), model.engine.get());
    served.push_back(model.name);
  }
  for (const ListedModel& model : ListModels())
    if (std::find(served.begin(), served.end(), model.name) == served.end())
      write(FolderModelOf(model), nullptr);
  exchange->Send(HttpResponse::Json(json.EndArray().EndObject().Take()));
}

// Served models stay until the server ends.
void Ps(const Service& service, const SharedExchange& exchange) {
  JsonWriter json;
  json.BeginObject().Key("models").BeginArray();
  for (const ServedModel& model : service.models()) {
    json.BeginObject();
    WriteModel(FolderModelOf(model), model.engine.get(), &json);
    json.Key("expires_at").Text("2318-01-01T00:00:00.000000000Z").Key("size_vram").Integer(0);
    json.Key("context_length").Integer(model.engine->info().context_tokens).EndObject();
  }
  exchange->Send(HttpResponse::Json(json.EndArray().EndObject().Take()));
}

std::string ParameterLines(const SamplingOptions& options) {
  JsonWriter temperature, top_p;
  std::string lines = "temperature " + temperature.Number(options.temperature).Take();
  lines += "\ntop_p " + top_p.Number(options.top_p).Take();
  return lines + "\ntop_k " + std::to_string(options.top_k);
}

void Show(const Service& service, const SharedExchange& exchange) {
  auto body = ParseOllamaBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  auto model = FindOllamaModel(body->root(), service);
  if (!model.ok()) return Fail(exchange, model.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const bool verbose = fields.Boolean("verbose").value_or(false);
  constexpr std::string_view kKnown[] = {"model", "name", "system", "template", "options"};
  fields.Ignore(kKnown);
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());

  const EngineInfo& info = model->engine->info();
  const FolderModel folder = FolderModelOf(*model);
  JsonWriter json;
  json.BeginObject().Key("modelfile").Text("FROM " + folder.name + "\n");
  json.Key("parameters").Text(ParameterLines(info.recommended));
  json.Key("template").Text(info.prompt_format).Key("details");
  WriteDetails(folder, model->engine.get(), &json);
  json.Key("model_info").BeginObject();
  json.Key("general.architecture").Text(info.architecture);
  json.Key(info.architecture + ".context_length").Integer(info.context_tokens);
  json.Key(info.architecture + ".vocab_size").Integer(info.vocabulary);
  for (const char* list : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}) {
    json.Key(list).BeginArray();
    const ModelAbility ability = AbilityOf(*model->engine);
    if (verbose && ability.tokenizer != nullptr && std::string_view(list).ends_with("tokens"))
      for (std::int32_t id = 0; id < ability.tokenizer->vocabulary(); ++id)
        json.Text(ability.tokenizer->WrittenToken(id));
    json.EndArray();
  }
  json.EndObject().Key("capabilities");
  WriteCapabilities(*model->engine, &json);
  json.Key("modified_at").Text(folder.modified_at);
  exchange->Send(HttpResponse::Json(json.EndObject().Take()));
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

void Delete(const Service& service, const SharedExchange& exchange) {
  auto body = ManageBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const std::string model = ReadModelName(&fields);
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  if (service.FindModel(model).ok())
    return Fail(exchange,
                {.kind = ErrorKind::kConflict, .message = "model '" + model + "' is being served"});
  if (const auto error = DeleteModel(model)) return Fail(exchange, *error);
  exchange->Send(HttpResponse{200, {}, {}});
}

// A model that is there already needs no pulling; anything else has to come from elsewhere.
void Pull(const Service& service, const SharedExchange& exchange) {
  auto body = ManageBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const std::string model = ReadModelName(&fields);
  const bool stream = fields.Boolean("stream").value_or(true);
  fields.Boolean("insecure");
  fields.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  if (!service.FindModel(model).ok() && !FindFolderModel(model).ok())
    return Fail(exchange, {.kind = ErrorKind::kInvalid,
                           .message = "pulling '" + model +
                                      "' is not supported here: put the model's files into " +
                                      ModelFolder()});
  if (!stream) return exchange->Send(HttpResponse::Json(R"({"status":"success"})"));
  exchange->Begin(200, {{"Content-Type", "application/x-ndjson"}}, "");
  exchange->Write("{\"status\":\"pulling manifest\"}\n");
  exchange->Write("{\"status\":\"success\"}\n");
  exchange->Finish();
}

void NotHere(const SharedExchange& exchange, const std::string& what) {
  Fail(exchange, {.kind = ErrorKind::kInvalid, .message = what});
}

// Embeddings: the request is checked, then refused for what the model is.
void Embed(const Service& service, const SharedExchange& exchange, const char* input) {
  auto body = ParseOllamaBody(exchange->request());
  if (!body.ok()) return Fail(exchange, body.error());
  auto model = FindOllamaModel(body->root(), service);
  if (!model.ok()) return Fail(exchange, model.error());
  RequestReader reader;
  Fields fields(body->root(), "", &reader);
  const Metadata* value = fields.Any(input);
  if (value != nullptr && !value->is_string()) TextsOf(&fields, input, 0, 2048);
  fields.Boolean("truncate");
  ReadInteger(&fields, "dimensions");
  ReadKeepAlive(&fields);
  constexpr std::string_view kKnown[] = {"model", "name", "options"};
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
  router->Add({"POST", "/api/pull", manage, [service](const auto& e) { Pull(*service, e); }});
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
