"""32 clients with mixed prompts, beside llama-server on the same file, in turns.

Every client asks for prompts of the same lengths, each in an order of its own, and for answers of the same
length (greedy, past any end), so that clients can be compared. Shown: output tokens per second of all clients
together, the worst client's time to the first token and between tokens, and fairness: the slowest client's
rate over the fastest's, by the time in which a request of theirs was open. With a peer the sides take turns
(A B A B), and medians are compared."""
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
LENGTHS = (10, 40, 120, 300)  # words of the prompts


def prompt(rng, words):
    return "Continue this list of words about the sea: " + " ".join(rng.choice(WORDS) for _ in range(words))


async def client(session, url, model, index, requests, tokens):
    """A user: one question after the other; the same on both sides."""
    rng = random.Random(index)
    answers = []
    for i in range(requests):
        words = LENGTHS[(index + i) % len(LENGTHS)]
        answers.append(await chat(session, url, model, [{"role": "user", "content": prompt(rng, words)}],
                                  max_tokens=tokens, temperature=0, ignore_eos=True))
    return answers


def rate(answers):
    return sum(a.tokens for a in answers) / sum(a.end - a.begin for a in answers)


async def load(url, model, options):
    timeout = aiohttp.ClientTimeout(total=1800)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        await chat(session, url, model, [{"role": "user", "content": "Hello"}], max_tokens=4)  # warms up
        begin = time.monotonic()
        everyone = await asyncio.gather(*(client(session, url, model, i, options.requests, options.tokens)
                                          for i in range(options.clients)))
        seconds = time.monotonic() - begin
    answers = [answer for one in everyone for answer in one]
    good = [a for a in answers if a.ok]
    if len(good) < len(answers):
        raise SystemExit(f"{len(answers) - len(good)} answers failed: {next(a.error for a in answers if not a.ok)}")
    rates = [rate(one) for one in everyone]
    return {"answers": len(answers), "prompt_tokens": sum(a.usage.get("prompt_tokens", 0) for a in answers),
            "output_tokens": sum(a.tokens for a in answers), "seconds": seconds,
            "tokens_per_second": sum(a.tokens for a in answers) / seconds,
            "worst_first_token_seconds": max(a.first_token_seconds for a in good),
            "worst_gap_seconds": max(a.longest_gap_seconds for a in good), "fairness": min(rates) / max(rates)}


def medians(results):
    return {name: median(result[name] for result in results) for name in results[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file (default: a tiny one, and no peer)")
    parser.add_argument("--llama-server", help="the peer's program")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=4, help="of each client; a multiple of four is fair")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--context", type=int, default=4096, help="tokens of each client, on both sides")
    parser.add_argument("--turns", type=int, default=1)
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or servers.tiny_model(folder)
        sides = {"hadal": lambda: servers.hadal(model, folder, "--ctx", options.context)}
        if options.llama_server:
            sides["llama-server"] = lambda: servers.llama_server(options.llama_server, model, folder,
                                                                 options.clients, options.context)
        for _ in range(options.turns):
            for name, make in sides.items():
                with make() as server:
                    result = servers.run(load(server.url, server.model_name(), options))
                results.setdefault(name, []).append(result)
                print(name, json.dumps(result), flush=True)
    middle = {name: medians(of_side) for name, of_side in results.items()}
    if options.llama_server:
        middle["ratio"] = middle["hadal"]["tokens_per_second"] / middle["llama-server"]["tokens_per_second"]
    print(json.dumps({"medians": middle}))


if __name__ == "__main__":
    main()
