"""A symbol with prices and candles: every minute is from one of them, and none is lost.

``14:05`` stands for the candle of 14:04 to 14:05.
"""

from collections.abc import Sequence
from random import Random

import pytest

from services.ingest.domain.items import (
    FeedCandle,
    FeedGap,
    FeedReached,
    FeedSource,
    FeedTick,
    Item,
)
from services.ingest.domain.overlay import Overlay
from tests.ingest.lines import at, clock

MINUTE = 60_000_000
SYMBOL = "MES"
START = at("14:00")


def tick(when: str) -> FeedTick:
    return FeedTick(SYMBOL, at(when), 5000.0, 1.0, "ibkr")


def candle(end: str) -> FeedCandle:
    until = at(end)
    shape = (5000.0, 5001.0, 4999.0, 5000.0, 1.0)
    return FeedCandle(SYMBOL, "1m", until - MINUTE, until, *shape, "yfinance", "live")


def told(items: Sequence[Item]) -> list[str]:
    """Items in a few words."""
    words = []
    for item in items:
        match item:
            case FeedTick():
                words.append(f"tick {clock(item.at)}")
            case FeedCandle():
                words.append(f"candle {clock(item.at)}")
            case FeedReached():
                words.append(f"reached {clock(item.at)}")
            case FeedSource():
                words.append(f"source {item.source} {clock(item.at)}")
            case FeedGap():
                words.append(f"gap {clock(item.since)} to {clock(item.at)}")
            case _:
                words.append(type(item).__name__)
    return words


@pytest.fixture
def overlay() -> Overlay:
    """Prices count as dead after 90 s."""
    return Overlay(SYMBOL, 90_000_000)


def joined(overlay: Overlay) -> Overlay:
    """Prices count from 14:01 on."""
    overlay.sourced(FeedSource(SYMBOL, at("13:00"), "yfinance", 0.0))
    overlay.candle(candle("14:00"))
    overlay.tick(tick("14:00:20"), at("14:00:20"))
    overlay.tick(tick("14:01:05"), at("14:01:05"))
    overlay.candle(candle("14:01"))
    overlay.reached(FeedReached(SYMBOL, at("14:01")))
    assert overlay.mode == "ticks"
    return overlay


def test_prices_count_from_a_minute_on_once_the_candles_before_are_there(overlay: Overlay) -> None:
    """
    14:00:20 first price | 14:01 joins | 14:01:05 waits | candle 14:01 | both in order
    """
    assert told(overlay.candle(candle("14:00"))) == ["candle 14:00"]
    assert told(overlay.tick(tick("14:00:20"), at("14:00:20"))) == []
    assert told(overlay.tick(tick("14:01:05"), at("14:01:05"))) == []
    assert overlay.waiting
    assert told(overlay.candle(candle("14:01"))) == ["candle 14:01"]
    assert told(overlay.reached(FeedReached(SYMBOL, at("14:01:20")))) == [
        "reached 14:01",
        "source ibkr 14:01",
        "tick 14:01:05",
    ]
    assert told(overlay.tick(tick("14:01:21"), at("14:01:21"))) == ["tick 14:01:21"]
    assert not overlay.waiting


def test_while_prices_come_candles_are_kept_aside(overlay: Overlay) -> None:
    """The windows close by the time alone."""
    joined(overlay)
    assert told(overlay.candle(candle("14:02"))) == []
    assert told(overlay.reached(FeedReached(SYMBOL, at("14:02")))) == []
    assert told(overlay.look(at("14:02:02"))) == ["reached 14:02:02"]


def test_prices_that_stop_leave_no_minute_out(overlay: Overlay) -> None:
    """
    last price 14:01:05 | candles 14:02, 14:03 kept | 14:02:36 dead | 14:03 is handed over
    """
    joined(overlay)
    overlay.candle(candle("14:02"))
    overlay.candle(candle("14:03"))
    assert told(overlay.look(at("14:02:35"))) == ["reached 14:02:35"]
    assert told(overlay.look(at("14:02:35.000001"))) == [
        "source yfinance 14:02",
        "gap 14:01:05 to 14:02",
        "candle 14:03",
    ]
    assert told(overlay.candle(candle("14:04"))) == ["candle 14:04"]


