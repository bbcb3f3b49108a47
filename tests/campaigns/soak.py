"""A long mixed load: whole answers and streams in every dialect, conversations that go on, clients that
leave in the middle, bad requests, with small budgets of the prefix cache (memory and disk) that are reached.
The time begins when the budget of memory is full. Own memory (resident less mapped files) and open files of
the first and the last sixth of it (ten minutes of an hour) are printed; memory must be flat, which a short
form shows and does not judge."""
import argparse
import asyncio
import json
import random
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import mean

import aiohttp

import servers
from chat_client import chat

# Seconds from which on memory is judged: what is bounded and still fills (ids of evicted prefixes) cannot be
# told from what grows in less.
LONG_ENOUGH = 1800
BAD_BODIES = (b"{", b"[]", b'{"messages":[]}', b'{"messages":[{"role":"user","content":5}]}',
              b'{"messages":[{"role":"user","content":"x"}],"temperature":9}', b"\xff")


def words(rng, most):
    return " ".join(f"word{rng.randrange(1000)}" for _ in range(rng.randrange(1, most)))


def dialects(model, rng, most_words):
    """Path and body of one request in each dialect, streamed or not."""
    text, tokens, stream = words(rng, most_words), rng.randrange(1, 24), rng.random() < 0.5
    turns = [{"role": "system", "content": f"Rules of user {rng.randrange(6)}. " + "Be brief. " * 20},
             {"role": "user", "content": text}]
    return (("/v1/chat/completions", {"model": model, "messages": turns, "max_tokens": tokens, "stream": stream}),
            ("/v1/completions", {"model": model, "prompt": text, "max_tokens": tokens, "stream": stream}),
            ("/v1/responses", {"model": model, "input": text, "max_output_tokens": 16, "stream": stream}),
            ("/v1/messages", {"model": model, "messages": turns[1:], "max_tokens": tokens, "stream": stream}),
            ("/api/chat", {"model": model, "messages": turns, "stream": stream, "options": {"num_predict": tokens}}),
            ("/api/generate", {"model": model, "prompt": text, "stream": stream, "options": {"num_predict": tokens}}),
            ("/completion", {"prompt": text, "n_predict": tokens, "stream": stream}),
            ("/tokenize", {"content": text}))


async def any_dialect(session, url, model, rng, most_words):
    path, body = rng.choice(dialects(model, rng, most_words))
    async with session.post(url + path, json=body) as response:
        text = await response.text()
        if response.status != 200:
            raise RuntimeError(f"{path} got {response.status}: {text[:300]}")


async def conversation(session, url, model, rng, most_words):
    """Three turns, each with all that was said before: the prefix cache at work."""
    turns = []
    for _ in range(3):
        turns.append({"role": "user", "content": words(rng, most_words)})
        answer = await chat(session, url, model, turns, max_tokens=rng.randrange(1, 24), seed=1)
        if not answer.ok:
            raise RuntimeError(answer.error)
        turns.append({"role": "assistant", "content": answer.text})


async def leave_early(session, url, model, rng, most_words):
    body = {"model": model, "messages": [{"role": "user", "content": words(rng, most_words)}], "stream": True,
            "max_tokens": 200}
    async with session.post(url + "/v1/chat/completions", json=body) as response:
        for _ in range(rng.randrange(4)):
            await response.content.readline()


async def bad_request(session, url, model, rng, most_words):
    body = rng.choice(BAD_BODIES)
    async with session.post(url + "/v1/chat/completions", data=body,
                            headers={"Content-Type": "application/json"}) as response:
        await response.read()
        if response.status != 400:
            raise RuntimeError(f"{body!r} got {response.status}")


async def look(session, url, model, rng, most_words):
    """What monitors and pages ask for."""
    async with session.get(url + rng.choice(["/metrics", "/health", "/v1/models", "/api/tags", "/api/ps", "/"])) as got:
        await got.read()
        if got.status != 200:
            raise RuntimeError(f"{got.url} got {got.status}")


KINDS = (any_dialect, any_dialect, conversation, leave_early, bad_request, look)


async def user(session, url, model, seed, options, done, counts):
    rng = random.Random(seed)
    while not done.is_set():
        kind = rng.choice(KINDS)
        try:
            await kind(session, url, model, rng, options.words)
        except Exception as failure:  # counted, and the trial goes on
            counts["failed"] += 1
            print(f"{kind.__name__}: {failure}", flush=True)
        counts[kind.__name__] += 1
        await asyncio.sleep(rng.expovariate(1 / options.pause) if options.pause else 0)


async def held_bytes(session, url):
    async with session.get(url + "/metrics") as response:
        for line in (await response.text()).splitlines():
            if line.startswith("hadal:prefix_held_bytes"):
                return float(line.split()[-1])
    return 0.0


async def watch(server, session, options, samples, done):
    """Waits until the prefix cache is full, then samples for the time asked, then ends the users."""
    try:
        deadline = time.monotonic() + max(600.0, options.seconds / 4)
        while await held_bytes(session, server.url) < 0.75 * options.budget * 2**20:
            if time.monotonic() > deadline:
                raise SystemExit("the budget of the prefix cache was never reached")
            await asyncio.sleep(0.2)
        await asyncio.sleep(options.seconds / 10)  # buffers have met their largest batch
        begin, count = time.monotonic(), 720
        for i in range(count):
            samples.append((server.own_bytes(), server.open_files()))
            if i % 60 == 0:
                print(f"{time.monotonic() - begin:.0f} s: {samples[-1][0] / 2**20:.1f} MiB", flush=True)
            await asyncio.sleep(max(0.0, begin + (i + 1) * options.seconds / count - time.monotonic()))
    finally:
        done.set()


async def soak(server, options):
    model, done, counts, samples = server.model_name(), asyncio.Event(), Counter(), []
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(watch(server, session, options, samples, done),
                             *(user(session, server.url, model, i, options, done, counts)
                               for i in range(options.users)))
    return counts, samples


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file (default: a tiny one)")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--words", type=int, default=120, help="most words of a prompt")
    parser.add_argument("--budget", type=int, default=2, help="MiB of prefixes held in memory; twice that on disk")
    parser.add_argument("--pause", type=float, default=0.0, help="a user's mean seconds between requests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or servers.tiny_model(folder)
        disk = Path(folder) / "prefixes"
        with servers.hadal(model, folder, "--prefix-cache-mb", options.budget, "--prefix-disk", disk,
                           "--prefix-disk-mb", 2 * options.budget) as server:
            counts, samples = servers.run(soak(server, options))
        disk_bytes = sum(p.stat().st_size for p in disk.rglob("*") if p.is_file())
    part = max(1, len(samples) // 6)
    first, last = samples[:part], samples[-part:]
    result = {"seconds": options.seconds, "calls": counts, "processor_seconds": round(processor_seconds()),
              "disk_mib": disk_bytes / 2**20,
              "own_mib_first": mean(r for r, _ in first) / 2**20, "own_mib_last": mean(r for r, _ in last) / 2**20,
              "own_mib_most": max(r for r, _ in samples) / 2**20,
              "open_files_first": mean(f for _, f in first), "open_files_last": mean(f for _, f in last)}
    print(json.dumps(result))
    if counts["failed"]:
        raise SystemExit(f"{counts['failed']} answers failed")
    if options.seconds >= LONG_ENOUGH and result["own_mib_last"] > 1.05 * result["own_mib_first"] + 8:
        raise SystemExit("memory grew")
    if result["open_files_last"] > result["open_files_first"] + options.users:
        raise SystemExit("files stay open")


if __name__ == "__main__":
    main()
