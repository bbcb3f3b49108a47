"""Every dialect once, for the campaign `offline`."""
import json
import tempfile
import urllib.request

import servers

MESSAGES = [{"role": "user", "content": "Hello"}]
CALLS = (("/v1/chat/completions", {"model": "tiny", "messages": MESSAGES, "max_tokens": 4}),
         ("/v1/completions", {"model": "tiny", "prompt": "Hello", "max_tokens": 4}),
         ("/v1/responses", {"model": "tiny", "input": "Hello", "max_output_tokens": 16}),
         ("/v1/messages", {"model": "tiny", "messages": MESSAGES, "max_tokens": 4}),
         ("/api/chat", {"model": "tiny", "messages": MESSAGES, "stream": False, "options": {"num_predict": 4}}),
         ("/tokenize", {"content": "Hello"}),
         ("/v1/models", None), ("/metrics", None), ("/", None), ("/health", None))


def main():
    with tempfile.TemporaryDirectory() as folder:
        with servers.hadal(servers.tiny_model(folder), folder) as server:
            for path, body in CALLS:
                data = None if body is None else json.dumps(body).encode()
                request = urllib.request.Request(server.url + path, data, {"Content-Type": "application/json"})
                with urllib.request.urlopen(request, timeout=60) as answer:
                    print(path, answer.status, len(answer.read()), "bytes")


if __name__ == "__main__":
    main()
