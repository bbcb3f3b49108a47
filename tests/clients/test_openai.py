"""The official OpenAI client: rows O of the conformance list."""

import json
import unittest

import openai
from jsonschema import validate

from serving import MIXTURE, TINY, server

HI = [{"role": "user", "content": "Hi there"}]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
    "additionalProperties": False}}}


def client(path="/v1"):
    return openai.OpenAI(base_url=server().url + path, api_key="none", max_retries=0)


def ids(text):
    """The tokens of a text."""
    _, _, body = server().ask("/tokenize", {"content": text, "add_special": False})
    return json.loads(body)["tokens"]


def chat(**more):
    settings = {"model": TINY, "messages": HI, "temperature": 0, "max_tokens": 12,
                "reasoning_effort": "none", **more}
    return client().chat.completions.create(**settings)


class Chat(unittest.TestCase):
    def test_o01_minimal(self):
        answer = chat()
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.choices[0].message.role, "assistant")
        usage = answer.usage
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)

    def test_o02_three_choices(self):
        answer = chat(n=3, temperature=1, seed=7)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2])

    def test_o03_stop(self):
        text = chat(max_tokens=20).choices[0].message.content
        stop = text[len(text) // 2]
        cut = chat(max_tokens=20, stop=[stop, "never"]).choices[0]
        self.assertEqual(cut.message.content, text[:text.index(stop)])
        self.assertEqual(cut.finish_reason, "stop")

    def test_o04_seed(self):
        first = chat(temperature=1, seed=11).choices[0].message.content
        self.assertEqual(first, chat(temperature=1, seed=11).choices[0].message.content)

    def test_o05_length(self):
        answer = client().chat.completions.create(model=TINY, messages=HI, max_completion_tokens=1)
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertEqual(answer.usage.completion_tokens, 1)

    def test_o06_to_o10_stream(self):
        chunks = list(chat(stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual(len({(c.id, c.created, c.model) for c in chunks}), 1)
        finishes = [c for c in chunks if c.choices and c.choices[0].finish_reason]
        self.assertEqual(len(finishes), 1)
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.total_tokens, 0)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, chat().choices[0].message.content)

    def test_o11_tools_auto_and_none(self):
        for choice in ("auto", "none"):
            answer = chat(tools=[TOOL], tool_choice=choice).choices[0]
            if choice == "none":
                self.assertIsNone(answer.message.tool_calls)

    def test_o12_o13_tools_forced(self):
        named = {"type": "function", "function": {"name": "look"}}
        for choice in ("required", named):
            answer = chat(tools=[TOOL], tool_choice=choice, max_tokens=200).choices[0]
            call = answer.message.tool_calls[0]
            self.assertEqual(call.function.name, "look")
            if answer.finish_reason == "tool_calls":
                validate(json.loads(call.function.arguments), TOOL["function"]["parameters"])

    def test_o15_tool_round_trip(self):
        answer = chat(tools=[TOOL], messages=HI + [
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "look", "arguments": "{\"a\": 1}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "7"}])
        self.assertTrue(answer.choices)

    def test_o17_o18_json(self):
        schema = {"type": "object", "properties": {"kind": {"enum": ["x", "y"]}},
                  "required": ["kind"], "additionalProperties": False}
        form = {"type": "json_schema", "json_schema": {"name": "s", "strict": True,
                                                       "schema": schema}}
        answer = chat(response_format=form, max_tokens=100).choices[0]
        self.assertEqual(answer.finish_reason, "stop")
        validate(json.loads(answer.message.content), schema)

    TREE = {"type": "object", "properties": {
        "kind": {"enum": ["x", "y"]}, "place": {"$ref": "#/$defs/place"}},
        "required": ["kind", "place"], "additionalProperties": False,
        "$defs": {"place": {"type": "object", "properties": {
            "n": {"type": "integer", "minimum": 0, "maximum": 9},
            "within": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]}},
            "required": ["n", "within"], "additionalProperties": False}}}

    def test_o19_schemas_that_are_nested_and_recursive(self):
        form = {"type": "json_schema", "json_schema": {"name": "tree", "strict": True,
                                                       "schema": self.TREE}}
        answer = chat(response_format=form, max_tokens=1000).choices[0]
        if answer.finish_reason == "stop":
            validate(json.loads(answer.message.content), self.TREE)
        else:  # random weights may go down and down: cut off, and it says so
            self.assertEqual(answer.finish_reason, "length")
            self.assertTrue(answer.message.content.startswith("{"))

    def test_o20_a_schema_and_a_stream(self):
        schema = {"type": "object", "properties": {"a": {"enum": ["one", "two"]},
                                                   "b": {"type": "boolean"}},
                  "required": ["a", "b"], "additionalProperties": False}
        form = {"type": "json_schema", "json_schema": {"name": "s", "strict": True,
                                                       "schema": schema}}
        whole = chat(response_format=form, max_tokens=100).choices[0].message.content
        pieces = [chunk.choices[0].delta.content or ""
                  for chunk in chat(response_format=form, max_tokens=100, stream=True) if chunk.choices]
        self.assertEqual("".join(pieces), whole)
        validate(json.loads(whole), schema)

    def test_o21_a_schema_behind_reasoning(self):
        schema = {"enum": ["yes", "no"]}
        form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
        answer = chat(model=MIXTURE, response_format=form, max_tokens=80, reasoning_effort="high").choices[0]
        self.assertTrue(answer.message.reasoning_content)
        self.assertIn(json.loads(answer.message.content), schema["enum"])

    def test_o21_invalid_schema(self):
        form = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "foo"}}}
        with self.assertRaises(openai.BadRequestError):
            chat(response_format=form)

    def test_o22_log_probabilities(self):
        for top in (0, 5, 20):
            tokens = chat(logprobs=True, top_logprobs=top).choices[0].logprobs.content
            self.assertEqual(len(tokens[0].top_logprobs), top)
        with self.assertRaises(openai.BadRequestError):
            chat(logprobs=True, top_logprobs=21)

    def test_o26_to_o29_bias(self):
        token = ids("B")[0]
        forced = client().completions.create(model=TINY, prompt="ab", temperature=0, max_tokens=4,
                                             logit_bias={str(token): 100})
        self.assertEqual(forced.choices[0].text, "B" * 4)
        banned = client().completions.create(
            model=TINY, prompt="ab", temperature=0, max_tokens=4,
            logit_bias={str(ids(forced.choices[0].text)[0]): -100})
        self.assertNotIn("B", banned.choices[0].text)
        for key in ("x", "-1", "9999999"):
            with self.assertRaises(openai.BadRequestError):
                chat(logit_bias={key: 1})


