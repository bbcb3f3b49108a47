"""Thousands of connections at once: the server sheds load, stays healthy, and answers again within a
second after the flood."""
import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections import Counter

import aiohttp

import servers
from chat_client import chat


async def connect(port, begin_at):
    """A connection that asks at once; what it got: a status, or how it ended."""
    await asyncio.sleep(max(0.0, begin_at - time.monotonic()))
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "x" * 50}], "max_tokens": 4}).encode()
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 30)
    except (OSError, asyncio.TimeoutError) as failure:
        return type(failure).__name__
    try:
        writer.write(head + body)
        line = await asyncio.wait_for(reader.readline(), 120)
        return line.split()[1].decode() if line else "closed"
    except (OSError, asyncio.TimeoutError) as failure:
        return type(failure).__name__
    finally:
        writer.close()


async def health_times(url, until):
    times = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while not until.is_set():
            begin = time.monotonic()
            try:
                async with session.get(url + "/health") as answer:
                    await answer.read()
                    times.append((time.monotonic() - begin, answer.status))
            except Exception:
                times.append((time.monotonic() - begin, 0))
            await asyncio.sleep(0.05)
    return times


async def flood(server, connections):
    done = asyncio.Event()
    health = asyncio.create_task(health_times(server.url, done))
    begin = time.monotonic() + 0.2
    outcomes = Counter(await asyncio.gather(*(connect(server.port, begin) for _ in range(connections))))
    done.set()
    times = await health
    begin = time.monotonic()
    async with aiohttp.ClientSession() as session:
        while True:
            answer = await chat(session, server.url, "tiny", [{"role": "user", "content": "Hello"}], max_tokens=1)
            if answer.ok or time.monotonic() - begin > 30:
                break
            await asyncio.sleep(0.02)
    good = sorted(t for t, status in times if status == 200)
    return {"connections": connections, "outcomes": dict(outcomes), "health_checks": len(times),
            "health_refused": sum(status != 200 for _, status in times),
            "health_p99_seconds": good[int(0.99 * (len(good) - 1))] if good else None,
            "answers_again_after_seconds": answer.end - begin if answer.ok else None}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=5000)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.connections + 512), hard))
    with tempfile.TemporaryDirectory() as folder:
        with servers.hadal(servers.tiny_model(folder), folder) as server:
            before = server.open_files()
            result = servers.run(flood(server, options.connections))
            time.sleep(1)
            result["open_files_before_after"] = [before, server.open_files()]
            print(json.dumps(result))
            if server.process.poll() is not None:
                raise SystemExit("the server ended")
    if result["answers_again_after_seconds"] is None or result["answers_again_after_seconds"] > 1:
        raise SystemExit("it did not answer again within a second")


if __name__ == "__main__":
    main()
