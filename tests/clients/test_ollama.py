"""The official Ollama client: rows L of the conformance list."""

import datetime
import json
import time
import unittest

import ollama

from serving import LATER, TINY, server

HI = [{"role": "user", "content": "Hi there"}]
FIXED = {"temperature": 0, "num_predict": 12}


def client():
    return ollama.Client(host=server().url)


class Ollama(unittest.TestCase):
    def test_l01_l02_chat(self):
        whole = client().chat(TINY, HI, options=FIXED, think=False)
        pieces = list(client().chat(TINY, HI, options=FIXED, think=False, stream=True))
        self.assertEqual("".join(p.message.content for p in pieces), whole.message.content)
        self.assertEqual([p.done for p in pieces], [False] * (len(pieces) - 1) + [True])

    def test_l03_generate(self):
        whole = client().generate(TINY, "Hi there", options=FIXED, think=False)
        text = "".join(p.response for p in client().generate(TINY, "Hi there", options=FIXED,
                                                              think=False, stream=True))
        self.assertEqual(text, whole.response)
        self.assertEqual(text, client().chat(TINY, HI, options=FIXED, think=False).message.content)

    def test_l04_load(self):
        self.assertEqual(client().generate(TINY).done_reason, "load")
        self.assertEqual(client().generate(TINY, keep_alive=0).done_reason, "unload")

    def test_l05_options(self):
        with self.assertRaises(ollama.ResponseError):
            client().generate(TINY, "x", options={"temperature": "hot"})

    def test_l06_think(self):
        for level in (True, "low", "high"):
            answer = client().chat(TINY, HI, options=FIXED, think=level)
            self.assertTrue(answer.done)

    def test_l07_format(self):
        schema = {"type": "object", "properties": {"kind": {"enum": ["x", "y"]}},
                  "required": ["kind"], "additionalProperties": False}
        answer = client().chat(TINY, HI, options={"temperature": 0, "num_predict": 100},
                               think=False, format=schema)
        self.assertIn(json.loads(answer.message.content)["kind"], ("x", "y"))

    def test_l09_embed_is_refused(self):
        with self.assertRaises(ollama.ResponseError) as refused:
            client().embed(TINY, "x")
        self.assertEqual(refused.exception.status_code, 400)

    def test_l10_l11_models(self):
        names = [model.model for model in client().list().models]
        self.assertIn(TINY + ":latest", names)
        self.assertIn(TINY + ":latest", [model.model for model in client().ps().models])
        self.assertIn("completion", client().show(TINY).capabilities)

    def test_l12_delete_and_copy_what_is_not_there(self):
        with self.assertRaises(ollama.ResponseError) as missing:
            client().delete("none")
        self.assertEqual(missing.exception.status_code, 404)
        with self.assertRaises(ollama.ResponseError):
            client().copy("none", "other")

    def test_l04_l13_keep_alive_and_ps(self):
        def row():
            return next((m for m in client().ps().models if m.model == LATER + ":latest"), None)

        client().generate(LATER, keep_alive=0)
        self.assertIsNone(row())
        for form, seconds in (("1h", 3600), (5400, 5400), ("1h30m", 5400), (None, 300)):
            answer = client().generate(LATER, "Hi there", options=FIXED, keep_alive=form)
            self.assertTrue(answer.done)
            left = row().expires_at - datetime.datetime.now(datetime.timezone.utc)
            self.assertLessEqual(left.total_seconds(), seconds + 1, form)
            self.assertGreater(left.total_seconds(), seconds / 2, form)
        loaded = row()
        self.assertGreater(loaded.size, 0)
        self.assertEqual(loaded.size_vram, 0)
        self.assertTrue(loaded.details.parameter_size)
        self.assertEqual(loaded.details.quantization_level, "BF16")
        for forever in (-1, "-1s"):
            self.assertEqual(client().chat(LATER, [], keep_alive=forever).done_reason, "load")
            self.assertGreater(row().expires_at.year, 2100)
        self.assertEqual(client().chat(LATER, [], keep_alive="0s").done_reason, "unload")
        self.assertIsNone(row())
        self.assertIn(LATER + ":latest", [model.model for model in client().list().models])
        self.assertEqual(client().show(LATER).details.quantization_level, "BF16")
        self.assertIsNone(row(), "looking loads nothing")
        self.assertEqual(server().ask("/api/generate", {"model": LATER, "keep_alive": "soon"})[0], 400)

    def test_l14_unknown_model(self):
        with self.assertRaises(ollama.ResponseError) as missing:
            client().chat("none", HI)
        self.assertEqual(str(missing.exception.error), "model 'none' not found")

    def test_l16_methods(self):
        self.assertEqual(server().ask("/api/chat", method="GET")[0], 405)
        self.assertEqual(server().ask("/api/version", method="HEAD")[0], 200)

    def test_l17_head(self):
        for path in ("/", "/api/version", "/api/tags"):
            status, headers, body = server().ask(path, method="HEAD")
            self.assertEqual((status, body), (200, ""), path)
            self.assertGreater(int(headers["Content-Length"]), 0, path)
        self.assertEqual(server().ask("/api/blobs/sha256:" + "0" * 64, method="HEAD")[0], 404)
        self.assertEqual(server().ask("/api/chat", method="HEAD")[0], 405)

    def test_l18_times(self):
        start = time.monotonic()
        answer = client().chat(TINY, HI, options=FIXED)
        wall = (time.monotonic() - start) * 1e9
        self.assertLessEqual(answer.total_duration, wall)
        self.assertLessEqual(answer.load_duration + answer.prompt_eval_duration +
                             answer.eval_duration, answer.total_duration)


if __name__ == "__main__":
    unittest.main()
