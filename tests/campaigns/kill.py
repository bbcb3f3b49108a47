"""kill -9 at random moments while the prefix cache writes to its disk tier and the ledger to its file. Half
of the kills come at any moment, half while a file is half written. After every restart:
 - the server is healthy, and every answer is what it was before;
 - a conversation that a start has found on the disk once is found on it again, whole;
 - no row of the ledger that another process could read before the kill is gone, and the file is sound;
 - nothing half written is left."""
import argparse
import asyncio
import json
import os
import random
import sqlite3
import tempfile
import time
from pathlib import Path

import aiohttp

import servers
from chat_client import chat

TALKS = 60
CHECKED = 6


def talk(index):
    rng = random.Random(index)
    return [{"role": "system", "content": " ".join(f"fact{rng.randrange(10**4)}" for _ in range(120))},
            {"role": "user", "content": f"Question {index}"}]


async def ask(url, indexes, one_by_one=False):
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        calls = [chat(session, url, "tiny", talk(i), max_tokens=8, temperature=0) for i in indexes]
        return [await call for call in calls] if one_by_one else await asyncio.gather(*calls)


def half_written(disk):
    return [p.name for folder in disk.glob("*") for p in os.scandir(folder) if ".tmp." in p.name]


class Trial:
    def __init__(self, folder, rng):
        self.disk, self.ledger, self.rng = folder / "prefixes", folder / "ledger.sqlite", rng
        self.known = {}  # conversation -> tokens of it that a start has found on the disk
        self.fresh = TALKS
        self.rows = 0    # of the ledger that were read before the last kill
        self.facts = {"kills": 0, "kills_while_writing": 0, "checked_answers": 0, "found_again": 0,
                      "slowest_start_seconds": 0.0, "rows_kept": 0}

    def check_answers(self, server, expected):
        """Known ones first: what is looked up is what the disk holds, memory is empty yet."""
        known = self.rng.sample(sorted(self.known), min(len(self.known), CHECKED // 2))
        others = self.rng.sample([i for i in range(TALKS) if i not in known], CHECKED - len(known))
        for index, answer in zip(known + others, servers.run(ask(server.url, known + others, one_by_one=True))):
            if not answer.ok or answer.text != expected[index]:
                raise SystemExit(f"conversation {index}: {answer.error or 'another answer'}")
            found = (answer.usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
            if found < self.known.get(index, 0):
                raise SystemExit(f"conversation {index}: {self.known[index]} tokens were on the disk, now {found}")
            self.facts["found_again"] += index in self.known
            self.facts["checked_answers"] += 1
            if found > answer.usage["prompt_tokens"] // 2:
                self.known[index] = found

    def read_rows(self):
        with sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=30) as ledger:
            return ledger.execute("SELECT count(*) FROM calls").fetchone()[0]

    def check_ledger(self):
        with sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=30) as ledger:
            sound = ledger.execute("PRAGMA integrity_check").fetchone()[0]
        rows = self.read_rows()
        if sound != "ok" or rows < self.rows:
            raise SystemExit(f"ledger: {sound}, {rows} rows after the kill, {self.rows} before")
        self.facts["rows_kept"] = rows

    async def ask_until_killed(self, server, while_writing):
        """Conversations keep coming; in their middle the process is gone."""
        self.fresh += 16  # new ones, so that there is something to write
        work = asyncio.create_task(ask(server.url, [self.rng.randrange(TALKS) for _ in range(8)] +
                                       list(range(self.fresh - 16, self.fresh))))
        looks = self.rng.randrange(3)  # after the first that saw a file being written
        self.rows = max(self.rows, self.read_rows())
        until = time.monotonic() + (20.0 if while_writing else self.rng.uniform(0.0, 1.5))
        while time.monotonic() < until:
            await asyncio.sleep(0)
            if while_writing and half_written(self.disk):
                if looks == 0:
                    break
                looks -= 1
        if not while_writing:
            self.rows = max(self.rows, self.read_rows())
        server.kill()
        await work
        self.facts["kills"] += 1
        self.facts["kills_while_writing"] += bool(half_written(self.disk))

    def round(self, server, expected, while_writing):
        begin = time.monotonic()
        server.start()
        self.facts["slowest_start_seconds"] = max(self.facts["slowest_start_seconds"], time.monotonic() - begin)
        try:
            if left := half_written(self.disk):
                raise SystemExit(f"left behind: {left}")
            self.check_ledger()
            self.check_answers(server, expected)
            servers.run(self.ask_until_killed(server, while_writing))
        finally:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = servers.tiny_model(folder)
        trial = Trial(folder, random.Random(options.seed))
        # A quota that is not reached: nothing may go but by a fault.
        cache = ("--prefix-disk", trial.disk, "--prefix-disk-mb", "1024", "--prefix-cache-mb", "2")
        with servers.hadal(model, folder, "--prefix-cache-mb", "0") as server:
            expected = [a.text for a in servers.run(ask(server.url, range(TALKS)))]
        for kill in range(options.kills):
            trial.round(servers.hadal(model, folder, *cache), expected, while_writing=kill % 2 == 1)
        with servers.hadal(model, folder, *cache) as server:
            answers = servers.run(ask(server.url, range(TALKS)))
            wrong = [i for i, a in enumerate(answers) if a.text != expected[i]]
        trial.facts |= {"wrong_answers": len(wrong), "left_half_written": len(half_written(trial.disk))}
        trial.facts["disk_mib"] = sum(p.stat().st_size for p in trial.disk.rglob("*.prefix")) / 2**20
    print(json.dumps(trial.facts))
    if wrong or trial.facts["left_half_written"]:
        raise SystemExit("something was lost or left behind")


if __name__ == "__main__":
    main()