def test_a_candle_of_a_minute_that_had_prices_does_not_count(overlay: Overlay) -> None:
    """However late it comes: the spine has decided that minute."""
    joined(overlay)
    overlay.lost()
    assert told(overlay.candle(candle("14:02"))) == []
    assert told(overlay.candle(candle("14:03"))) == ["gap 14:01:05 to 14:02", "candle 14:03"]
    assert told(overlay.candle(candle("14:04"))) == ["candle 14:04"]


def test_a_market_that_closes_is_no_gap(overlay: Overlay) -> None:
    """Neither prices nor candles go on."""
    joined(overlay)
    assert told(overlay.lost()) == ["source yfinance 14:02"]


def test_candles_that_do_not_come_are_not_waited_for_long(overlay: Overlay) -> None:
    """A minute after the joint the prices count anyhow; what lies between is told as lost."""
    overlay.candle(candle("13:59"))
    for second in range(20, 60, 10):
        overlay.tick(tick(f"14:00:{second}"), at(f"14:00:{second}"))
    overlay.tick(tick("14:01:30"), at("14:01:30"))
    assert told(overlay.look(at("14:02"))) == []
    assert told(overlay.look(at("14:02:00.000001"))) == [
        "gap 13:59 to 14:01",
        "source ibkr 14:01",
        "tick 14:01:30",
    ]


def test_prices_without_any_candles_count_too(overlay: Overlay) -> None:
    """Nobody has candles of it: nothing is missed."""
    overlay.tick(tick("14:00:20"), at("14:00:20"))
    overlay.tick(tick("14:01:30"), at("14:01:30"))
    assert told(overlay.look(at("14:02:01"))) == ["source ibkr 14:01", "tick 14:01:30"]


def at_random(overlay: Overlay, chance: Random) -> list[Item]:
    """An hour of prices and candles that come and stop at random."""
    items = overlay.sourced(FeedSource(SYMBOL, START, "yfinance", 0.0))
    prices_until, given = 0, START
    for second in range(3_600):
        now = START + second * 1_000_000
        if chance.random() < 0.01:
            prices_until = now + chance.randint(1, 600) * 1_000_000
        if now < prices_until and chance.random() < 0.5:
            items += overlay.tick(FeedTick(SYMBOL, now, 5.0, 0.0, "ibkr"), now)
        while given + MINUTE + 5_000_000 <= now and chance.random() < 0.2:
            given += MINUTE
            items += overlay.candle(candle(clock(given)))
            items += overlay.reached(FeedReached(SYMBOL, given))
        items += overlay.look(now)
    return [*items, *overlay.lost()]


@pytest.mark.parametrize("seed", range(40))
def test_every_minute_is_from_one_of_them(overlay: Overlay, seed: int) -> None:
    """However they come: each minute is a candle's, or lies where prices counted, or is told as
    lost; none is both; and every price stands where prices counted."""
    items = at_random(overlay, Random(seed))
    whose: dict[int, str] = {}
    source, since, newest = "yfinance", START, START
    for item in items:
        if isinstance(item, FeedSource):
            if source == "ibkr":
                whose |= dict.fromkeys(range(since, item.at, MINUTE), "prices")
            source, since = item.source, item.at
        elif isinstance(item, FeedCandle):
            assert source == "yfinance"
            assert item.open_at not in whose
            whose[item.open_at] = "candle"
        elif isinstance(item, FeedTick):
            assert source == "ibkr"
            assert item.at >= max(since, newest)
            newest = item.at
        elif isinstance(item, FeedGap):
            first = item.since // MINUTE * MINUTE
            whose = dict.fromkeys(range(first, item.at, MINUTE), "lost") | whose
    assert sorted(whose) == list(range(START, max(whose) + 1, MINUTE))
    assert set(whose.values()) >= {"candle"}
