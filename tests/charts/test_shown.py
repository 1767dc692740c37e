"""Small pure pieces: precision, nearest symbols, forming candles, outboxes."""

import json

import pytest

from services.charts.domain.forming import forming_candles
from services.charts.domain.nearest import nearest, unknown_symbol
from services.charts.domain.outbox import Outbox, numbered
from services.charts.domain.precision import decimals_of
from services.charts.domain.shapes import ShownCandle
from services.ingest.domain.candles import CANDLES
from shared.events import Config, Tick
from shared.market.instruments import Instrument, Session
from tests.charts.made import MINUTE, NINE


def prices(*values: float) -> list[ShownCandle]:
    return [ShownCandle(0, 60, one, one, one, one, 0.0, closed=True) for one in values]


@pytest.mark.parametrize(
    ("values", "decimals"),
    [((24_180.0,), 0), ((24_180.5, 24_181.25), 2), ((1.0842, 1.08421), 5), ((), 2)],
)
def test_decimals_are_the_most_that_any_price_needs(
    values: tuple[float, ...], decimals: int
) -> None:
    """Prices tell how many places mean something; without prices it is two."""
    assert decimals_of(prices(*values)) == decimals


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [("EURUSD=X", "EURUSD"), ("eurusd", "EURUSD"), ("NIFTY50", "NIFTY 50"), ("^NDX", "NDX")],
)
def test_nearest_symbol_looks_past_spelling(wanted: str, meant: str) -> None:
    """Case and punctuation of other providers' names do not matter."""
    assert nearest(wanted, ["DAX", "EURGBP", "EURUSD", "NDX", "NIFTY 50"]) == meant


def test_unknown_symbol_is_told_with_the_nearest() -> None:
    """One sentence names the thing and the mend."""
    assert unknown_symbol("EURUDS", ["DAX", "EURUSD"]) == (
        "unknown symbol 'EURUDS'; the nearest is EURUSD"
    )
    assert unknown_symbol("EURUSD", []) == (
        "unknown symbol 'EURUSD'; there are no candles of any symbol yet"
    )


def test_forming_candles_are_what_the_candles_stage_shows() -> None:
    """The view that the real stage writes is read: six windows, the price in each of them."""
    session = Session(zone="UTC", start="00:00", end="00:00", days=(1, 2, 3, 4, 5))
    instrument = Instrument(
        symbol="EURUSD", title="", kind="fx", session=session, tick_size=0.00001, decimals=5
    )
    told = Config(
        symbol="EURUSD",
        at=NINE,
        pos=1,
        kind="instrument",
        name="EURUSD",
        version="1",
        body=instrument.model_dump(mode="json"),
    )
    first = Tick(symbol="EURUSD", at=NINE, pos=2, price=1.10, size=2, source="demo", n=0)
    second = first.model_copy(update={"at": NINE + 1, "pos": 3, "price": 1.12, "n": 1})
    step = CANDLES.restore({})
    step.process([told, first, second])
    shown = forming_candles(step.views()["EURUSD"])  # type: ignore[attr-defined]
    assert list(shown) == ["1m", "5m", "15m", "1h", "4h", "1d"]
    assert shown["1m"] == ShownCandle(
        NINE, NINE + MINUTE, 1.10, 1.12, 1.10, 1.12, 4.0, closed=False
    )


def test_window_without_a_price_is_left_out() -> None:
    """The stage shows null where it knows no window."""
    assert forming_candles(json.dumps({"price": 1.1, "candles": {"1m": None}})) == {}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"candles": {"1m": {"open_at": 0}}}',
        '{"candles": {"1m": {"open_at": 0, "at": 9, "open": 1, "high": 0, "low": 2, "close": 1}}}',
    ],
)
def test_view_that_makes_no_sense_is_refused(text: str) -> None:
    """A text that is no view, or a candle that cannot be, is an error and no candle."""
    with pytest.raises(ValueError, match=r"."):
        forming_candles(text)


def current(outbox: Outbox) -> Outbox:
    outbox.behind = False
    return outbox


def test_messages_are_taken_in_order() -> None:
    """A client that keeps up gets everything."""
    outbox = current(Outbox(capacity=2))
    outbox.put("a")
    outbox.put("b")
    assert [outbox.take(), outbox.take(), outbox.take()] == ["a", "b", None]
    assert outbox.dropped == 0


def test_new_client_is_behind() -> None:
    """Until its snapshot is made, nothing is queued for it, for the snapshot will hold it."""
    outbox = Outbox(capacity=2)
    outbox.put("a")
    assert (outbox.behind, outbox.take()) == (True, None)


def test_overflow_drops_everything_in_favour_of_a_snapshot() -> None:
    """A slow client is never given a part of the past: it gets the present."""
    outbox = current(Outbox(capacity=2))
    for message in ("a", "b", "c", "d"):
        outbox.put(message)
    assert (outbox.behind, outbox.take(), outbox.dropped) == (True, None, 4)


def test_number_is_put_into_the_encoded_message() -> None:
    """The number comes first, and the text stays JSON."""
    assert json.loads(numbered('{"type":"ping"}', 7)) == {"v": 1, "seq": 7, "type": "ping"}
