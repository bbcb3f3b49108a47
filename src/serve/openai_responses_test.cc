// OpenAI's Responses, case by case of shared reference A6 (O-41 to O-46).
#include <gtest/gtest.h>

#include "serve/dialect_test_data.h"
#include "serve/routes.h"

namespace hadal {
namespace {

struct Desk : DialectDesk {
  explicit Desk(const std::string& format = "qwen3") : DialectDesk({AddResponsesRoutes}, format) {}
  HttpResponse Respond(const std::string& rest) {
    return Post("/v1/responses", R"({"model":"fake","temperature":0,)" + rest + "}");
  }
};

TEST(Responses, O41AnswersAText) {
  Desk desk;
  const Json response(desk.Respond(R"("input":"Hi?","instructions":"S","user":"u")").body);
  EXPECT_EQ(response["object"], "\"response\"");
  EXPECT_EQ(response["status"], "\"completed\"");
  EXPECT_EQ(response["output.0.type"], "\"message\"");
  EXPECT_EQ(response["output.0.status"], "\"completed\"");
  EXPECT_EQ(response["output.0.content.0.text"], "\"Hello.\"");
  EXPECT_EQ(response["output.0.content.0.annotations"], "[]");
  EXPECT_EQ(response["usage.output_tokens"], "7");
  EXPECT_EQ(response["instructions"], "\"S\"") << "settings are repeated";
  EXPECT_EQ(response["user"], "\"u\"");
  EXPECT_EQ(response["error"], "null");
  EXPECT_EQ(response["tools"], "[]");
  EXPECT_EQ(response["store"], "false");
}

TEST(Responses, O42TakesItems) {
  Desk desk;
  const auto count = [&desk](const std::string& input) {
    const auto response =
        desk.Post("/v1/responses/input_tokens", R"({"model":"fake","input":)" + input + "}");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(Json(response.body)["object"], "\"response.input_tokens\"");
    return Json(response.body)["input_tokens"];
  };
  EXPECT_EQ(count(R"("Hi?")"), count(R"([{"role":"user","content":"Hi?"}])"));
  EXPECT_EQ(count(R"("Hi?")"), count(R"([{"type":"message","role":"user","content":[
      {"type":"input_text","text":"Hi?"}]}])"));
  EXPECT_NE(count(R"("Hi?")"), count(R"([{"role":"developer","content":"S"},
      {"role":"user","content":"Hi?"}])"));
}

constexpr char kTool[] =
    R"(,"tools":[{"type":"function","name":"f","parameters":{"type":"object"}}])";

TEST(Responses, O43LoopsOverTools) {
  Desk desk;
  desk.Answer(R"(<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>)");
  const Json response(desk.Respond(R"("input":"Hi?")" + std::string(kTool)).body);
  EXPECT_EQ(response["output.0.type"], "\"function_call\"");
  EXPECT_EQ(response["output.0.name"], "\"f\"");
  EXPECT_EQ(response["output.0.arguments"], R"("{\"a\": 1}")");
  EXPECT_TRUE(response["output.0.call_id"].starts_with("\"call_"));
  desk.Answer("Done.");
  const Json second(desk.Respond(R"("input":[{"role":"user","content":"Hi?"},
      {"type":"reasoning","id":"rs","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
      {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\": 1}"},
      {"type":"function_call_output","call_id":"c1","output":"7"}])" +
                                 std::string(kTool))
                        .body);
  EXPECT_EQ(second["output.0.content.0.text"], "\"Done.\"") << second.text();
}

TEST(Responses, O44SaysThatItWasCutOff) {
  Desk desk;
  desk.Answer("A long answer that goes on and on.");
  const Json response(desk.Respond(R"("input":"Hi?","max_output_tokens":16)").body);
  EXPECT_EQ(response["status"], "\"incomplete\"");
  EXPECT_EQ(response["incomplete_details.reason"], "\"max_output_tokens\"");
  EXPECT_EQ(response["output.0.status"], "\"incomplete\"");
  EXPECT_EQ(desk.Respond(R"("input":"Hi?","max_output_tokens":15)").status, 400);
}

