"""Thousands of connections at once, from a few addresses, each with a request: the server sheds load (503, 429,
or closed), its memory stays bounded, others are not held up, and it answers again within a second after."""
import argparse
import asyncio
import http.client
import json
import multiprocessing
import resource
import tempfile
import time
from collections import Counter

import aiohttp

import servers
from chat_client import chat

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")  # 64 connections each: three leave room for others
OTHER = "127.0.0.99"


async def connect(port, begin_at, address):
    """A connection that asks at once; what it got: a status, or how it ended."""
    await asyncio.sleep(max(0.0, begin_at - time.monotonic()))
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "x" * 50}], "max_tokens": 4}).encode()
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)), 60)
    except (OSError, asyncio.TimeoutError) as failure:
        return type(failure).__name__
    try:
        writer.write(head + body)
        line = await asyncio.wait_for(reader.readline(), 300)
        return line.split()[1].decode() if line else "closed"
    except (OSError, asyncio.TimeoutError) as failure:
        return type(failure).__name__
    finally:
        writer.close()


def check_health(port, done, results):
    """Another client, in a process of its own: one connection for each check."""
    times, refused = [], 0
    while not done.is_set():
        begin = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(OTHER, 0))
            connection.request("GET", "/health")
            refused += connection.getresponse().status != 200
            connection.close()
        except OSError:
            refused += 1
        times.append(time.monotonic() - begin)
        time.sleep(0.02)
    results.put((sorted(times), refused))


async def flood(server, connections):
    memory, begin = [], time.monotonic() + 0.2
    clients = [asyncio.ensure_future(connect(server.port, begin, ADDRESSES[i % len(ADDRESSES)]))
               for i in range(connections)]
    while not all(client.done() for client in clients):
        memory.append(server.own_bytes())
        await asyncio.sleep(0.1)
    return Counter(client.result() for client in clients), memory, time.monotonic() - begin


async def time_to_answer(server):
    begin = time.monotonic()
    async with aiohttp.ClientSession() as session:
        while time.monotonic() - begin < 60:
            answer = await chat(session, server.url, "tiny", [{"role": "user", "content": "Hello"}], max_tokens=1)
            if answer.ok:
                return answer.end - begin
            await asyncio.sleep(0.02)
    return None


def trial(server, connections):
    servers.run(time_to_answer(server))
    files, memory_before = server.open_files(), server.own_bytes()
    done, results = multiprocessing.Event(), multiprocessing.Queue()
    health = multiprocessing.Process(target=check_health, args=(server.port, done, results))
    health.start()
    outcomes, memory, seconds = servers.run(flood(server, connections))
    again = servers.run(time_to_answer(server))
    done.set()
    times, refused = results.get()
    health.join()
    deadline = time.monotonic() + 30
    while server.open_files() > files + 8 and time.monotonic() < deadline:
        time.sleep(0.1)
    return {"connections": connections, "seconds": seconds, "outcomes": dict(outcomes),
            "health_checks": len(times), "health_refused": refused,
            "health_p99_seconds": times[int(0.99 * (len(times) - 1))],
            "own_mib_before": memory_before / 2**20, "own_mib_most": max(memory) / 2**20,
            "answers_again_after_seconds": again, "open_files_before_after": [files, server.open_files()]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--within", type=float, default=1.0, help="seconds until it answers again")
    parser.add_argument("--most-mib", type=float, default=96.0, help="own memory that a flood may add")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.connections + 512), hard))
    with tempfile.TemporaryDirectory() as folder:
        with servers.hadal(servers.tiny_model(folder), folder) as server:
            result = trial(server, options.connections)
            print(json.dumps(result))
            if server.process.poll() is not None:
                raise SystemExit("the server ended")
    again, files = result["answers_again_after_seconds"], result["open_files_before_after"]
    if again is None or again > options.within:
        raise SystemExit(f"it did not answer again within {options.within} s")
    if result["own_mib_most"] > result["own_mib_before"] + options.most_mib:
        raise SystemExit("a flood takes memory")
    if result["health_refused"]:
        raise SystemExit("another client was refused")
    if files[1] > files[0] + 8:
        raise SystemExit("files stay open")


if __name__ == "__main__":
    main()
