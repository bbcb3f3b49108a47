"""Rows X: the same prompt at temperature 0 through every dialect gives the same text and counts."""

import unittest

import anthropic
import ollama
import openai

from serving import MIXTURE, TINY, server

PROMPTS = ["Hi there", "What is 2+2?", "Write a word.", "\u00e4\u00f6\u00fc \u6df1\u6d77", "a" * 300,
           "List:\n- one\n- two\n"]


def by_openai(model, prompt):
    client = openai.OpenAI(base_url=server().url + "/v1", api_key="none")
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": prompt}], temperature=0, top_p=1,
        max_tokens=24, extra_body={"thinking": {"type": "disabled"}, "top_k": 0})
    return (answer.choices[0].message.content or "", answer.usage.prompt_tokens,
            answer.usage.completion_tokens)


def by_responses(model, prompt):
    client = openai.OpenAI(base_url=server().url + "/v1", api_key="none")
    answer = client.responses.create(model=model, input=prompt, temperature=0,
                                     max_output_tokens=24, reasoning={"effort": "none"})
    return answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens


def by_anthropic(model, prompt):
    client = anthropic.Anthropic(base_url=server().url, api_key="none")
    answer = client.messages.create(model=model, max_tokens=24, extra_body={"temperature": 0},
                                    messages=[{"role": "user", "content": prompt}])
    usage = answer.usage
    return ("".join(block.text for block in answer.content if block.type == "text"),
            usage.input_tokens + usage.cache_read_input_tokens, usage.output_tokens)


def by_ollama(model, prompt):
    answer = ollama.Client(host=server().url).chat(
        model, [{"role": "user", "content": prompt}], think=False,
        options={"temperature": 0, "num_predict": 24})
    return answer.message.content, answer.prompt_eval_count, answer.eval_count


class SameAnswer(unittest.TestCase):
    def check(self, prompt):
        for model in (TINY, MIXTURE):
            want = by_openai(model, prompt)
            for ask in (by_responses, by_anthropic, by_ollama):
                self.assertEqual(ask(model, prompt), want, ask.__name__)


for number, text in enumerate(PROMPTS, 1):
    setattr(SameAnswer, f"test_x{number:02}",
            lambda self, prompt=text: self.check(prompt))


if __name__ == "__main__":
    unittest.main()
