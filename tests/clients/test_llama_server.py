"""llama-server's routes, which have no client of their own."""

import json
import unittest

from serving import TINY, server


def ask(path, body=None):
    status, _, answer = server().ask(path, body)
    return status, json.loads(answer)


class LlamaServer(unittest.TestCase):
    def test_health(self):
        self.assertEqual(ask("/health"), (200, {"status": "ok"}))

    def test_props_and_slots(self):
        self.assertEqual(ask("/props")[1]["model_alias"], TINY)
        self.assertFalse(ask("/slots")[1][0]["is_processing"])

    def test_tokens_and_back(self):
        for text in ("ab", "\u6df1\u6d77", ""):
            tokens = ask("/tokenize", {"content": text})[1]["tokens"]
            self.assertEqual(ask("/detokenize", {"tokens": tokens})[1]["content"], text)

    def test_apply_template(self):
        messages = [{"role": "user", "content": "Hi"}]
        self.assertIn("Hi", ask("/apply-template", {"messages": messages})[1]["prompt"])

    def test_completion(self):
        status, answer = ask("/completion", {"prompt": "ab", "n_predict": 4, "temperature": 0})
        self.assertEqual((status, answer["stop_type"], answer["tokens_predicted"]),
                         (200, "limit", 4))
        self.assertEqual(ask("/completion", {"prompt": "ab", "grammar": "x"})[0], 400)


if __name__ == "__main__":
    unittest.main()
