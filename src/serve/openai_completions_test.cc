// OpenAI's completions, case by case of shared reference A6 (O-22 to O-29 where they are about
// text, D-06 FIM).
#include <gtest/gtest.h>

#include "serve/dialect_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

struct Desk : DialectDesk {
  Desk() : DialectDesk({AddCompletionsRoutes}) {}
  HttpResponse Complete(const std::string& rest) {
    return Post("/v1/completions", R"({"model":"fake","temperature":0,)" + rest + "}");
  }
};

TEST(Completions, AnswersAText) {
  Desk desk;
  const Json answer(desk.Complete(R"("prompt":"ab")").body);
  EXPECT_EQ(answer["object"], "\"text_completion\"");
  EXPECT_EQ(answer["choices.0"],
            R"({"text":"Hello.","index":0,"logprobs":null,"finish_reason":"stop"})");
  EXPECT_EQ(answer["usage.prompt_tokens"], "2");
  EXPECT_EQ(answer["usage.completion_tokens"], "7");
  EXPECT_EQ(answer["usage.prompt_cache_miss_tokens"], "2");
}

TEST(Completions, TakesEveryFormOfAPrompt) {
  for (const char* prompt : {R"("ab")", R"(["ab"])", "[66,67]", "[[66,67]]"}) {
    Desk desk;
    const Json answer(desk.Complete(R"("echo":true,"prompt":)" + std::string(prompt)).body);
    EXPECT_EQ(answer["choices.0.text"], "\"abHello.\"") << prompt;
  }
  Desk desk;
  desk.Answer("x");
  const Json answer(desk.Complete(R"("prompt":["ab","c"],"n":2,"echo":true,"max_tokens":1)").body);
  EXPECT_EQ(answer["choices.3.index"], "3");
  EXPECT_TRUE(answer["choices.1.text"].starts_with("\"ab"));
  EXPECT_TRUE(answer["choices.2.text"].starts_with("\"c"));
  EXPECT_EQ(answer["usage.prompt_tokens"], "3") << "a prompt counts once";
}

TEST(Completions, D23_HealsATextWhereAsked) {
  Desk desk;
  const Json answer(desk.Complete(R"("prompt":"ab","token_healing":true)").body);
  EXPECT_EQ(answer["choices.0.text"], "\"Hello.\"");
  EXPECT_EQ(answer["usage.prompt_tokens"], "2");
  const Json ids(desk.Complete(R"("prompt":[66,67],"token_healing":true)").body);
  EXPECT_EQ(ids["error.param"], "\"token_healing\"");
  const Json echoed(
      desk.Complete(R"("prompt":"ab","token_healing":true,"echo":true,"logprobs":1)").body);
  EXPECT_EQ(echoed["error.param"], "\"echo\"");
}

TEST(Completions, EndsAfter16TokensUnlessToldOtherwise) {
  Desk desk;
  desk.Answer("0123456789abcdefghij");
  Json answer(desk.Complete(R"("prompt":"ab")").body);
  EXPECT_EQ(answer["choices.0.text"], "\"0123456789abcdef\"");
  EXPECT_EQ(answer["choices.0.finish_reason"], "\"length\"");
  answer = Json(desk.Complete(R"("prompt":"ab","stop":["5"],"max_tokens":9)").body);
  EXPECT_EQ(answer["choices.0.text"], "\"01234\"");
}

TEST(Completions, StreamsWhatItSaysWhole) {
  Desk desk;
  const HttpResponse response = desk.Complete(
      R"("prompt":"ab","echo":true,"stream":true,"stream_options":{"include_usage":true})");
  EXPECT_TRUE(response.body.ends_with("data: [DONE]\n\n"));
  const auto events = EventsOf(response.body);
  std::string text;
  for (const Json& event : events) {
    EXPECT_EQ(event["id"], events[0]["id"]);
    if (const std::string piece = event["choices.0.text"]; !piece.empty())
      text += piece.substr(1, piece.size() - 2);
  }
  EXPECT_EQ(text, "abHello.");
  EXPECT_EQ(events.back()["choices"], "[]");
  EXPECT_EQ(events.back()["usage.completion_tokens"], "7");
  EXPECT_EQ(events[events.size() - 2]["choices.0.finish_reason"], "\"stop\"");
}

