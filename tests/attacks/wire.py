"""A server of tiny weights under attack, and bytes on its wire. One server a test class."""
import json
import os
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "campaigns"))
import servers  # noqa: E402

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Hello"}]


class Reply:
    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split()
        self.status = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
        self.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}

    def json(self):
        return json.loads(self.body)


class AttackTest(unittest.TestCase):
    options = ()  # of the server
    keys = None  # text of a key file

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        options = list(cls.options)
        if cls.keys is not None:
            path = Path(cls.folder.name) / "keys"
            path.write_text(cls.keys)
            options += ["--api-key-file", path]
        cls.server = servers.hadal(servers.tiny_model(cls.folder.name), cls.folder.name, *options)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        alive = cls.server.process.poll() is None
        cls.server.stop()
        cls.folder.cleanup()
        if not alive:
            raise AssertionError("the server ended")

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server ended")

    def connect(self, timeout=20):
        return socket.create_connection(("127.0.0.1", self.server.port), timeout)

    def send(self, data, timeout=20, end=False):
        """Sends bytes as they are and reads until the server closes or the answer is whole."""
        with self.connect(timeout) as s:
            try:
                s.sendall(data)
                if end:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused in the middle: what it said is still to be read
            return Reply(read_reply(s))

    def http(self, method, path, body=b"", headers=None, host=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        fields = {"Host": host or f"127.0.0.1:{self.server.port}", "Connection": "close"}
        if body or method == "POST":
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        fields |= headers or {}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None)
        return self.send(head.encode() + b"\r\n" + body)

    def chat(self, headers=None, path=CHAT, **fields):
        return self.http("POST", path, {"model": "tiny", "messages": HELLO, "max_tokens": 2} | fields, headers)

    def assertStillServes(self):
        self.assertEqual(self.chat().status, 200)


def read_reply(s):
    data = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = s.recv(65536)
        except OSError:
            break
        if not piece:
            break
        data += piece
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:") and len(body) >= int(line.split(b":")[1]):
                    return data
            if b"chunked" in head.lower() and body.endswith(b"0\r\n\r\n"):
                return data
    return data
