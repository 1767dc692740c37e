"""The simulated market: repeatable, alive at the right hours, and in step with itself."""

from datetime import UTC, datetime

import numpy as np
import pytest

from services.ingest.adapters.feeds.demo.feed import START
from services.ingest.adapters.feeds.demo.market import LED, DemoMarket
from services.ingest.adapters.feeds.demo.profiles import PROFILES
from services.ingest.adapters.feeds.demo.seeds import seeds
from services.ingest.domain.instruments import built_in
from services.ingest.domain.sessions import SessionCalendar
from shared.events.base import MICROS_PER_MINUTE, micros, moment

INSTRUMENTS = {one.symbol: one for one in built_in()}
# Wall seconds until the first alert must have come, at 60 market seconds each.
_FIRST_ALERT_US = 5 * 60 * 1_000_000


def market(seed: int = 1) -> DemoMarket:
    """A fresh simulation, nothing computed yet."""
    return DemoMarket(seed, START, INSTRUMENTS)


def minute_closes(simulated: DemoMarket, symbol: str) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and last prices of the session that runs at the start."""
    (span,) = simulated.sessions(symbol, START, START + 1)
    ticks = simulated.ticks(symbol, span)
    minutes = ticks.at // MICROS_PER_MINUTE
    last = np.flatnonzero(np.diff(minutes, append=minutes[-1] + 1))
    return minutes[last], ticks.price[last]


@pytest.mark.parametrize("symbol", PROFILES)
def test_same_seed_gives_the_same_prices_in_whatever_order_it_is_asked(symbol: str) -> None:
    """A later session asked for first does not change an earlier one."""
    forward, backward = market(), market()
    spans = list(forward.sessions(symbol, 0, START + 3 * 86_400_000_000))
    ahead = [forward.ticks(symbol, span) for span in spans]
    back = [backward.ticks(symbol, span) for span in reversed(spans)]
    for one, other in zip(ahead, reversed(back), strict=True):
        assert np.array_equal(one.at, other.at)
        assert np.array_equal(one.price, other.price)


def test_a_long_run_keeps_few_sessions_and_can_still_look_back() -> None:
    """Two months on, what is remembered is bounded, and an old session is what it was."""
    simulated = market()
    (old,) = simulated.sessions("EURGBP", START, START + 1)
    before = simulated.ticks("EURGBP", old).price
    for span in simulated.sessions("EURGBP", START, START + 60 * 86_400_000_000):
        simulated.ticks("EURGBP", span)
    assert max(len(walks) for walks in simulated._walks.values()) < 10
    assert np.array_equal(simulated.ticks("EURGBP", old).price, before)


def test_another_seed_gives_other_prices() -> None:
    """Seeds 1 and 2 do not share a price path."""
    (_, one), (_, two) = minute_closes(market(1), "EURUSD"), minute_closes(market(2), "EURUSD")
    assert np.mean(one == two) < 0.05


@pytest.mark.parametrize("symbol", PROFILES)
def test_every_tick_lies_in_a_session_on_the_price_grid_in_order(symbol: str) -> None:
    """No price while the market is closed, none between two steps, time never runs back."""
    simulated, instrument = market(), INSTRUMENTS[symbol]
    calendar = SessionCalendar(instrument.session)
    for span in simulated.sessions(symbol, 0, START + 1):
        ticks = simulated.ticks(symbol, span)
        assert calendar.at(int(ticks.at[0])) == span
        assert calendar.at(int(ticks.at[-1])) == span
        assert (np.diff(ticks.at) >= 0).all()
        steps = ticks.price / instrument.tick_size
        assert np.abs(steps - np.round(steps)).max() < 1e-6
        assert (ticks.price > 0).all()


def test_foreign_exchange_rests_at_the_weekend() -> None:
    """From Friday 17:00 to Sunday 17:00 New York (21:00 UTC in June) there is no session."""
    friday = micros(datetime(2026, 6, 12, 21, tzinfo=UTC))
    sunday = micros(datetime(2026, 6, 14, 21, tzinfo=UTC))
    assert list(market().sessions("EURUSD", friday, sunday)) == []
    (monday,) = market().sessions("EURUSD", sunday, sunday + 1)
    assert moment(monday.open_at) == datetime(2026, 6, 14, 21, tzinfo=UTC)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_vix_moves_against_mes(seed: int) -> None:
    """Minute returns correlate at about -0.75, as SPY and VIX do in life (-0.77 at 15 minutes)."""
    simulated = market(seed)
    (mes_at, mes), (vix_at, vix) = (minute_closes(simulated, s) for s in ("MES", "VIX"))
    together = np.isin(mes_at, vix_at)
    moves = [np.diff(np.log(prices)) for prices in (mes[together], vix)]
    assert -0.85 < np.corrcoef(*moves)[0, 1] < -0.6


def test_index_moves_most_after_its_opening() -> None:
    """Over ten seeds the first half hour moves at least 1.5 times as much as midday."""
    opening, midday = [], []
    for seed in range(10):
        _, prices = minute_closes(market(seed), "NDX")
        moves = np.abs(np.diff(np.log(prices)))
        opening.append(moves[:30].mean())
        midday.append(moves[150:240].mean())
    assert np.mean(opening) > 1.5 * np.mean(midday)


@pytest.mark.parametrize("symbol", ["EURUSD", "DAX", "NIFTY 50"])
def test_seeds_are_the_path_itself_and_lie_end_to_end(symbol: str) -> None:
    """Every seeded candle has the prices of the ticks in its window, and none is missing."""
    simulated = market()
    candles = list(seeds(simulated, symbol))
    ticks = [simulated.ticks(symbol, s) for s in simulated.sessions(symbol, 0, START + 1)]
    at = np.concatenate([one.at for one in ticks])
    price = np.concatenate([one.price for one in ticks])
    for candle in candles:
        inside = price[(at >= candle.open_at) & (at < candle.at)]
        assert (candle.open, candle.close) == (inside[0], inside[-1])
        assert (candle.high, candle.low) == (inside.max(), inside.min())
    covered = sum(candle.at - candle.open_at for candle in candles)
    seeded = simulated.sessions(symbol, 0, START)
    assert covered == sum(min(span.end, START) - span.open_at for span in seeded)


@pytest.mark.parametrize("seed", range(12))
def test_something_happens_within_the_first_five_seconds(seed: int) -> None:
    """At 60x, some led instrument trades through a level of its last session for every seed."""
    simulated = market(seed)
    assert any(_crosses_early(simulated, symbol) for symbol in LED)


def _crosses_early(simulated: DemoMarket, symbol: str) -> bool:
    calendar = SessionCalendar(INSTRUMENTS[symbol].session)
    before = calendar.previous(START)
    assert before is not None
    past = simulated.ticks(symbol, before).price
    pivot = (past.max() + past.min() + past[-1]) / 3
    (span,) = simulated.sessions(symbol, START, START + 1)
    ticks = simulated.ticks(symbol, span)
    now = (ticks.at >= START - MICROS_PER_MINUTE) & (ticks.at < START + _FIRST_ALERT_US)
    prices = ticks.price[now]
    levels = (past.max(), past.min(), pivot, 2 * pivot - past.min(), 2 * pivot - past.max())
    return any(prices.min() <= level <= prices.max() for level in levels)