class Completions(unittest.TestCase):
    def complete(self, **more):
        settings = {"model": TINY, "prompt": "ab", "temperature": 0, "max_tokens": 5, **more}
        return client().completions.create(**settings)

    def test_o24_echo_and_offsets(self):
        choice = self.complete(prompt="abc", echo=True, logprobs=2).choices[0]
        self.assertTrue(choice.text.startswith("abc"))
        self.assertEqual(choice.logprobs.text_offset[:3], [0, 1, 2])
        self.assertIsNone(choice.logprobs.token_logprobs[0])
        self.assertEqual(len(choice.logprobs.tokens), 8)

    def test_prompt_forms_give_the_same(self):
        texts = {self.complete(prompt=prompt).choices[0].text
                 for prompt in ("ab", ["ab"], ids("ab"), [ids("ab")])}
        self.assertEqual(len(texts), 1)

    def test_stream(self):
        pieces = [c.choices[0].text for c in self.complete(stream=True) if c.choices]
        self.assertEqual("".join(pieces), self.complete().choices[0].text)


class Errors(unittest.TestCase):
    """Rows O-30 to O-40."""

    def check(self, status, *arguments, code=None, **more):
        got, headers, body = server().ask(*arguments, **more)
        self.assertEqual(got, status, body)
        error = json.loads(body)["error"]
        self.assertEqual(set(error), {"message", "type", "param", "code"})
        self.assertTrue(headers["x-request-id"])
        if code:
            self.assertEqual(error["code"], code)

    def test_o30_to_o40(self):
        path = "/v1/chat/completions"
        self.check(400, path, raw=b"", code="invalid_json")
        self.check(400, path, raw=b"{", code="invalid_json")
        self.check(400, path, raw=b"\xef\xbb\xbf{}")
        self.check(400, path, raw=b"{} {}", code="invalid_json")
        self.check(400, path, raw=b'{"model":"a","model":"b"}', code="invalid_json")
        self.check(400, path, body={"model": TINY}, code="missing_required_parameter")
        self.check(400, path, body={"model": TINY, "messages": []})
        self.check(400, path, body={"model": TINY, "messages": HI, "temperature": 3})
        self.check(404, path, body={"model": "none", "messages": HI}, code="model_not_found")
        self.check(404, "/v1/unheard/of", body={})
        self.check(405, path, method="GET")
        self.check(415, path, raw=b"{}", headers={"Content-Type": "text/plain"})

    def test_classes(self):
        with self.assertRaises(openai.NotFoundError):
            chat(model="none")
        with self.assertRaises(openai.BadRequestError):
            chat(messages=[])


class Responses(unittest.TestCase):
    def respond(self, **more):
        settings = {"model": TINY, "input": "Hi there", "temperature": 0,
                    "max_output_tokens": 20, "reasoning": {"effort": "none"}, **more}
        return client().responses.create(**settings)

    def test_o41_o42(self):
        text = self.respond()
        items = self.respond(input=[{"role": "user", "content": "Hi there"}])
        self.assertEqual(text.output_text, items.output_text)

    def test_o44_incomplete(self):
        answer = self.respond(max_output_tokens=16)
        if answer.status == "incomplete":
            self.assertEqual(answer.incomplete_details.reason, "max_output_tokens")

    def test_o45_order(self):
        events = list(self.respond(stream=True))
        self.assertEqual([e.sequence_number for e in events], list(range(len(events))))
        self.assertEqual(events[0].type, "response.created")
        self.assertIn(events[-1].type, ("response.completed", "response.incomplete"))
        text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        self.assertEqual(text, self.respond().output_text)

    def test_o45_helper(self):
        with client().responses.stream(model=TINY, input="Hi there", temperature=0,
                                       max_output_tokens=20,
                                       reasoning={"effort": "none"}) as stream:
            for _ in stream:
                pass

    def test_o46_input_tokens(self):
        counted = client().responses.input_tokens.count(model=TINY, input="Hi there",
                                                        reasoning={"effort": "none"})
        self.assertEqual(counted.input_tokens, self.respond().usage.input_tokens)


class Models(unittest.TestCase):
    def test_list(self):
        names = [model.id for model in client().models.list()]
        self.assertIn(TINY, names)
        self.assertEqual(client().models.retrieve(TINY).id, TINY)
        with self.assertRaises(openai.NotFoundError):
            client().models.retrieve("a/b:c")

    def test_o47_embeddings_are_refused(self):
        for arguments in ({"input": "x"}, {"input": ["x"] * 2049},
                          {"input": "x", "encoding_format": "float"}):
            with self.assertRaises(openai.BadRequestError):
                client().embeddings.create(model=TINY, **arguments)


if __name__ == "__main__":
    unittest.main()