TEST(Completions, O24ScoresThePrompt) {
  Desk desk;
  desk.fixture.Script('c', "Hello.");
  const Json answer(
      desk.Complete(R"("prompt":"abc","echo":true,"logprobs":2,"max_tokens":2)").body);
  EXPECT_EQ(answer["choices.0.text"], "\"abcHe\"");
  EXPECT_EQ(answer["choices.0.logprobs.tokens"], R"(["a","b","c","H","e"])");
  EXPECT_EQ(answer["choices.0.logprobs.text_offset"], "[0,1,2,3,4]");
  EXPECT_EQ(answer["choices.0.logprobs.token_logprobs.0"], "null");
  EXPECT_NE(answer["choices.0.logprobs.token_logprobs.1"], "null");
  EXPECT_EQ(answer["choices.0.logprobs.top_logprobs.0"], "null");
  EXPECT_EQ(answer["usage.prompt_tokens"], "3");
  EXPECT_EQ(answer["usage.completion_tokens"], "2");
  const Json scored(
      desk.Complete(R"("prompt":"abc","echo":true,"logprobs":0,"max_tokens":0)").body);
  EXPECT_EQ(scored["choices.0.logprobs.tokens"], R"(["a","b","c"])");
  EXPECT_EQ(scored["usage.completion_tokens"], "0");
  EXPECT_EQ(scored["choices.0.finish_reason"], "\"length\"");
}

TEST(Completions, O22GivesLogProbabilitiesOfTheAnswer) {
  Desk desk;
  const Json answer(desk.Complete(R"("prompt":"abc","logprobs":5,"max_tokens":2)").body);
  EXPECT_EQ(answer["choices.0.logprobs.tokens"], R"(["H","e"])");
  EXPECT_EQ(answer["choices.0.logprobs.text_offset"], "[0,1]");
  EXPECT_EQ(desk.Complete(R"("prompt":"abc","logprobs":21)").status, 400);
}

TEST(Completions, GivesTheBestOfSeveral) {
  Desk desk;
  const Json answer(desk.Complete(R"("prompt":"abc","best_of":3,"n":2,"max_tokens":2)").body);
  EXPECT_EQ(answer["choices.1.text"], "\"He\"");
  EXPECT_EQ(answer["choices.1.logprobs"], "null");
  EXPECT_EQ(answer["choices.2"], "");
  EXPECT_EQ(answer["usage.completion_tokens"], "6") << "all that were made";
  EXPECT_EQ(desk.Complete(R"("prompt":"abc","best_of":1,"n":2)").status, 400);
  EXPECT_EQ(desk.Complete(R"("prompt":"abc","best_of":2,"stream":true)").status, 400);
}

TEST(Completions, O26BiasesTokens) {
  Desk desk;
  desk.fixture.model->script = nullptr;
  const Json forced(desk.Complete(R"("prompt":"ab","logit_bias":{"66":100},"max_tokens":3)").body);
  EXPECT_EQ(forced["choices.0.text"], "\"aaa\"");
  for (const char* bias : {R"({"a":1})", R"({"-1":1})", R"({"97":1})", R"({"5":101})",
                           R"({"5":"x"})", R"({" 5":1})", "[]"}) {
    const HttpResponse response =
        desk.Complete(R"("prompt":"ab","logit_bias":)" + std::string(bias));
    EXPECT_EQ(response.status, 400) << bias;
    EXPECT_EQ(Json(response.body)["error.param"], "\"logit_bias\"");
  }
}

TEST(Completions, RefusesByName) {
  Desk desk;
  for (const auto& [rest, param] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("max_tokens":1)", "prompt"},
           {R"("prompt":[])", "prompt"},
           {R"("prompt":[1,"a"])", "prompt"},
           {R"("prompt":["a",1])", "prompt"},
           {R"("prompt":[97])", "prompt"},
           {R"("prompt":{"a":1})", "prompt"},
           {R"("prompt":"a","suffix":"b")", "suffix"},
           {R"("prompt":"a","n":0)", "n"},
           {R"("prompt":"a","n":129)", "n"},
           {R"("prompt":"a","top_p":2.5)", "top_p"},
           {R"("prompt":"a","stream_options":{})", "stream_options"},
           {R"("prompt":"a","stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14",
                                    "15","16","17"])",
            "stop"},
           {R"("prompt":"a","unheard_of":1)", "unheard_of"}}) {
    const HttpResponse response = desk.Complete(rest);
    EXPECT_EQ(response.status, 400) << rest;
    EXPECT_EQ(Json(response.body)["error.param"].find("\"" + std::string(param)), 0u)
        << response.body;
  }
}

}  // namespace
}  // namespace hadal
