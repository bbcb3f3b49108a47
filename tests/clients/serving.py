"""A `hadal serve` of its own for the tests: two tiny models, a third one in its model folder, a free port
on the loopback address."""

import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request

HADAL = os.environ["HADAL"]
TINY, MIXTURE, LATER = "tiny", "tiny-v3", "later"


class Server:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hadal_clients_")
        models = []
        for shape in (TINY, MIXTURE):
            path = os.path.join(self.folder.name, shape)
            subprocess.run([HADAL, "synth", shape, "--out", path], check=True, capture_output=True)
            models.append(path)
        home = dict(os.environ, HADAL_HOME=os.path.join(self.folder.name, "home"))
        later = os.path.join(self.folder.name, "home", "models", LATER)
        os.makedirs(os.path.dirname(later))
        subprocess.run([HADAL, "synth", TINY, "--seed", "1", "--out", later], check=True, capture_output=True)
        self.process = subprocess.Popen(
            [HADAL, "serve", *models, "--port", "0", "--no-ledger", "--quiet"],
            stdout=subprocess.PIPE, text=True, env=home)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line).group(0).rstrip("/")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()
        self.folder.cleanup()

    def ask(self, path, body=None, method=None, headers=None, raw=None):
        """Status, headers and body of a plain HTTP request."""
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        head = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, head, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()


_server = None


def server():
    """The one server of a run."""
    global _server
    if _server is None:
        _server = Server()
    return _server


def stop():
    if _server is not None:
        _server.stop()
