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

    def test_d08_cache_counts(self):
        usage = chat().usage
        self.assertEqual(usage.prompt_cache_hit_tokens + usage.prompt_cache_miss_tokens,
                         usage.prompt_tokens)

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
