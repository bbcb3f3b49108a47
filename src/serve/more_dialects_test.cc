// The smaller dialects: Ollama's models, llama-server's routes, embeddings, DeepSeek's balance.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "serve/dialect_test_data.h"
#include "serve/ollama_folder.h"
#include "serve/routes.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;

void AddDeepSeek(Router* router, const std::shared_ptr<Service>&) { AddDeepSeekRoutes(router); }

// Models of the folder can be listed, and not loaded.
struct Desk : DialectDesk {
  Desk()
      : DialectDesk({AddOllamaModelRoutes, AddEmbeddingsRoutes, AddLlamaServerRoutes, AddDeepSeek},
                    "qwen3", 0, {.open = [](const std::string& name, const std::string&) {
                      return Result<std::shared_ptr<Engine>>(Failed(name, "a test"));
                    }}) {}
};

// A model folder of its own for a test.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "hadal_folder_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    setenv("HADAL_HOME", path_.c_str(), 1);
    fs::create_directories(path_ / "models" / "big");
    std::ofstream(path_ / "models" / "big" / "config.json") << "{}";
    std::ofstream(path_ / "models" / "small.gguf") << "GGUF";
  }
  ~Folder() {
    unsetenv("HADAL_HOME");
    fs::remove_all(path_);
  }
  fs::path models() const { return path_ / "models"; }

 private:
  fs::path path_;
};

TEST(OllamaModels, L10ListsWhatIsServedAndWhatIsThere) {
  const Folder folder;
  Desk desk;
  const Json tags(desk.Ask("GET", "/api/tags").body);
  EXPECT_EQ(tags["models.0.name"], "\"fake:latest\"");
  EXPECT_EQ(tags["models.0.digest"].size(), 66u);
  EXPECT_EQ(tags["models.1.name"], "\"big:latest\"");
  EXPECT_EQ(tags["models.2.details.format"], "\"gguf\"");
  EXPECT_EQ(tags["models.2.size"], "4");
  const Json running(desk.Ask("GET", "/api/ps").body);
  EXPECT_EQ(running["models.0.name"], "\"fake:latest\"");
  EXPECT_EQ(running["models.1"], "");
  EXPECT_NE(Json(desk.Ask("GET", "/api/version").body)["version"], "");
}

TEST(OllamaModels, L11ShowsAModel) {
  Desk desk;
  const Json shown(desk.Post("/api/show", R"({"model":"fake"})").body);
  EXPECT_EQ(shown["capabilities"], R"(["completion","tools","thinking"])");
  EXPECT_EQ(shown["template"], "\"qwen3\"");
  EXPECT_EQ(shown["model_info.tokenizer.ggml.tokens"], "");
  EXPECT_EQ(desk.Post("/api/show", R"({"model":"none"})").status, 404);
  EXPECT_EQ(desk.Post("/api/show", "{}").body, R"({"error":"model is required"})");
}

TEST(OllamaModels, L12CopiesAndDeletes) {
  const Folder folder;
  Desk desk;
  EXPECT_EQ(desk.Post("/api/copy", R"({"source":"big","destination":"copy"})").status, 200);
  EXPECT_TRUE(fs::exists(folder.models() / "copy" / "config.json"));
  EXPECT_EQ(desk.Post("/api/copy", R"({"source":"small","destination":"tiny"})").status, 200);
  EXPECT_TRUE(fs::exists(folder.models() / "tiny.gguf"));
  EXPECT_EQ(desk.Post("/api/copy", R"({"source":"small","destination":"copy"})").status, 409);
  EXPECT_EQ(desk.Post("/api/copy", R"({"source":"none","destination":"x"})").status, 404);
  for (const char* name : {"../x", "a/b", ".x", "", "-x", "x\\u0000y"})
    EXPECT_EQ(
        desk.Post("/api/copy", R"({"source":"big","destination":")" + std::string(name) + "\"}")
            .status,
        400)
        << name;
  EXPECT_EQ(desk.Ask("DELETE", "/api/delete", R"({"model":"copy:latest"})").status, 200);
  EXPECT_FALSE(fs::exists(folder.models() / "copy"));
  EXPECT_TRUE(fs::exists(folder.models() / "big" / "config.json")) << "the other name stays";
  EXPECT_EQ(desk.Ask("DELETE", "/api/delete", R"({"model":"copy"})").body,
            R"({"error":"model 'copy' not found"})");
  EXPECT_EQ(desk.Ask("DELETE", "/api/delete", R"({"model":"../models"})").status, 404);
  EXPECT_EQ(desk.Ask("DELETE", "/api/delete", R"({"model":"fake"})").status, 409) << "served";
}

