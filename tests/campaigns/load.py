"""32 clients with mixed prompts, beside llama-server on the same file, in turns.

Shown: output tokens per second of all clients together, the worst client's time to the first token
and between tokens, and fairness (the slowest client's rate over the fastest's)."""
import argparse
import asyncio
import json
import random
import tempfile
import time
from statistics import median

import aiohttp

import servers
from chat_client import chat

WORDS = ("water pressure light animal cold dark current sediment ridge vent signal cable hull depth "
         "sonar winch sample bacteria oxygen salt").split()


def prompt(rng, words):
    return "Continue this list of words about the sea: " + " ".join(rng.choice(WORDS) for _ in range(words))


async def client(session, url, model, index, requests, tokens):
    """A user: one question after the other, of different lengths; the same on both sides."""
    rng = random.Random(index)
    answers = []
    for _ in range(requests):
        words = rng.choice((10, 40, 120, 300))
        answers.append(await chat(session, url, model, [{"role": "user", "content": prompt(rng, words)}],
                                  max_tokens=tokens, temperature=0.8, seed=index, top_p=0.95))
    return answers


async def load(url, model, clients, requests, tokens):
    timeout = aiohttp.ClientTimeout(total=1800)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        await chat(session, url, model, [{"role": "user", "content": "Hello"}], max_tokens=4)  # warms up
        begin = time.monotonic()
        everyone = await asyncio.gather(*(client(session, url, model, i, requests, tokens) for i in range(clients)))
        seconds = time.monotonic() - begin
    answers = [answer for one in everyone for answer in one]
    rates = [sum(a.tokens for a in one) / sum(a.end - a.begin for a in one) for one in everyone]
    return {"answers": len(answers), "failed": sum(not a.ok for a in answers),
            "output_tokens": sum(a.tokens for a in answers), "seconds": seconds,
            "tokens_per_second": sum(a.tokens for a in answers) / seconds,
            "worst_first_token_seconds": max(a.first_token_seconds for a in answers if a.ok),
            "worst_gap_seconds": max(a.longest_gap_seconds for a in answers if a.ok),
            "fairness": min(rates) / max(rates), "error": next((a.error for a in answers if not a.ok), "")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file (default: a tiny one, and no peer)")
    parser.add_argument("--llama-server", help="the peer's program")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--turns", type=int, default=1)
    options = parser.parse_args()
    results = {"hadal": [], "llama-server": []}
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or servers.tiny_model(folder)
        for _ in range(options.turns):
            sides = [("hadal", lambda: servers.hadal(model, folder))]
            if options.llama_server:
                sides.append(("llama-server", lambda: servers.llama_server(options.llama_server, model, folder,
                                                                           options.clients, 1024)))
            for name, make in sides:
                with make() as server:
                    results[name].append(servers.run(load(server.url, server.model_name(), options.clients, options.requests, options.tokens)))
                    print(name, json.dumps(results[name][-1]), flush=True)
    ours = results["hadal"]
    if results["llama-server"]:
        ratios = [a["tokens_per_second"] / b["tokens_per_second"] for a, b in zip(ours, results["llama-server"])]
        print(json.dumps({"ratio_tokens_per_second": median(ratios)}))
    if any(r["failed"] for r in ours):
        raise SystemExit(f"{ours[-1]['failed']} answers failed: {ours[-1]['error']}")


if __name__ == "__main__":
    main()
