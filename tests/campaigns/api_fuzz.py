"""Schemathesis over the OpenAPI file that the server publishes: all routes, all phases; no answer may be a 5xx."""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import servers

PHASES = "examples,coverage,fuzzing,stateful"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100, help="of each operation (Schemathesis' own number)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "api_hooks", "PYTHONPATH": str(Path(__file__).parent)}
    with tempfile.TemporaryDirectory() as folder:
        with servers.hadal(servers.tiny_model(folder), folder, "--ctx", "256") as server:
            done = subprocess.run([Path(sys.executable).parent / "schemathesis", "run", server.url + "/openapi.json",
                                   "--url", server.url, "--checks", "not_a_server_error", "--max-examples",
                                   str(options.examples), "--seed", str(options.seed), "--phases", PHASES,
                                   "--request-timeout", "300", "--workers", "4"], cwd=folder, env=environment)
            alive = server.process.poll() is None
    if done.returncode != 0 or not alive:
        raise SystemExit(done.returncode or "the server ended")


if __name__ == "__main__":
    main()
