"""So many WebSocket clients that watch 1m charts: ``python -m benchmarks.ws_clients PORT CLIENTS``.

Says ``ready`` once all have had their first message, and listens until it is ended.
"""

import asyncio
import json
import sys
import urllib.request

from websockets.asyncio.client import connect

_LOOK_S = 0.2


async def main(port: int, clients: int) -> None:
    """Listen."""
    while not (symbols := await asyncio.to_thread(_symbols, port)):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    greeted = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for n in range(clients):
            group.create_task(_listen(port, symbols[n % len(symbols)], greeted))
        for _ in range(clients):
            await greeted.acquire()
        print("ready", flush=True)


async def _listen(port: int, symbol: str, greeted: asyncio.Semaphore) -> None:
    async with connect(f"ws://127.0.0.1:{port}/ws/market/{symbol}/1m", max_size=None) as socket:
        await socket.recv()
        greeted.release()
        async for _ in socket:
            pass


def _symbols(port: int) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/symbols", timeout=10) as answer:
        found = json.load(answer)
    return [one["symbol"] for one in found["symbols"]]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
