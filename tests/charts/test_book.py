"""What the book keeps of the events it is given."""

from services.charts.domain.book import Book, Capacity
from services.charts.domain.shapes import ShownCandle, candle_from
from shared.events import Event, Tick
from tests.charts.made import KEY, MINUTE, NINE, alert, candle, closed, reading, signal


def book_of(*events: Event) -> Book:
    book = Book(Capacity())
    for event in events:
        book.apply(event)
    return book


def forming(minute: int, close: float = 1.2) -> ShownCandle:
    return candle_from(candle(minute, close), closed=False)


def test_closed_candles_are_kept_by_symbol_and_timeframe() -> None:
    """A chart's candles hold nothing of another symbol or timeframe."""
    book = book_of(closed(0), closed(0, symbol="DAX"), closed(0, timeframe="5m"))
    assert [one.open_at for one in book.candles(KEY, None, 10)] == [NINE]
    assert book.symbols() == ["DAX", "EURUSD"]


def test_reading_everything_twice_is_harmless() -> None:
    """The second reading is no news, and the book is the same."""
    events: list[Event] = [closed(0), reading(0, 1.2), closed(1), signal(1), alert(1)]
    book = book_of(*events)
    first = (book.candles(KEY, None, 10), book.levels(KEY), book.alerts(None, 10))
    assert [book.apply(event) for event in events] == [False] * 5
    assert (book.candles(KEY, None, 10), book.levels(KEY), book.alerts(None, 10)) == first


def test_other_events_are_no_news() -> None:
    """A tick changes nothing."""
    tick = Tick(symbol="EURUSD", at=NINE, pos=1, price=1.1, size=0, source="demo", n=0)
    assert book_of().apply(tick) is False


def test_forming_candle_is_the_newest() -> None:
    """Between two closes the forming candle is what the market is at."""
    book = book_of(closed(0))
    assert book.form("EURUSD", {"1m": forming(1)}) == [KEY]
    newest = book.newest(KEY)
    assert newest is not None
    assert (newest.open_at, newest.close, newest.closed) == (NINE + MINUTE, 1.2, False)


def test_forming_candle_that_has_not_changed_is_no_news() -> None:
    """Looking at a view twice tells nobody anything."""
    book = book_of(closed(0))
    book.form("EURUSD", {"1m": forming(1)})
    assert book.form("EURUSD", {"1m": forming(1)}) == []
    assert book.form("EURUSD", {"1m": forming(1, close=1.3)}) == [KEY]


def test_closed_candle_stands_above_a_forming_one() -> None:
    """A view that is shown late does not undo a close of the same window."""
    book = book_of(closed(0), closed(1, close=1.1))
    assert book.form("EURUSD", {"1m": forming(1, close=1.9)}) == []
    newest = book.newest(KEY)
    assert newest is not None
    assert (newest.close, newest.closed) == (1.1, True)


def test_forming_candle_waits_for_the_close_before_it() -> None:
    """A view that is ahead of its close would leave a hole, so the close comes first."""
    book = book_of(closed(0))
    book.form("EURUSD", {"1m": forming(1)})
    assert book.form("EURUSD", {"1m": forming(2)}) == []
    book.apply(closed(1))
    assert book.form("EURUSD", {"1m": forming(2)}) == [KEY]


def test_close_ends_the_forming_candle() -> None:
    """What formed is forgotten once its window has closed."""
    book = book_of(closed(0))
    book.form("EURUSD", {"1m": forming(1, close=1.9)})
    book.apply(closed(1, close=1.15))
    newest = book.newest(KEY)
    assert newest is not None
    assert (newest.close, newest.closed) == (1.15, True)


def test_latest_levels_of_a_timeframe_count() -> None:
    """A newer reading replaces the older; an older one that comes late is no news."""
    book = book_of(closed(0), reading(1, 1.3))
    assert book.apply(reading(0, 1.2)) is False
    assert [level.price for level in book.levels(KEY)] == [1.3]


