"""A long mixed load: whole answers, streams, clients that leave in the middle, bad requests. Memory and
open files of the first and the last part of the time are printed; memory must be flat."""
import argparse
import asyncio
import json
import random
import tempfile
import time
from statistics import mean

import aiohttp

import servers
from chat_client import chat


async def leave_early(session, url, rng):
    body = {"model": "tiny", "messages": [{"role": "user", "content": "w " * rng.randrange(1, 200)}], "stream": True,
            "max_tokens": 200}
    async with session.post(url + "/v1/chat/completions", json=body) as response:
        for _ in range(rng.randrange(4)):
            await response.content.readline()


async def bad_request(session, url, rng):
    body = rng.choice([b"{", b"[]", b'{"messages":[]}', b'{"messages":[{"role":"user","content":5}]}',
                       b'{"messages":[{"role":"user","content":"x"}],"temperature":9}', b"\xff"])
    async with session.post(url + "/v1/chat/completions", data=body,
                            headers={"Content-Type": "application/json"}) as response:
        await response.read()
        if response.status != 400:
            raise RuntimeError(f"{body!r} got {response.status}")


async def user(session, url, seed, until, counts):
    rng = random.Random(seed)
    while time.monotonic() < until:
        kind = rng.choice(["chat", "chat", "chat", "leave", "bad"])
        if kind == "chat":
            turns = [{"role": "user", "content": "w " * rng.randrange(1, 300)}]
            answer = await chat(session, url, "tiny", turns, max_tokens=rng.randrange(1, 60), seed=seed)
            counts["failed"] += not answer.ok
        elif kind == "leave":
            await leave_early(session, url, rng)
        else:
            await bad_request(session, url, rng)
        counts[kind] += 1


async def watch(server, until, samples, every):
    while time.monotonic() < until:
        samples.append((server.resident_bytes(), server.open_files()))
        await asyncio.sleep(every)


async def soak(server, seconds, users):
    until = time.monotonic() + seconds
    counts = {"chat": 0, "leave": 0, "bad": 0, "failed": 0}
    samples = []
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(watch(server, until, samples, min(5, seconds / 60)),
                             *(user(session, server.url, i, until, counts) for i in range(users)))
    return counts, samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--users", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with servers.hadal(servers.tiny_model(folder), folder, "--prefix-cache-mb", "8") as server:
            counts, samples = servers.run(soak(server, options.seconds, options.users))
    part = max(1, len(samples) // 6)  # ten minutes of an hour
    # What the prefix cache holds grows to its budget first: the first part is taken after a sixth, and the
    # budget is small.
    first, last = samples[part:2 * part], samples[-part:]
    result = {"seconds": options.seconds, "calls": counts,
              "anonymous_mib_first": mean(r for r, _ in first) / 2**20,
              "anonymous_mib_last": mean(r for r, _ in last) / 2**20,
              "open_files_first": mean(f for _, f in first), "open_files_last": mean(f for _, f in last)}
    print(json.dumps(result))
    if counts["failed"]:
        raise SystemExit(f"{counts['failed']} answers failed")
    if result["anonymous_mib_last"] > 1.05 * result["anonymous_mib_first"] + 8:
        raise SystemExit("memory grew")


if __name__ == "__main__":
    main()
