"""Prints every signal: set REDIS_URL, run it, stop it with Ctrl-C, run it again: it goes on."""

import asyncio

from faststream import FastStream

from shared.bus.consumer import Batch, LogBroker
from shared.events import SignalGenerated
from shared.service.settings import ServiceSettings


async def main() -> None:
    settings = ServiceSettings.load()
    broker = LogBroker(settings.redis_url.get_secret_value(), settings.keys)

    @broker.subscribe("signal_generated", group="example", consumer="example-1")
    async def tell(batch: Batch) -> None:
        for event in batch.events:
            if isinstance(event, SignalGenerated):
                print(event.id, event.reason, sep="\n  ", flush=True)

    await FastStream(broker).run()


if __name__ == "__main__":
    asyncio.run(main())