def test_levels_bring_their_candle() -> None:
    """A reading holds its candle, so that a chart is whole without the other topic."""
    book = book_of(reading(0, 1.2))
    assert [one.open_at for one in book.candles(KEY, None, 10)] == [NINE]


def test_charts_show_the_markets_own_levels_too() -> None:
    """Yesterday's high matters on every chart of the symbol, the swings of other charts do not."""
    book = book_of(
        closed(0),
        reading(0, 1.2),
        reading(-1440, 1.4, timeframe="1d", key="previous_day.high"),
        reading(0, 1.3, timeframe="1h"),
        reading(0, 1.5, symbol="DAX", timeframe="1d"),
    )
    assert [(one.timeframe, one.key, one.price) for one in book.levels(KEY)] == [
        ("1d", "previous_day.high", 1.4),
        ("1m", "swing.high", 1.2),
    ]


def test_signals_are_those_at_levels_of_the_chart() -> None:
    """Newest first; a signal at another timeframe's level is left out."""
    book = book_of(
        closed(0),
        signal(1),
        signal(2, timeframe="1m", key="swing.high"),
        signal(3, timeframe="1h", key="swing.high"),
    )
    found = book.signals("EURUSD", "1m", 10)
    assert [one.at for one in found] == [NINE + 2 * MINUTE, NINE + MINUTE]
    assert len(book.signals("EURUSD", None, 10)) == 3
    assert book.signals("DAX", None, 10) == []


def test_alert_is_shown_with_its_signal() -> None:
    """The signal is joined when somebody looks, so it may come after its alert."""
    book = book_of(alert(1))
    assert [one.signal for one in book.alerts(None, 10)] == [None]
    book.apply(signal(1))
    shown = book.alerts("EURUSD", 10)[0].signal
    assert shown is not None
    assert (shown.action, shown.level_price) == ("break", 1.1)


def test_alerts_of_one_symbol() -> None:
    """Alerts come newest first, of all symbols or of one."""
    book = book_of(alert(1), alert(2, symbol="DAX"), alert(3))
    assert [one.symbol for one in book.alerts(None, 10)] == ["EURUSD", "DAX", "EURUSD"]
    assert [one.symbol for one in book.alerts("DAX", 10)] == ["DAX"]
    assert len(book.alerts(None, 2)) == 2


def test_each_channel_has_its_own_receipt() -> None:
    """Two channels of one signal are two alerts."""
    book = book_of(alert(1), alert(1, channel="webhook"))
    assert sorted(one.channel for one in book.alerts(None, 10)) == ["console", "webhook"]


def test_summary_compares_with_yesterday() -> None:
    """The price is the newest of any timeframe, the comparison the last closed day's close."""
    book = book_of(closed(-1440, 1.05, timeframe="1d"), closed(0, 1.10123), closed(1, 1.10456))
    summary = book.summary("EURUSD")
    assert (summary.price, summary.previous_close, summary.decimals) == (1.10456, 1.05, 5)
    assert (summary.timeframes, summary.source) == (("1m", "1d"), "demo")
    assert summary.at == NINE + 2 * MINUTE


def test_after_the_close_the_day_is_compared_with_the_one_before() -> None:
    """A day that is over is not compared with itself."""
    days = [closed(-1440 * n, price, timeframe="1d") for n, price in ((2, 1.04), (1, 1.05))]
    assert book_of(*days).summary("EURUSD").previous_close == 1.04


def test_summary_shows_the_forming_price() -> None:
    """A price that is forming is newer than the last close."""
    book = book_of(closed(0, 1.1), closed(-1440, 1.0, timeframe="1d"))
    book.form("EURUSD", {"1m": forming(1, close=1.2)})
    assert book.summary("EURUSD").price == 1.2
    assert book.summary("EURUSD").at == NINE + MINUTE


def test_first_day_has_nothing_to_compare_with() -> None:
    """Unknown is none, not zero."""
    assert book_of(closed(0)).summary("EURUSD").previous_close is None
