"""Schemathesis over the OpenAPI file that the server publishes: no answer may be a 5xx."""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import servers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200, help="of each operation")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with servers.hadal(servers.tiny_model(folder), folder, "--ctx", "256") as server:
            done = subprocess.run([Path(sys.executable).parent / "schemathesis", "run", server.url + "/openapi.json",
                                   "--url", server.url, "--checks", "not_a_server_error", "--max-examples",
                                   str(options.examples), "--seed", str(options.seed), "--phases",
                                   "examples,coverage,fuzzing", "--request-timeout", "60", "--workers", "4"],
                                  cwd=folder)
            alive = server.process.poll() is None
    if done.returncode != 0 or not alive:
        raise SystemExit(done.returncode or "the server ended")


if __name__ == "__main__":
    main()