TEST(OllamaModels, L15PullsOnlyWhatIsThere) {
  const Folder folder;
  Desk desk;
  const auto lines = LinesOf(desk.Post("/api/pull", R"({"name":"big"})").body);
  EXPECT_EQ(lines.back()["status"], "\"success\"");
  EXPECT_EQ(desk.Post("/api/pull", R"({"model":"big","stream":false})").body,
            R"({"status":"success"})");
  const HttpResponse other = desk.Post("/api/pull", R"({"model":"elsewhere"})");
  EXPECT_EQ(other.status, 400);
  EXPECT_NE(other.body.find("not supported"), std::string::npos);
  for (const char* path : {"/api/push", "/api/create", "/api/blobs/sha256:0"})
    EXPECT_EQ(desk.Post(path, "{}").status, 400) << path;
}

TEST(OllamaModels, L09HasNoEmbeddings) {
  Desk desk;
  for (const char* path : {"/api/embed", "/api/embeddings"}) {
    const HttpResponse response = desk.Post(path, R"({"model":"fake","input":"x"})");
    EXPECT_EQ(response.status, 400);
  }
  EXPECT_NE(desk.Post("/api/embed", R"({"model":"fake","input":["x"]})")
                .body.find("does not support embeddings"),
            std::string::npos);
}

// Whoever asks for a model that may yet come is told to come again, in each dialect's own form.
TEST(Loading, IsSaidInEveryDialect) {
  DialectDesk desk({AddOpenAiChatRoutes, AddResponsesRoutes, AddCompletionsRoutes,
                    AddAnthropicRoutes, AddOllamaChatRoutes, AddModelRoutes});
  desk.service->set_loading(true);
  const std::string messages = R"("messages":[{"role":"user","content":"Hi"}])";
  for (const auto& [path, rest] : std::vector<std::pair<std::string, std::string>>{
           {"/v1/chat/completions", messages},
           {"/v1/completions", R"("prompt":"a")"},
           {"/v1/responses", R"("input":"a")"},
           {"/v1/messages", messages + R"(,"max_tokens":5)"},
           {"/api/chat", messages},
           {"/api/generate", R"("prompt":"a")"}}) {
    const auto ask = [&](const std::string& model) {
      return desk.Post(path, R"({"model":")" + model + "\"," + rest + "}");
    };
    EXPECT_EQ(ask("fake").status, 200) << path << " of a model that is there";
    const HttpResponse response = ask("other");
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(response.headers.Find("Retry-After"), "2") << path;
    const Json body(response.body);
    EXPECT_EQ(body["error.message"] + (body["error.message"].empty() ? body["error"] : ""),
              "\"Loading model\"")
        << response.body;
  }
  EXPECT_EQ(desk.Ask("GET", "/v1/models").status, 200);
  desk.service->set_loading(false);
  EXPECT_EQ(desk.Post("/v1/completions", R"({"model":"other","prompt":"a"})").status, 404);
}

TEST(Embeddings, O47AreRefusedClearlyAfterTheRequestIsChecked) {
  Desk desk;
  const auto code = [&desk](const std::string& rest) {
    const HttpResponse response = desk.Post("/v1/embeddings", R"({"model":"fake",)" + rest + "}");
    EXPECT_EQ(response.status, 400);
    return Json(response.body)["error.code"];
  };
  for (const char* input : {R"("x")", R"(["x","y"])", "[1,2]", "[[1],[2]]"})
    EXPECT_EQ(code(R"("encoding_format":"base64","input":)" + std::string(input)),
              "\"unsupported_model\"");
  std::string many = "\"x\"";
  for (int i = 1; i < 2049; ++i) many += ",\"x\"";
  EXPECT_EQ(code("\"input\":[" + many + "]"), "\"array_above_max_length\"");
  EXPECT_EQ(code(R"("input":"")"), "\"invalid_value\"");
  EXPECT_EQ(code(R"("input":[])"), "\"empty_array\"");
  EXPECT_EQ(code(R"("input":"x","dimensions":0)"), "\"integer_below_min_value\"");
  EXPECT_EQ(code(R"("input":"x","encoding_format":"hex")"), "\"invalid_value\"");
}

