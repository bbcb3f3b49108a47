"""Every dialect, whole and streamed, and every command once, for the campaign `offline`."""
import json
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import servers

MESSAGES = [{"role": "user", "content": "Hello"}]
ANSWERS = (("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 4}),
           ("/v1/completions", {"prompt": "Hello", "max_tokens": 4}),
           ("/v1/responses", {"input": "Hello", "max_output_tokens": 16}),
           ("/v1/messages", {"messages": MESSAGES, "max_tokens": 4}),
           ("/beta/completions", {"prompt": "Hello", "max_tokens": 4}),
           ("/api/chat", {"messages": MESSAGES, "options": {"num_predict": 4}}),
           ("/api/generate", {"prompt": "Hello", "options": {"num_predict": 4}}),
           ("/completion", {"prompt": "Hello", "n_predict": 4}))
QUESTIONS = (("/tokenize", {"content": "Hello"}), ("/v1/messages/count_tokens", {"messages": MESSAGES}),
             ("/api/show", {}), ("/api/tags", None), ("/api/ps", None), ("/api/version", None),
             ("/v1/models", None), ("/user/balance", None), ("/props", None), ("/openapi.json", None),
             ("/metrics", None), ("/", None), ("/health", None))
PAGE = {"Accept": "text/html"}


def call(url, path, body=None, headers=None):
    data = None if body is None else json.dumps({"model": "tiny"} | body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"} | (headers or {}))
    with urllib.request.urlopen(request, timeout=300) as answer:
        print(path, answer.status, len(answer.read()), "bytes", flush=True)


def ask_server(folder):
    with servers.hadal(servers.tiny_model(folder), folder) as server:
        for path, body in ANSWERS:
            for stream in (False, True):
                call(server.url, path, body | {"stream": stream})
        for path, body in QUESTIONS:
            call(server.url, path, body)
        call(server.url, "/", headers=PAGE)


def run_commands(folder):
    text = Path(folder) / "text"
    text.write_text("Something to read. " * 40)
    model = servers.tiny_model(folder)
    for command in (["run", model, "-p", "Hello", "-n", "4"], ["tokenize", model, "--text", "Hello"],
                    ["inspect", model], ["perplexity", model, "-f", text, "--window", "64", "--windows", "2"],
                    ["bench", model, "--prompt", "8", "--generate", "4", "--repeat", "1"], ["list"], ["usage"],
                    ["synth", "tiny", "--out", Path(folder) / "another"]):
        subprocess.run([servers.HADAL, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       env=os.environ | {"HADAL_HOME": folder})
        print("hadal", command[0], flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        ask_server(folder)
        run_commands(folder)


if __name__ == "__main__":
    main()