TEST(Responses, O45StreamsEventsInOrder) {
  Desk desk;
  desk.Answer("<think>hm</think>Yes.<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>");
  const HttpResponse response = desk.Respond(
      R"("input":"Hi?","stream":true,"reasoning":{"effort":"high"})" + std::string(kTool));
  std::vector<std::string> order;
  std::string text, last;
  int sequence = 0;
  for (const Json& event : EventsOf(response.body)) {
    const std::string quoted = event["type"];
    const std::string type = quoted.substr(1, quoted.size() - 2);
    EXPECT_EQ(event["sequence_number"], std::to_string(sequence++));
    EXPECT_NE(response.body.find("event: " + type + "\n"), std::string::npos);
    if (order.empty() || order.back() != type) order.push_back(type);
    if (type == "response.output_text.delta")
      text += event["delta"].substr(1, event["delta"].size() - 2);
    last = event["response.output"];
  }
  const std::vector<std::string> want = {"response.created",
                                         "response.in_progress",
                                         "response.output_item.added",
                                         "response.reasoning_text.delta",
                                         "response.reasoning_text.done",
                                         "response.output_item.done",
                                         "response.output_item.added",
                                         "response.content_part.added",
                                         "response.output_text.delta",
                                         "response.output_text.done",
                                         "response.content_part.done",
                                         "response.output_item.done",
                                         "response.output_item.added",
                                         "response.function_call_arguments.delta",
                                         "response.function_call_arguments.done",
                                         "response.output_item.done",
                                         "response.completed"};
  EXPECT_EQ(order, want);
  EXPECT_EQ(text, "Yes.");
  const Json output(last);
  EXPECT_EQ(output["0.content.0.text"], "\"hm\"");
  EXPECT_EQ(output["1.content.0.text"], "\"Yes.\"");
  EXPECT_EQ(output["2.arguments"], "\"{}\"");
}

TEST(Responses, O46CountsInput) {
  Desk desk;
  const Json response(desk.Respond(R"("input":"Hi?")").body);
  const Json counted(
      desk.Post("/v1/responses/input_tokens", R"({"model":"fake","input":"Hi?"})").body);
  EXPECT_EQ(response["usage.input_tokens"], counted["input_tokens"]);
}

TEST(Responses, GivesLogProbabilitiesWhereIncluded) {
  Desk desk;
  const Json response(desk.Respond(R"("input":"Hi?","top_logprobs":2,
      "include":["message.output_text.logprobs"])")
                          .body);
  EXPECT_EQ(response["output.0.content.0.logprobs.0.token"], "\"H\"");
  EXPECT_EQ(response["output.0.content.0.logprobs.0.bytes"], "[72]");
  EXPECT_NE(response["output.0.content.0.logprobs.0.top_logprobs.1"], "");
}

TEST(Responses, AreNotStored) {
  Desk desk;
  const HttpResponse response = desk.Respond(R"("input":"x","previous_response_id":"resp_1")");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(Json(response.body)["error.code"], "\"previous_response_not_found\"");
  EXPECT_EQ(desk.Ask("GET", "/v1/responses/resp_1").status, 404);
  EXPECT_EQ(desk.Ask("DELETE", "/v1/responses/resp_1").status, 404);
  EXPECT_EQ(desk.Ask("POST", "/v1/responses/resp_1/cancel").status, 404);
}

TEST(Responses, RefuseWhatTheyDoNotSupportByName) {
  Desk desk;
  for (const auto& [rest, word] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("instructions":"no input")", "input"},
           {R"("input":[])", "input"},
           {R"("input":"x","background":true)", "background"},
           {R"("input":"x","conversation":"c")", "conversation"},
           {R"("input":"x","prompt":{"id":"p"})", "prompt"},
           {R"("input":"x","unheard_of":1)", "unheard_of"},
           {R"("input":"x","top_logprobs":21)", "top_logprobs"},
           {R"("input":"x","truncation":"sometimes")", "truncation"},
           {R"("input":"x","tool_choice":"required")", "tool_choice"},
           {R"("input":"x","tools":[{"type":"web_search"}])", "web_search"},
           {R"("input":"x","text":{"format":{"type":"xml"}})", "format"},
           {R"("input":[{"type":"item_reference","id":"x"}])", "item_reference"},
           {R"("input":[{"role":"user","content":[{"type":"input_image"}]}])", "input_image"},
           {R"("input":[{"type":"function_call_output","call_id":"c","output":"x"}])",
            "call_id"}}) {
    const HttpResponse response = desk.Respond(rest);
    EXPECT_EQ(response.status, 400) << rest;
    EXPECT_NE(response.body.find(word), std::string::npos) << response.body;
  }
}

}  // namespace
}  // namespace hadal
