"""kill -9 at random moments while the prefix cache writes to its disk tier. After every restart the
server must be healthy at once, every answer must be what it was before, and old conversations must still
be known."""
import argparse
import asyncio
import json
import random
import tempfile
import time
from pathlib import Path

import aiohttp

import servers
from chat_client import chat


def talk(index):
    rng = random.Random(index)
    return [{"role": "system", "content": " ".join(f"fact{rng.randrange(10**4)}" for _ in range(120))},
            {"role": "user", "content": f"Question {index}"}]


async def ask(url, indexes):
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        return await asyncio.gather(*(chat(session, url, "tiny", talk(i), max_tokens=8, temperature=0) for i in indexes))


async def ask_until_killed(server, rng, after_seconds):
    """Conversations keep coming; in their middle the process is gone."""
    work = asyncio.create_task(ask(server.url, [rng.randrange(60) for _ in range(24)]))
    await asyncio.sleep(after_seconds)
    server.kill()
    await work


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        model = servers.tiny_model(folder)
        disk = Path(folder) / "prefixes"
        cache = ("--prefix-disk", disk, "--prefix-disk-mb", "256", "--prefix-cache-mb", "2")
        with servers.hadal(model, folder, "--prefix-cache-mb", "0") as server:
            expected = [a.text for a in servers.run(ask(server.url, range(60)))]
        slowest_start, known, prompts = 0.0, 0, 0
        for kill in range(options.kills):
            server = servers.hadal(model, folder, *cache)
            begin = time.monotonic()
            server.start()
            slowest_start = max(slowest_start, time.monotonic() - begin)
            check = rng.sample(range(60), 3)
            for index, answer in zip(check, servers.run(ask(server.url, check))):
                if not answer.ok or answer.text != expected[index]:
                    raise SystemExit(f"after kill {kill}, conversation {index}: {answer.error or 'another answer'}")
                known += (answer.usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
                prompts += answer.usage["prompt_tokens"]
            servers.run(ask_until_killed(server, rng, rng.uniform(0.0, 1.2)))
        with servers.hadal(model, folder, *cache) as server:
            answers = servers.run(ask(server.url, range(60)))
            wrong = [i for i, a in enumerate(answers) if a.text != expected[i]]
        left = [str(p) for p in disk.rglob("*.tmp*")]
    print(json.dumps({"kills": options.kills, "wrong_answers": len(wrong), "slowest_start_seconds": slowest_start,
                      "known_share_after_kills": known / max(prompts, 1), "files_left_half_written": left}))
    if wrong or left:
        raise SystemExit("something was lost or left behind")


if __name__ == "__main__":
    main()
