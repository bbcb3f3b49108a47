"""Hadal's side of the comparison: the program's own bench command."""
import json
import subprocess


class Hadal:
    name = "hadal"

    def __init__(self, program, threads):
        self._program = program
        self._threads = str(threads)

    def json(self, *arguments):
        done = subprocess.run([self._program, *map(str, arguments), "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"hadal {arguments[0]}: exit {done.returncode}: {done.stderr[-400:]}")
        return json.loads(done.stdout)

    def read_bandwidth(self):
        return self.json("machine")["read_bandwidth_bytes_per_second"]

    def synth(self, shape, number_format, path):
        self.json("synth", shape, "--gguf", "--format", number_format, "--out", path)

    def prefill(self, model, tokens):
        out = self.json("bench", model, "--threads", self._threads, "--prompt", tokens, "--generate", 0,
                        "--repeat", 1)
        return out["prefill_tokens_per_second"]["median"]

    def decode(self, model, steps, depth, batch):
        # A context is filled synthetically: the time of a step does not depend on what it holds.
        context = ["--depth", depth, "--fill"] if depth > 0 else []
        out = self.json("bench", model, "--threads", self._threads, "--prompt", 0, "--generate", steps,
                        "--batch", batch, "--repeat", 1, *context)
        return out["decode_tokens_per_second"]["median"]
