"""The official Anthropic client: rows A of the conformance list."""

import unittest

import anthropic

from serving import MIXTURE, TINY, server

HI = [{"role": "user", "content": "Hi there"}]
TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}},
                                         "required": ["a"], "additionalProperties": False}}


def client(path=""):
    return anthropic.Anthropic(base_url=server().url + path, api_key="none", max_retries=0)


def message(**more):
    settings = {"model": TINY, "max_tokens": 12, "messages": HI, **more}
    extra = {"temperature": 0, **settings.pop("extra_body", {})}
    return client().messages.create(extra_body=extra, **settings)


class Anthropic(unittest.TestCase):
    def test_a01_text(self):
        answer = message()
        self.assertEqual((answer.type, answer.role), ("message", "assistant"))
        self.assertIn(answer.stop_reason, ("end_turn", "max_tokens"))

    def test_a02_system_blocks(self):
        counts = {client().messages.count_tokens(model=TINY, messages=HI, system=system).input_tokens
                  for system in ("S", [{"type": "text", "text": "S"}])}
        self.assertEqual(len(counts), 1)

    def test_a03_prefill(self):
        whole = message(max_tokens=20).content[0].text
        rest = message(max_tokens=20, messages=HI + [
            {"role": "assistant", "content": whole[:3]}]).content
        self.assertTrue(not rest or rest[0].type == "text")

    def test_a04_stop_sequence(self):
        text = message(max_tokens=20).content[0].text
        stop = text[len(text) // 2]
        cut = message(max_tokens=20, stop_sequences=[stop])
        self.assertEqual((cut.stop_reason, cut.stop_sequence), ("stop_sequence", stop))
        self.assertEqual("".join(block.text for block in cut.content), text[:text.index(stop)])

    def test_a05_a07_tools(self):
        for choice in ({"type": "any"}, {"type": "tool", "name": "look"}):
            answer = message(max_tokens=200, tools=[TOOL], tool_choice=choice)
            call = next(block for block in answer.content if block.type == "tool_use")
            self.assertEqual(call.name, "look")
            message(max_tokens=5, tools=[TOOL], messages=HI + [
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": call.id, "name": "look", "input": {"a": 1}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "content": "7"}]}])

    def test_a08_thinking(self):
        answer = message(max_tokens=40, extra_body={"thinking": {"type": "adaptive"}})
        self.assertTrue(answer.content)
        for block in answer.content:
            if block.type == "thinking":
                self.assertTrue(block.signature)

    def test_a09_stream(self):
        with client().messages.stream(model=TINY, max_tokens=12, messages=HI,
                                      extra_body={"temperature": 0}) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        whole = message()
        self.assertEqual(text, "".join(block.text for block in whole.content))
        self.assertEqual(final.usage.output_tokens, whole.usage.output_tokens)

    def test_a10_ping_and_whole_equals_stream(self):
        for more in ({}, {"tools": [TOOL], "tool_choice": {"type": "any"}, "max_tokens": 200},
                     {"extra_body": {"thinking": {"type": "adaptive"}}, "max_tokens": 40,
                      "model": MIXTURE}):
            whole = message(**more)
            settings = {"model": TINY, "max_tokens": 12, "messages": HI, **more}
            extra = {"temperature": 0, **settings.pop("extra_body", {})}
            kinds = []
            with client().messages.stream(extra_body=extra, **settings) as stream:
                kinds = [event.type for event in stream]
                final = stream.get_final_message()
            self.assertEqual(kinds[0], "message_start")
            self.assertEqual(kinds[-1], "message_stop")
            parts = [[block.model_dump(exclude={"id"}) for block in answer.content]
                     for answer in (whole, final)]
            for blocks in parts:
                for block in blocks:
                    block.pop("parsed_output", None)
            self.assertEqual(*parts)
            self.assertEqual(final.stop_reason, whole.stop_reason)

    def test_a13_too_large(self):
        with self.assertRaises(anthropic.APIStatusError) as refused:
            message(messages=[{"role": "user", "content": "x" * (33 << 20)}])
        self.assertEqual(refused.exception.status_code, 413)
        self.assertEqual(refused.exception.body["error"]["type"], "request_too_large")

    def test_a11_count(self):
        counted = client().messages.count_tokens(model=TINY, messages=HI).input_tokens
        usage = message().usage
        self.assertEqual(counted, usage.input_tokens + usage.cache_read_input_tokens +
                         usage.cache_creation_input_tokens)

    def test_a12_errors(self):
        with self.assertRaises(anthropic.NotFoundError):
            message(model="none")
        with self.assertRaises(anthropic.BadRequestError):
            message(messages=[])
        with self.assertRaises(anthropic.BadRequestError):
            message(messages=[{"role": "user", "content": "x" * 20000}])

    def test_a14_models(self):
        listed = client().models.list().data
        self.assertEqual(listed[0].type, "model")
        self.assertIn(TINY, [model.id for model in listed])

    def test_below_anthropic(self):
        answer = client("/anthropic").messages.create(model=TINY, max_tokens=2, messages=HI)
        self.assertEqual(answer.type, "message")


if __name__ == "__main__":
    unittest.main()
