"""Faults of the list D that a running server must survive."""
import json
import os
import signal
import socket
import struct
import subprocess
import time
import unittest
from pathlib import Path

from wire import CHAT, AttackTest, servers


def request(port, body, extra=b""):
    return (f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n").encode() + extra + b"\r\n" + body


LONG = b'{"model":"tiny","messages":[{"role":"user","content":"Hello"}],"max_tokens":1500,"stream":true,"temperature":0.8}'


class Faults(AttackTest):
    def running(self):
        text = self.http("GET", "/metrics").body.decode()
        line = next(l for l in text.splitlines() if l.startswith("vllm:num_requests_running"))
        return float(line.split()[-1])

    def wait_idle(self, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.running() > 0:
            time.sleep(0.05)
        self.assertEqual(self.running(), 0)

    def test_d15_slow_readers_and_writers_do_not_hold_others_up(self):
        slow = [self.connect() for _ in range(50)]
        for s in slow[:25]:
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127")  # never the rest
        for s in slow[25:]:
            s.sendall(request(self.server.port, LONG))  # and never read
        begin = time.monotonic()
        self.assertEqual(self.http("GET", "/health").status, 200)
        self.assertLess(time.monotonic() - begin, 1)
        for s in slow:
            s.close()
        self.wait_idle(30)

    def test_d16_clients_that_leave_at_every_stage(self):
        whole = request(self.server.port, LONG)
        files = self.server.open_files()
        for cut in (1, 30, len(whole) - 10, len(whole)):
            for reset in (False, True):
                for wait in (0, 0.05):
                    s = self.connect()
                    s.sendall(whole[:cut])
                    time.sleep(wait)
                    if reset:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
        self.wait_idle()
        time.sleep(0.3)
        self.assertLessEqual(self.server.open_files(), files + 4)
        self.assertStillServes()

    def test_d16_a_client_that_leaves_frees_its_place_at_once(self):
        for _ in range(50):  # random weights may end an answer at any token
            s = self.connect()
            s.sendall(request(self.server.port, LONG))
            s.recv(1000)
            if self.running() == 1:
                break
            s.close()
        else:
            self.fail("no answer was long enough")
        s.close()
        begin = time.monotonic()
        self.wait_idle(2)
        self.assertLess(time.monotonic() - begin, 1)

    def test_d24_stop_strings_are_not_in_the_answer(self):
        whole = self.chat(temperature=0, max_tokens=40).json()["choices"][0]["message"]["content"]
        for at in range(1, min(len(whole) - 2, 12)):
            stop = whole[at:at + 2]
            reply = self.chat(temperature=0, max_tokens=40, stop=stop).json()["choices"][0]
            self.assertEqual(reply["message"]["content"], whole[:whole.index(stop)])
            self.assertEqual(reply["finish_reason"], "stop")

    def test_d34_model_text_is_never_an_error(self):
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
        for seed in range(5):
            self.assertEqual(self.chat(tools=tools, max_tokens=50, temperature=2, seed=seed).status, 200)


class Signals(unittest.TestCase):
    def setUp(self):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.server = servers.hadal(servers.tiny_model(self.folder.name), self.folder.name).start()

    def tearDown(self):
        self.server.stop()
        self.folder.cleanup()

    def stream(self):
        s = socket.create_connection(("127.0.0.1", self.server.port), 30)
        s.sendall(request(self.server.port, LONG))
        s.recv(200)
        return s

    def test_d31_sigterm_lets_answers_finish(self):
        s = self.stream()
        self.server.process.send_signal(signal.SIGTERM)
        data = b""
        while piece := s.recv(65536):
            data += piece
        self.assertIn(b"[DONE]", data)
        self.assertEqual(self.server.process.wait(30), 0)

    def test_d31_a_second_sigterm_ends_at_once(self):
        s = self.stream()
        self.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        self.server.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        self.server.process.wait(10)
        self.assertLess(time.monotonic() - begin, 3)
        s.close()

    def test_d31_sighup_and_sigpipe_do_not_end_it(self):
        for which in (signal.SIGHUP, signal.SIGPIPE):
            self.server.process.send_signal(which)
        time.sleep(0.2)
        self.assertIsNone(self.server.process.poll())


class Descriptors(unittest.TestCase):
    def test_d32_running_out_of_descriptors(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            server = servers.hadal(servers.tiny_model(folder), folder)
            server.command = ["bash", "-c", 'ulimit -n 48; exec "$@"', "bash", *server.command]
            with server:
                taken = []
                for _ in range(80):
                    try:
                        taken.append(socket.create_connection(("127.0.0.1", server.port), 2))
                    except OSError:
                        break
                cpu = self.cpu_seconds(server)
                time.sleep(1)
                self.assertLess(self.cpu_seconds(server) - cpu, 0.5, "a busy loop")
                for s in taken:
                    s.close()
                time.sleep(0.5)
                with socket.create_connection(("127.0.0.1", server.port), 5) as s:
                    s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    self.assertIn(b"200", s.recv(100))

    @staticmethod
    def cpu_seconds(server):
        part = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(part[11]) + int(part[12])) / os.sysconf("SC_CLK_TCK")


class Loading(unittest.TestCase):
    def test_whoever_comes_early_is_told_to_wait(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            shapes = ("tiny", "tiny-v3")
            models = [servers.tiny_model(folder, shape) for shape in shapes]
            server = servers.hadal(models[0], folder, *models[1:])
            body = json.dumps({"model": shapes[-1], "max_tokens": 1, "messages": [
                {"role": "user", "content": "x"}]}).encode()
            seen = set()
            with open(server.log, "ab") as log:
                server.process = subprocess.Popen([str(p) for p in server.command], stdout=log, stderr=log,
                                                  env=server.environment)
            try:
                deadline = time.monotonic() + 120
                while 200 not in seen and time.monotonic() < deadline:
                    try:
                        with socket.create_connection(("127.0.0.1", server.port), 20) as s:
                            s.sendall(request(server.port, body, b"Connection: close\r\n"))
                            answer = b"".join(iter(lambda: s.recv(4096), b""))
                    except OSError:  # it does not listen yet
                        continue
                    seen.add(int(answer.split()[1]))
                    if seen == {503}:
                        self.assertIn(b"Retry-After: ", answer)
                        self.assertIn(b"model_loading", answer)
                self.assertLessEqual(seen, {503, 200})
                self.assertIn(200, seen)
                server.wait()
                self.assertIn(b"loading", Path(server.log).read_bytes())
            finally:
                server.stop()


class Log(unittest.TestCase):
    def test_d33_a_log_that_nobody_reads(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            server = servers.hadal(servers.tiny_model(folder), folder)
            ends = os.pipe()
            server.process = subprocess.Popen([str(p) for p in server.command], stdout=ends[1], stderr=ends[1],
                                              env=server.environment)
            os.close(ends[1])
            try:
                server.wait()
                body = b'{"model":"tiny","messages":[{"role":"user","content":"x"}],"max_tokens":1}'
                for _ in range(400):
                    with socket.create_connection(("127.0.0.1", server.port), 20) as s:
                        s.sendall(request(server.port, body, b"Connection: close\r\n"))
                        self.assertIn(b"200", s.recv(100))
            finally:
                server.stop()
                os.close(ends[0])


if __name__ == "__main__":
    unittest.main()