TEST(DeepSeek, D10BalanceIsTexts) {
  Desk desk;
  const Json balance(desk.Ask("GET", "/user/balance").body);
  EXPECT_EQ(balance["is_available"], "true");
  EXPECT_EQ(balance["balance_infos.0.total_balance"], "\"0.00\"");
}

TEST(LlamaServer, TokenizesAndBack) {
  Desk desk;
  EXPECT_EQ(desk.Post("/tokenize", R"({"content":"ab"})").body, R"({"tokens":[66,67]})");
  EXPECT_EQ(desk.Post("/tokenize", R"({"content":"a","with_pieces":true})").body,
            R"({"tokens":[{"id":66,"piece":"a"}]})");
  EXPECT_EQ(desk.Post("/tokenize", R"({"content":"<|end|>"})").body, R"({"tokens":[0]})");
  EXPECT_NE(desk.Post("/tokenize", R"({"content":"<|end|>","parse_special":false})").body,
            R"({"tokens":[0]})");
  EXPECT_EQ(desk.Post("/detokenize", R"({"tokens":[66,67]})").body, R"({"content":"ab"})");
  EXPECT_EQ(desk.Post("/detokenize", R"({"tokens":[97]})").status, 400);
  EXPECT_EQ(Json(desk.Post("/apply-template", R"({"messages":[{"role":"user","content":"Hi"}]})")
                     .body)["prompt"],
            R"("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")");
  EXPECT_EQ(desk.Post("/apply-template", R"({"messages":[]})").status, 400);
}

TEST(LlamaServer, Completes) {
  Desk desk;
  const Json answer(
      desk.Post("/completion", R"({"prompt":"ab","temperature":0,"n_predict":3,"return_tokens":true,
          "n_probs":1})")
          .body);
  EXPECT_EQ(answer["content"], "\"Hel\"");
  EXPECT_EQ(answer["tokens"], "[41,70,77]");
  EXPECT_EQ(answer["stop_type"], "\"limit\"");
  EXPECT_EQ(answer["timings.predicted_n"], "3");
  EXPECT_EQ(answer["completion_probabilities.0.token"], "\"H\"");
  const auto events =
      EventsOf(desk.Post("/completion", R"({"prompt":[66,67],"temperature":0,"stream":true,
          "stop":["lo"]})")
                   .body);
  EXPECT_EQ(events.back()["stop"], "true");
  EXPECT_EQ(events.back()["stop_type"], "\"word\"");
  EXPECT_EQ(events.back()["stopping_word"], "\"lo\"");
  for (const char* rest :
       {R"("prompt":"a","grammar":"root ::= a")", R"("prompt":[97])", R"("n_predict":1)",
        R"("prompt":"a","unheard_of":1)", R"("prompt":"a","top_k":-2)"})
    EXPECT_EQ(desk.Post("/completion", "{" + std::string(rest) + "}").status, 400) << rest;
  EXPECT_EQ(desk.Post("/infill", R"({"input_prefix":"a","input_suffix":"b"})").status, 400)
      << "a model that does not fill in";
}

TEST(LlamaServer, TellsWhatItIs) {
  Desk desk;
  const Json props(desk.Ask("GET", "/props").body);
  EXPECT_NE(props["default_generation_settings.n_ctx"], "");
  EXPECT_EQ(props["model_alias"], "\"fake\"");
  EXPECT_EQ(Json(desk.Ask("GET", "/slots?fail_on_no_slot=1").body)["0.is_processing"], "false");
}

}  // namespace
}  // namespace hadal
