"""The page over the made-up market, for looking at it: ``python -m tests.charts.look [port]``."""

import asyncio
import contextlib
import sys

from tests.charts.feed import FedReader, serving
from tests.charts.market import Market

SPEED = 60
PERIOD_S = 0.25


async def look(port: int) -> None:
    """Serve until interrupted."""
    market, reader = Market(), FedReader()
    reader.feed(market.advance(3 * 86_400 - 5 * 3_600))
    reader.shown = market.views()
    async with serving(reader, port=port) as running:
        print(f"{running.http}/", flush=True)  # noqa: T201
        while True:
            await asyncio.sleep(PERIOD_S)
            reader.feed(market.advance(int(SPEED * PERIOD_S)))
            reader.shown = market.views()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(look(int(sys.argv[1]) if len(sys.argv) > 1 else 8123))
