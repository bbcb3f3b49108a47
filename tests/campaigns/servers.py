"""Servers under test: started on a free loopback port, waited for, stopped by their own process id."""
import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HADAL = Path(os.environ.get("HADAL_PROGRAM", ROOT / "build/release/apps/hadal/hadal"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A program that serves HTTP. Use as a context: it is stopped at the end, whatever happens."""

    def __init__(self, command, port, log, health="/health", environment=None):
        self.command, self.port, self.log, self.health = command, port, log, health
        self.environment = os.environ | (environment or {})
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, wait_seconds=120):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(part) for part in self.command], stdout=log, stderr=log,
                                            env=self.environment)
        return self.wait(wait_seconds)

    # Until it is healthy.
    def wait(self, wait_seconds=120):
        deadline = time.monotonic() + wait_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended: {Path(self.log).read_text()[-2000:]}")
            try:
                with urllib.request.urlopen(self.url + self.health, timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.command[0]} did not become healthy in {wait_seconds} s")

    def model_name(self):
        with urllib.request.urlopen(self.url + "/v1/models", timeout=10) as answer:
            return json.load(answer)["data"][0]["id"]

    def stop(self, wait_seconds=60):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def own_bytes(self):
        """Resident memory less the pages of mapped files."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def hadal(model, folder, *options, environment=None):
    port = free_port()
    return Server([HADAL, "serve", model, "--port", port, *options], port, Path(folder) / "hadal.log",
                  environment={"HADAL_HOME": str(folder)} | (environment or {}))


def llama_server(program, model, folder, clients, context_tokens):
    port = free_port()
    command = [program, "-m", model, "--port", port, "--host", "127.0.0.1", "-np", clients, "-c",
               clients * context_tokens, "-t", len(os.sched_getaffinity(0))]
    return Server(command, port, Path(folder) / "llama-server.log")


def tiny_model(folder, shape="tiny"):
    """A checkpoint of random weights that can chat, made in a moment."""
    path = Path(folder) / shape
    if not path.exists():
        subprocess.run([HADAL, "synth", shape, "--out", path], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    return path


def run(coroutine):
    return asyncio.run(coroutine)
