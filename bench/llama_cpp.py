"""The peer: llama.cpp, built from the source inside the Python package llama-cpp-python, and its own
benchmark programs. It is measured beside Hadal and is no part of it."""
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "0.3.36"
TARGETS = ("llama-bench", "llama-batched-bench", "llama-perplexity", "llama-quantize")
# Options by the processor flag that stands for them. Native detection is off, since it also picks
# AMX, whose code path there crashes on some machines.
OPTIONS = {"avx": "AVX", "avx2": "AVX2", "f16c": "F16C", "fma": "FMA", "bmi2": "BMI2",
           "avx512f": "AVX512", "avx512vbmi": "AVX512_VBMI", "avx512_vnni": "AVX512_VNNI",
           "avx512_bf16": "AVX512_BF16"}


def build(folder):
    """Builds the programs in `folder` unless they are there; returns the folder that holds them."""
    binaries = folder / "build" / "bin"
    if all((binaries / name).exists() for name in TARGETS):
        return binaries
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"llama_cpp_python-{VERSION}"
    if not source.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:",
                        "--no-build-isolation", "-d", folder, f"llama-cpp-python=={VERSION}"], check=True)
        with tarfile.open(next(folder.glob("llama_cpp_python-*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
    flags = set(re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M).group(1).split())
    options = [f"-DGGML_{name}={'ON' if flag in flags else 'OFF'}" for flag, name in OPTIONS.items()]
    subprocess.run(["cmake", "-S", source / "vendor" / "llama.cpp", "-B", folder / "build", "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=OFF", "-DBUILD_SHARED_LIBS=OFF",
                    "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF",
                    "-DLLAMA_BUILD_SERVER=OFF", *options], check=True)
    subprocess.run(["cmake", "--build", folder / "build", "--target", *TARGETS], check=True)
    return binaries


class LlamaCpp:
    name = "llama.cpp"

    def __init__(self, binaries, threads):
        self._binaries = binaries
        self._threads = str(threads)

    def _run(self, program, *arguments):
        done = subprocess.run([self._binaries / program, *map(str, arguments)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=os.environ | {"LC_ALL": "C"})
        if done.returncode != 0:
            raise RuntimeError(f"{program}: exit {done.returncode}: {done.stderr[-400:]}")
        return done.stdout

    def prefill(self, model, tokens):
        out = self._run("llama-bench", "-m", model, "-t", self._threads, "-p", tokens, "-n", 0, "-r", 1,
                        "-o", "json")
        return json.loads(out)[0]["avg_ts"]

    def decode(self, model, steps, depth, batch):
        if batch == 1:
            out = self._run("llama-bench", "-m", model, "-t", self._threads, "-p", 0, "-n", steps,
                            "-d", depth, "-r", 1, "-o", "json")
            return json.loads(out)[0]["avg_ts"]
        out = self._run("llama-batched-bench", "-m", model, "-t", self._threads, "-npp", max(depth, 1),
                        "-ntg", steps, "-npl", batch, "-c", (max(depth, 1) + steps) * batch + 64,
                        "--output-format", "jsonl")
        rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return rows[-1]["speed_tg"]
