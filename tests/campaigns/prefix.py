"""500 conversations over 20 shared prefixes: how much of the prompts was known, and the time saved
against the same conversations without a prefix cache, by the clock and by the server's processors (which
what else the machine does hardly changes). The texts of both must be equal."""
import argparse
import asyncio
import json
import random
import tempfile
import time

import aiohttp

import servers
from chat_client import chat


def conversations(count, prefixes, words):
    rng = random.Random(7)
    shared = [" ".join(f"rule{rng.randrange(1000)}" for _ in range(words)) for _ in range(prefixes)]
    return [(shared[i % prefixes], f"Question {i}: what about number {rng.randrange(10**6)}?") for i in range(count)]


async def ask_all(url, model, talks, tokens, users):
    gate = asyncio.Semaphore(users)
    timeout = aiohttp.ClientTimeout(total=3600)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        async def one(system, question):
            async with gate:
                return await chat(session, url, model, [{"role": "system", "content": system},
                                                 {"role": "user", "content": question}],
                                  max_tokens=tokens, temperature=0)
        begin = time.monotonic()
        answers = await asyncio.gather(*(one(*talk) for talk in talks))
        return answers, time.monotonic() - begin


def summary(answers, seconds, processor_seconds):
    prompts = sum(a.usage.get("prompt_tokens", 0) for a in answers)
    known = sum((a.usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0) for a in answers)
    return {"answers": len(answers), "failed": sum(not a.ok for a in answers), "seconds": seconds,
            "processor_seconds": processor_seconds,
            "prompt_tokens": prompts, "known_tokens": known, "hit_rate": known / max(prompts, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file (default: a tiny one)")
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--prefixes", type=int, default=20)
    parser.add_argument("--words", type=int, default=150)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--users", type=int, default=8)
    options = parser.parse_args()
    talks = conversations(options.conversations, options.prefixes, options.words)
    texts = {}
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or servers.tiny_model(folder)
        for name, extra in (("with", []), ("without", ["--prefix-cache-mb", "0"])):
            with servers.hadal(model, folder, *extra) as server:
                before = server.processor_seconds()
                answers, seconds = servers.run(ask_all(server.url, server.model_name(), talks, options.tokens, options.users))
                processor_seconds = server.processor_seconds() - before
            texts[name] = [a.text for a in answers]
            print(name, json.dumps(summary(answers, seconds, processor_seconds)), flush=True)
            if any(not a.ok for a in answers):
                raise SystemExit(next(a.error for a in answers if not a.ok))
    different = sum(a != b for a, b in zip(texts["with"], texts["without"]))
    print(json.dumps({"different_texts": different}))
    if different:
        raise SystemExit("the prefix cache changed answers")


if __name__ == "__main__":
    main()
