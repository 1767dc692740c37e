"""The garbage collector, kept from what has lasted."""

import asyncio
import gc

_SETTLE_S = 30.0


async def keep_calm() -> None:
    """Calm the collector now and then, so that new state soon counts as lasting."""
    while True:
        calm_collector()
        await asyncio.sleep(_SETTLE_S)


def calm_collector() -> None:
    """Let the collector look at new objects only, and seldom.

    What a stage holds lives as long as the process and has no cycles, but walking over that of
    thousands of symbols would cost a second, in the middle of a close. A batch of ticks alone makes
    thousands of objects, which the usual threshold of 700 would have walked over again and again:
    a tenth to a quarter of a stage's processor time.
    """
    gc.set_threshold(50_000, 20, 20)
    gc.freeze()
