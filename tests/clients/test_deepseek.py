"""DeepSeek's additions, asked for with the client that its documentation shows: rows D."""

import json
import unittest

import openai

from serving import MIXTURE, TINY, server

HI = [{"role": "user", "content": "Hi there"}]


def client(path=""):
    return openai.OpenAI(base_url=server().url + path, api_key="none", max_retries=0)


def chat(path="", extra=None, **more):
    settings = {"model": MIXTURE, "messages": HI, "temperature": 0, "max_tokens": 16, **more}
    return client(path).chat.completions.create(extra_body=extra, **settings)


class DeepSeek(unittest.TestCase):
    def test_d01_thinking_on_and_off(self):
        on = chat(extra={"thinking": {"type": "enabled"}})
        self.assertTrue(on.choices[0].message.reasoning_content)
        off = chat(extra={"thinking": {"type": "disabled"}})
        self.assertFalse(getattr(off.choices[0].message, "reasoning_content", None))

    def test_d02_reasoning_comes_first(self):
        kinds = []
        for chunk in chat(extra={"thinking": {"type": "enabled"}}, stream=True):
            if not chunk.choices:
                continue
            delta = chunk.choices[0].delta
            kinds += ["r"] if getattr(delta, "reasoning_content", None) else []
            kinds += ["c"] if delta.content else []
        self.assertEqual("".join(kinds), "r" * kinds.count("r") + "c" * kinds.count("c"))

    def test_d02_no_answer_is_reasoning_alone(self):
        # A model of random weights never closes its reasoning by itself.
        for bound in (40, 200):
            answer = chat(extra={"thinking": {"type": "enabled"}}, max_tokens=bound).choices[0]
            self.assertTrue(answer.message.reasoning_content, bound)
            self.assertTrue(answer.message.content, bound)

    def test_d12_comments_between_events_are_no_events(self):
        # The server's own are a unit test (Server.D12...): here nothing is silent for 15 seconds.
        status, headers, body = server().ask("/chat/completions", {
            "model": MIXTURE, "messages": HI, "stream": True, "max_tokens": 4})
        self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"))
        for event in body.split("\n\n")[:-1]:
            self.assertTrue(event.startswith(("data: ", ": ")), event)
        self.assertTrue(body.endswith("data: [DONE]\n\n"))

    def test_d04_effort(self):
        for effort in ("low", "medium", "high", "xhigh", "max"):
            chat(reasoning_effort=effort)

    def test_d05_prefix(self):
        off = {"thinking": {"type": "disabled"}}
        whole = chat("/beta", off, max_tokens=20).choices[0].message.content
        begun = whole[:len(whole) // 2]
        rest = chat("/beta", off, max_tokens=20, messages=HI + [
            {"role": "assistant", "content": begun, "prefix": True}]).choices[0].message.content
        self.assertFalse(begun and rest.startswith(begun) and rest == whole)

    def test_d06_fill_in_is_refused_without_tokens(self):
        with self.assertRaises(openai.BadRequestError) as refused:
            client("/beta").completions.create(model=MIXTURE, prompt="a", suffix="b")
        self.assertEqual(refused.exception.param, "suffix")

    def test_d07_strict_mix(self):
        strict, free = ({"type": "function", "function": {"name": name, "strict": strict, "parameters": {
            "type": "object", "properties": {}, "required": [], "additionalProperties": False}}}
            for name, strict in (("a", True), ("b", False)))
        with self.assertRaises(openai.BadRequestError) as refused:
            chat("/beta", tools=[strict, free])
        self.assertEqual(refused.exception.param, "tools")
        for path, tools in (("/beta", [strict]), ("/beta", [free]), ("/v1", [strict, free])):
            self.assertTrue(chat(path, tools=tools).choices, (path, tools))

    def test_d08_cache_counts(self):
        usage = chat().usage
        self.assertEqual(usage.prompt_cache_hit_tokens + usage.prompt_cache_miss_tokens,
                         usage.prompt_tokens)

    def test_d09_the_same_again_hits_and_users_are_apart(self):
        long = [{"role": "user", "content": "row nine " * 80}]
        first = chat(messages=long, extra={"user_id": "ann"})
        again = chat(messages=long, extra={"user_id": "ann"})
        other = chat(messages=long, extra={"user_id": "bob"})
        self.assertEqual(first.usage.prompt_cache_hit_tokens, 0)
        self.assertGreater(again.usage.prompt_cache_hit_tokens, again.usage.prompt_tokens // 2)
        self.assertEqual(again.usage.prompt_tokens_details.cached_tokens,
                         again.usage.prompt_cache_hit_tokens)
        self.assertEqual(other.usage.prompt_cache_hit_tokens, 0)
        for answer in (again, other):
            self.assertEqual(answer.choices[0].message.content, first.choices[0].message.content)

    def test_d10_balance(self):
        status, _, body = server().ask("/user/balance")
        self.assertEqual(status, 200)
        self.assertIsInstance(json.loads(body)["balance_infos"][0]["total_balance"], str)

    def test_d11_models(self):
        _, _, body = server().ask("/models")
        listed = json.loads(body)
        self.assertEqual(listed["object"], "list")
        self.assertLessEqual({"id", "object", "owned_by"}, set(listed["data"][0]))

    def test_paths(self):
        for path in ("", "/v1", "/beta", "/beta/v1"):
            self.assertTrue(chat(path, model=TINY, max_tokens=2).choices)


if __name__ == "__main__":
    unittest.main()
