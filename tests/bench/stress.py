"""Many requests to one OpenAI API at a time, and how long each took. Run as a process of its own, it prints JSON."""

import argparse
import asyncio
import json
import sys
import time
from typing import Any

import aiohttp


async def stress(address: str, body: dict[str, Any], clients: int, seconds: float) -> dict[str, Any]:
    """`clients` ask one request after the other for so many seconds. `took` are the seconds of each until its end,
    `first` until its first byte of the body."""
    took: list[float] = []
    first: list[float] = []
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=clients)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def ask() -> None:
            begun = time.perf_counter()
            async with session.post(f"{address}/v1/chat/completions", data=content, headers=headers) as answer:
                read = await answer.content.readany()
                first.append(time.perf_counter() - begun)
                while part := await answer.content.readany():
                    read += part
                if answer.status != 200:
                    sys.exit(f"{address} answered {answer.status}: {read[:500]!r}")
            took.append(time.perf_counter() - begun)

        async def go_on(until: float) -> None:
            while time.perf_counter() < until:
                await ask()

        # Connections open and code paths warm before anything is counted.
        await asyncio.gather(*(ask() for _ in range(clients)))
        took.clear()
        first.clear()
        begun = time.perf_counter()
        await asyncio.gather(*(go_on(begun + seconds) for _ in range(clients)))
        lasted = time.perf_counter() - begun
    return {"per_second": len(took) / lasted, "took": took, "first": first}


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--stream", action="store_true")
    options = parser.parse_args()
    body = {
        "model": options.model,
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 16,
        "temperature": 0,
        "stream": options.stream,
    }
    found = asyncio.run(stress(options.address, body, options.clients, options.seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
