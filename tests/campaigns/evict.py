"""Own memory of a server whose prefix cache is full and gives up something for every new prompt. It grows
until as many ids are remembered of what was given up as may be, and must be flat from there on."""
import argparse
import json
import random
import tempfile
import urllib.request

import servers

REMEMBERED_TOKENS = 1 << 18  # PrefixTreeOptions
ALLOWED_BYTES = 2 << 20


def ask(server, model, prompt):
    body = json.dumps({"model": model, "prompt": prompt, "max_tokens": 2}).encode()
    request = urllib.request.Request(server.url + "/v1/completions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["usage"]["total_tokens"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=4 * REMEMBERED_TOKENS)
    parser.add_argument("--budget", type=int, default=4, help="MB of the prefix cache")
    options = parser.parse_args()
    rng = random.Random(3)
    with tempfile.TemporaryDirectory() as folder:
        model = servers.tiny_model(folder)
        with servers.hadal(model, folder, "--prefix-cache-mb", options.budget, "--quiet") as server:
            name, done, shown, settled = server.model_name(), 0, 0, None
            while done < options.tokens:
                done += ask(server, name, " ".join(f"w{rng.randrange(5000)}" for _ in range(200)))
                if settled is None and done >= 2 * REMEMBERED_TOKENS:
                    settled = server.own_bytes()
                if done >= shown:
                    print(f"{done / 1e6:.2f} million tokens: {server.own_bytes() / 2**20:.1f} MiB", flush=True)
                    shown += options.tokens // 16
            grown = server.own_bytes() - settled
    print(f"from {2 * REMEMBERED_TOKENS / 1e6:.2f} to {done / 1e6:.2f} million tokens: {grown / 2**20:+.2f} MiB")
    if grown > ALLOWED_BYTES:
        raise SystemExit("own memory is not flat")


if __name__ == "__main__":
    main()
