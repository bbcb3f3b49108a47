"""Hostile HTTP framing: rows of the servers that fell to it."""
import unittest

from wire import CHAT, AttackTest

BODY = b'{"model":"tiny","messages":[{"role":"user","content":"x"}],"max_tokens":1}'


class Framing(AttackTest):
    def post(self, fields, body=BODY):
        head = f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode()
        return self.send(head + fields + b"\r\n" + body)

    def refused(self, reply, *statuses):
        self.assertIn(reply.status, statuses or (400,), reply.raw[:300])
        self.assertStillServes()

    def test_cve_2025_23310_and_23311_a_hundred_thousand_chunks(self):
        chunks = b"1\r\nx\r\n" * 100_000
        reply = self.post(b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n")
        self.refused(reply, 400, 413)

    def test_cve_2025_48956_a_header_of_a_megabyte(self):
        self.refused(self.post(b"X-Long: " + b"a" * (1 << 20) + b"\r\n"), 431)

    def test_cve_2025_48956_ten_thousand_headers(self):
        self.refused(self.post(b"".join(b"X-%d: 1\r\n" % i for i in range(10_000))), 431)

    def test_long_target(self):
        reply = self.send(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        self.refused(reply, 414, 431)

    def test_cve_2025_53629_and_cpp_httplib_lengths(self):
        for length in (b"+5", b"-2", b"0x5", b"5 5", b"", b"5,5", b"99999999999999999999", b"1e3"):
            with self.subTest(length=length):
                self.refused(self.post(b"Content-Length: " + length + b"\r\n"), 400, 413)

    def test_cpp_httplib_two_lengths(self):
        self.refused(self.post(b"Content-Length: %d\r\nContent-Length: 5\r\n" % len(BODY)))

    def test_cpp_httplib_length_and_chunks(self):
        reply = self.post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")
        self.refused(reply)

    def test_cpp_httplib_negative_and_endless_chunk_sizes(self):
        for size in (b"-1", b"ffffffffffffffff", b"zz", b"1" * 4000):
            with self.subTest(size=size):
                self.refused(self.post(b"Transfer-Encoding: chunked\r\n", size + b"\r\nx\r\n"), 400, 413)

    def test_cpp_httplib_names_and_values(self):
        for line in (b"Bad Name: x\r\n", b"Content-Length : 5\r\n", b"X: a\x00b\r\n", b": x\r\n"):
            with self.subTest(line=line):
                self.refused(self.post(b"Content-Length: %d\r\n" % len(BODY) + line))

    def test_cpp_httplib_other_encodings(self):
        self.refused(self.post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400, 501)

    def test_cve_2026_compressed_bodies_are_not_unpacked(self):
        self.refused(self.post(b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(BODY)), 400, 415)

    def test_smuggled_request_after_a_refused_body(self):
        smuggled = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        reply = self.post(b"Content-Length: 99999999999\r\n", smuggled)
        self.refused(reply, 413)
        self.assertEqual(reply.raw.count(b"HTTP/1.1 "), 1, "what stood in the body was answered")

    def test_bare_newlines(self):
        reply = self.send(b"GET /health HTTP/1.1\nHost: 127.0.0.1\n\n", end=True)
        self.assertIn(reply.status, (0, 400))
        self.assertStillServes()

    def test_garbage_and_other_protocols(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 4096, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000):
            with self.subTest(data=data[:20]):
                self.assertNotEqual(self.send(data, end=True).status, 200)
        self.assertStillServes()

    def test_body_too_large_is_refused_before_it_is_read(self):
        self.refused(self.post(b"Content-Length: %d\r\n" % (1 << 40), b""), 413)


if __name__ == "__main__":
    unittest.main()
