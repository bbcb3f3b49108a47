"""Who may do what: keys, origins, hosts, spaces of the prefix cache, listeners."""
import hashlib
import json
import subprocess
import unittest

import wire
from wire import AttackTest, servers

PUBLIC = ("/health", "/livez", "/readyz", "/openapi.json", "/")


def key_line(name, key):
    return f"{name} sha256:{hashlib.sha256(key.encode()).hexdigest()}"


class Open(AttackTest):
    def test_cve_2024_28224_other_hosts_are_refused(self):
        for host in ("attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example:80", ""):
            with self.subTest(host=host):
                self.assertIn(self.http("GET", "/v1/models", headers={"Host": host}).status, (400, 403))
        for host in ("localhost", f"127.0.0.1:{self.server.port}", "[::1]", "LOCALHOST:1"):
            with self.subTest(host=host):
                self.assertEqual(self.http("GET", "/v1/models", headers={"Host": host}).status, 200)

    def test_lm_studio_pages_of_other_origins_may_not_ask(self):
        for origin in ("https://attacker.example", "null", "http://127.0.0.1.attacker.example"):
            with self.subTest(origin=origin):
                reply = self.chat(headers={"Origin": origin})
                self.assertEqual(reply.status, 403)
                self.assertNotIn("access-control-allow-origin", reply.headers)

    def test_csrf_forms_are_refused(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            with self.subTest(kind=kind):
                self.assertIn(self.chat(headers={"Content-Type": kind}).status, (403, 415))

    def test_llama_server_log_injection(self):
        self.chat(model="evil\nline \x1b[31m")
        self.chat(headers={"X-Request-Id": "a\tb"})
        with open(self.server.log, "rb") as log:
            self.assertNotIn(b"\x1b", log.read())

    def test_xss_the_page_allows_no_foreign_script(self):
        reply = self.http("GET", "/", headers={"Accept": "text/html"})
        self.assertEqual(reply.status, 200)
        policy = reply.headers["content-security-policy"]
        self.assertIn("default-src 'self'", policy)
        self.assertNotIn("unsafe-inline", policy.replace("style-src-attr 'unsafe-inline'", ""))

    def test_cve_2025_30165_exactly_one_listener(self):
        inodes = set()
        for entry in (wire.Path(f"/proc/{self.server.process.pid}/fd")).iterdir():
            try:
                target = str(entry.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        listening = []
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in wire.Path(table).read_text().splitlines()[1:]:
                part = line.split()
                if part[3] == "0A" and part[9] in inodes:
                    listening.append(part[1])
        ports = {int(address.split(":")[1], 16) for address in listening}
        self.assertEqual(ports, {self.server.port})
        for address in listening:
            self.assertIn(address.split(":")[0], ("0100007F", "00000000000000000000000001000000"))

    def test_cve_2024_37032_names_of_models_are_no_paths(self):
        for name in ("../../etc/passwd", "/etc/passwd", "sha256:../../x", "a\u0000b", "C:\\x", "x" * 100_000):
            for path in ("/api/show", "/api/delete", "/api/pull"):
                with self.subTest(name=name[:30], path=path):
                    method = "DELETE" if path == "/api/delete" else "POST"
                    self.assertGreaterEqual(self.http(method, path, {"model": name, "stream": False}).status, 400)

    def test_cve_2024_39719_nothing_is_said_of_other_files(self):
        there = self.http("POST", "/api/show", {"model": "/etc/passwd"})
        absent = self.http("POST", "/api/show", {"model": "/etc/no-such-file"})
        self.assertEqual(there.status, absent.status)

    def test_cve_2025_44779_delete_stays_in_the_folder(self):
        victim = wire.Path(self.folder.name) / "victim.gguf"
        victim.write_text("x")
        for name in (str(victim), "../victim", "../victim.gguf", "models/../../victim.gguf"):
            self.http("DELETE", "/api/delete", {"model": name})
        self.assertTrue(victim.exists())


class Keys(AttackTest):
    keys = key_line("ann", "secret-a") + "\n" + key_line("bob", "secret-b") + "\n"

    def test_key_scope_every_route_needs_a_key(self):
        for path in json.loads(self.http("GET", "/openapi.json").body)["paths"]:
            for method in ("GET", "POST", "DELETE"):
                with self.subTest(method=method, path=path):
                    status = self.http(method, path.replace("{id}", "x"), {} if method != "GET" else b"").status
                    if path in PUBLIC:
                        self.assertIn(status, (200, 405))
                    elif status != 405:
                        self.assertEqual(status, 401)

    def test_cve_2025_59425_wrong_keys(self):
        for value in ("Bearer secret-A", "Bearer secret-", "Bearer ", "secret-a", "Basic secret-a", "Bearer secret-a "):
            with self.subTest(value=value):
                status = self.chat(headers={"Authorization": value}).status
                self.assertIn(status, (200,) if value.strip() == "Bearer secret-a" else (401, 429))
        self.assertEqual(self.chat(headers={"Authorization": "Bearer secret-a"}).status, 200)
        self.assertEqual(self.chat(headers={"x-api-key": "secret-b"}).status, 200)

    def test_cve_2025_46570_keys_do_not_see_each_others_prefixes(self):
        text = "a long prompt that only one of them knows " * 20
        cached = []
        for key in ("secret-a", "secret-a", "secret-b"):
            reply = self.chat(messages=[{"role": "user", "content": text}], headers={"x-api-key": key})
            self.assertEqual(reply.status, 200)
            cached.append(reply.json()["usage"]["prompt_tokens_details"]["cached_tokens"])
        self.assertGreater(cached[1], 0, "the same key finds its own prefix")
        self.assertEqual(cached[2], 0, "another key learnt that somebody asked this before")

    def test_keys_are_in_no_log(self):
        self.chat(headers={"Authorization": "Bearer secret-a"})
        with open(self.server.log, "rb") as log:
            self.assertNotIn(b"secret-a", log.read())


class Start(unittest.TestCase):
    def start(self, *options):
        with wire.tempfile.TemporaryDirectory() as folder:
            model = servers.tiny_model(folder)
            return subprocess.run([servers.HADAL, "serve", model, *map(str, options)], capture_output=True, text=True,
                                  timeout=60, env=wire.os.environ | {"HADAL_HOME": folder})

    def test_cve_2025_63389_open_addresses_need_a_key(self):
        done = self.start("--host", "0.0.0.0", "--port", servers.free_port())
        self.assertEqual(done.returncode, 2)
        self.assertIn("key", done.stderr)

    def test_d27_a_port_in_use(self):
        with wire.socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = self.start("--port", taken.getsockname()[1])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("port", done.stderr.strip().splitlines()[-1])

    def test_d27_a_key_file_that_is_none(self):
        self.assertNotEqual(self.start("--port", servers.free_port(), "--api-key-file", "/nonexistent").returncode, 0)


if __name__ == "__main__":
    unittest.main()
