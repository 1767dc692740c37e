"""Repeatable chance: every minute of every stream has its own numbers, whoever asks and when."""

import zlib

import numpy as np
from numpy.random import Generator, Philox  # noqa: TID251 - seeded, counted, never the clock

from services.ingest.adapters.feeds.demo.profiles import Floats

TICKS_A_MINUTE = 4
# Four normals, four offsets and four sizes, in a block of whole Philox counters (4 numbers each).
_NUMBERS_A_MINUTE = 16
_COUNTERS_A_MINUTE = _NUMBERS_A_MINUTE // 4


def uniforms(seed: int, stream: str, first_minute: int, minutes: int) -> Floats:
    """Uniform numbers in [0, 1), one row of 16 a minute; the same minute always gives the same."""
    bits = Philox(key=np.array([seed, zlib.crc32(stream.encode())], dtype=np.uint64))
    bits.advance(first_minute * _COUNTERS_A_MINUTE)
    return Generator(bits).random(minutes * _NUMBERS_A_MINUTE).reshape(minutes, -1)


def normals(seed: int, stream: str, first_minute: int, minutes: int) -> Floats:
    """Standard normal numbers, a row of four a minute (Box-Muller from two pairs)."""
    drawn = uniforms(seed, stream, first_minute, minutes)[:, :TICKS_A_MINUTE]
    radius = np.sqrt(-2.0 * np.log1p(-drawn[:, :2]))
    angle = 2.0 * np.pi * drawn[:, 2:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def offsets(seed: int, stream: str, first_minute: int, minutes: int) -> Floats:
    """When in its minute each tick falls: four rising fractions a row."""
    drawn = uniforms(seed, stream, first_minute, minutes)[:, 4:8]
    # One tick in each quarter of the minute, so that no candle of a simulated market is empty.
    quarters: Floats = (np.arange(TICKS_A_MINUTE) + drawn) / TICKS_A_MINUTE
    return quarters


def lots(seed: int, stream: str, first_minute: int, minutes: int) -> Floats:
    """How large each tick is, as a fraction of the instrument's largest size."""
    return uniforms(seed, stream, first_minute, minutes)[:, 8:12]
