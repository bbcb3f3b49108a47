"""Models are loaded, asked, unloaded, copied and deleted by many clients at once, with memory for two of four:
every answer is the right model's, whoever is told off is told why, and in the end the memory is back."""
import argparse
import asyncio
import json
import random
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

import servers

PINNED, MODELS = "pinned", ("m0", "m1", "m2", "m3")
PROMPT, TOKENS = "Once upon a time", 8
# Random weights say one letter over and over when they are asked for the likeliest one.
SAMPLING = {"temperature": 1, "seed": 7, "top_k": 0, "top_p": 1}
KEEP_ALIVES = (0, "0s", 0.05, "300ms", "5m", -1, None)
GROWN_BYTES = 12 << 20  # prefixes of the pinned one, and what an allocator keeps
SETTLE_SECONDS = 60


def make_models(folder):
    """The pinned one outside the model folder, the others in it: the same shape, other weights."""
    home = Path(folder) / "models"
    home.mkdir()
    places = {name: home / name for name in MODELS} | {PINNED: Path(folder) / PINNED}
    for seed, place in enumerate(places.values()):
        subprocess.run([servers.HADAL, "synth", "tiny", "--seed", str(seed + 1), "--out", place], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return places


def bytes_of(model, context):
    """What one model is counted with."""
    shown = subprocess.run([servers.HADAL, "inspect", model, "--ctx", str(context), "--json"], check=True,
                           capture_output=True, text=True)
    memory = json.loads(shown.stdout)["memory"]
    return sum(memory[part] for part in ("mapped_bytes", "derived_bytes", "scratch_bytes", "cache_bytes"))


class Client:
    def __init__(self, session, url, texts, number, counts):
        self.session, self.url, self.texts, self.counts = session, url, texts, counts
        self.rng, self.own = random.Random(number), f"copy{number}"

    async def call(self, method, path, body=None):
        async with self.session.request(method, self.url + path, json=body) as response:
            text = await response.text()
            if response.status >= 500 and response.status != 503:
                raise RuntimeError(f"{path} {body} got {response.status}: {text[:300]}")
            if response.status == 503 and "Retry-After" not in response.headers:
                raise RuntimeError(f"{path} got 503 without Retry-After: {text[:300]}")
            return response.status, text

    async def ask(self, model, source=None):
        """One question in some dialect; the text must be the model's own."""
        openai = {"model": model, "prompt": PROMPT, "max_tokens": TOKENS} | SAMPLING
        ollama = {"model": model, "prompt": PROMPT, "raw": True, "stream": False,
                  "options": {"num_predict": TOKENS} | SAMPLING}
        keep_alive = self.rng.choice(KEEP_ALIVES)
        if keep_alive is not None:
            ollama["keep_alive"] = keep_alive
        if self.rng.random() < 0.5:
            status, text = await self.call("POST", "/v1/completions", openai)
            said = json.loads(text)["choices"][0]["text"] if status == 200 else None
        else:
            status, text = await self.call("POST", "/api/generate", ollama)
            said = json.loads(text)["response"] if status == 200 else None
        self.counts[f"asked: {status}"] += 1
        if status == 200 and said != self.texts[source or model]:
            raise RuntimeError(f"{model} said {said!r} and not {self.texts[source or model]!r}")
        if status not in (200, 503):
            raise RuntimeError(f"{model} got {status}: {text[:300]}")

    async def load(self):
        await self.call("POST", "/models/load", {"model": self.rng.choice(MODELS)})

    async def unload(self):
        model = self.rng.choice(MODELS + (PINNED,))
        if self.rng.random() < 0.5:
            status, text = await self.call("POST", "/models/unload", {"model": model})
        else:
            status, text = await self.call("POST", "/api/generate", {"model": model, "keep_alive": 0})
        if status != 200:
            raise RuntimeError(f"unloading {model} got {status}: {text[:300]}")

    async def leave(self):
        """Goes away while a model is loaded, or answers."""
        body = {"model": self.rng.choice(MODELS), "prompt": PROMPT, "max_tokens": 200, "stream": True}
        try:
            async with asyncio.timeout(self.rng.choice((0.001, 0.01, 0.05))):
                async with self.session.post(self.url + "/v1/completions", json=body) as response:
                    await response.content.readline()
        except TimeoutError:
            pass

    async def copy_and_delete(self):
        """A model of this client's own, deleted while it may still answer."""
        source = self.rng.choice(MODELS)
        status, text = await self.call("POST", "/api/copy", {"source": source, "destination": self.own})
        if status != 200:
            raise RuntimeError(f"copying got {status}: {text[:300]}")
        asking = [asyncio.ensure_future(self.ask(self.own, source)) for _ in range(2)]
        if self.rng.random() < 0.7:
            await asyncio.gather(*asking)
        status, text = await self.call("DELETE", "/api/delete", {"model": self.own})
        if status != 200:
            raise RuntimeError(f"deleting got {status}: {text[:300]}")
        for answer in await asyncio.gather(*asking, return_exceptions=True):
            if isinstance(answer, Exception) and "got 404" not in str(answer):
                raise answer
        status, _ = await self.call("POST", "/api/generate", {"model": self.own})
        if status != 404:
            raise RuntimeError(f"a deleted model got {status}")

    async def look(self):
        path = self.rng.choice(("/api/ps", "/api/tags", "/v1/models", "/metrics", "/health", "/props"))
        status, text = await self.call("GET", path)
        if status != 200:
            raise RuntimeError(f"{path} got {status}: {text[:300]}")

    async def run(self, end):
        kinds = ((10, lambda: self.ask(self.rng.choice(MODELS + (PINNED,)))), (2, self.load), (3, self.unload),
                 (2, self.leave), (2, self.copy_and_delete), (2, self.look))
        while time.monotonic() < end:
            kind = self.rng.choices([k for _, k in kinds], [weight for weight, _ in kinds])[0]
            await kind()
            self.counts["operations"] += 1


async def metric(session, url, name):
    async with session.get(url + "/metrics") as response:
        for line in (await response.text()).splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
    raise RuntimeError(f"no metric {name}")


async def settle(server, session):
    """All but the pinned one are unloaded; own memory then."""
    for model in MODELS:
        await session.post(server.url + "/models/unload", json={"model": model})
    await session.post(server.url + "/models/load", json={"model": PINNED})
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        loads = await metric(session, server.url, "hadal:model_loads_total")
        unloads = await metric(session, server.url, "hadal:model_unloads_total")
        # The pinned one was there before the first load.
        if await metric(session, server.url, "hadal:models_loaded") == 1 and loads == unloads:
            return server.own_bytes()
        if time.monotonic() > deadline:
            raise SystemExit(f"models stay: {loads} loaded, {unloads} freed")
        await asyncio.sleep(0.05)


async def texts_of(session, url):
    texts = {}
    for model in MODELS + (PINNED,):
        body = {"model": model, "prompt": PROMPT, "max_tokens": TOKENS} | SAMPLING
        async with session.post(url + "/v1/completions", json=body) as response:
            texts[model] = json.loads(await response.text())["choices"][0]["text"]
    if len(set(texts.values())) < len(texts):
        raise SystemExit(f"two models say the same: {texts}")
    return texts


async def storm(server, options, counts):
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        texts = await texts_of(session, server.url)
        # Every thread has met its largest work once before memory is compared.
        for seconds, name in ((max(3.0, options.seconds / 5), "warm"), (options.seconds, "done")):
            end = time.monotonic() + seconds
            await asyncio.gather(*(Client(session, server.url, texts, i, counts).run(end)
                                   for i in range(options.clients)))
            yield name, await settle(server, session)
        counts["loads"] = await metric(session, server.url, "hadal:model_loads_total")


async def trial(server, options, counts):
    return {name: own async for name, own in storm(server, options, counts)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--context", type=int, default=512)
    options = parser.parse_args()
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        places = make_models(folder)
        each = bytes_of(places[PINNED], options.context)
        megabytes = int(3.6 * each / 1e6) + 1  # the pinned one, two more, and prefixes
        with servers.hadal(places[PINNED], folder, "--memory-mb", megabytes, "--ctx", options.context,
                           "--prefix-cache-mb", 1, "--quiet") as server:
            own = servers.run(trial(server, options, counts))
            if server.process.poll() is not None:
                raise SystemExit("the server ended")
    print(json.dumps({"seconds": options.seconds, "clients": options.clients, "budget_mb": megabytes,
                      "model_mb": each / 1e6, "counts": dict(counts),
                      "own_mib": {name: value / 2**20 for name, value in own.items()}}))
    if own["done"] > own["warm"] + GROWN_BYTES:
        raise SystemExit("memory does not return")
    if not counts["asked: 200"] or not counts["loads"]:
        raise SystemExit("nothing was answered")


if __name__ == "__main__":
    main()
