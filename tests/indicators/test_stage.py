"""The indicators stage: one reading per closed candle, whatever the batches and restarts."""

from services.indicators.domain.board import Board
from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import STAGE, stage
from services.indicators.domain.state import to_json
from shared.events import CandleClosed, Event, Heartbeat, LevelComputed
from shared.events.codec import decode_one
from tests.indicators.candles import closed, ranges


def run(candles: list[CandleClosed], state: dict[str, str] | None = None) -> list[Event]:
    return STAGE.restore(state or {}).process(candles)


def wavy(count: int) -> list[CandleClosed]:
    """Minutes that go up and down, so that swings form and break."""
    return ranges(*((100 + (n * 7) % 11 + n % 3, 90 + (n * 5) % 7) for n in range(count)))


def test_stage_stands_between_candles_and_signals() -> None:
    """The stage reads candle_closed and its watermark goes to level_computed."""
    assert (STAGE.name, STAGE.primary, STAGE.output) == (
        "indicators",
        "candle_closed",
        "level_computed",
    )


def test_one_reading_per_closed_candle() -> None:
    """Each candle gives one event at its time and position, holding the candle and its cause."""
    candles = wavy(10)
    readings = run(candles)
    assert [(reading.at, reading.pos) for reading in readings] == [(c.at, c.pos) for c in candles]
    last = readings[-1]
    assert isinstance(last, LevelComputed)
    assert (last.timeframe, last.session_at, last.origin, last.cause, last.candle) == (
        "1m",
        candles[-1].session_at,
        "live",
        candles[-1].id,
        candles[-1].candle,
    )


def test_readings_survive_the_wire() -> None:
    """What is written is what is read back, field by field."""
    reading = run(wavy(40))[-1]
    assert decode_one([str(part) for part in reading.wire()]) == reading


def test_batches_and_restarts_change_nothing() -> None:
    """Any cut into batches, with a restore from the saved text at each, gives the same events."""
    candles = wavy(60)
    whole = run(candles)
    state: dict[str, str] = {}
    pieces: list[Event] = []
    for start in range(0, 60, 7):
        step = STAGE.restore(state)
        pieces += step.process(candles[start : start + 7])
        state |= step.changes()
    assert pieces == whole
    assert [piece.wire() for piece in pieces] == [event.wire() for event in whole]


def test_daily_levels_stand_on_daily_readings_only() -> None:
    """Yesterday's levels and pivots are in the 1d reading, swings in every timeframe's."""
    day = closed(0, 10, 12, 9, 11, timeframe="1d")
    (reading,) = run([day])
    assert isinstance(reading, LevelComputed)
    keys = {level.key for level in reading.levels}
    assert {"previous_day.high", "previous_day.low", "pivot.classic.pp"} <= keys
    minute = run(wavy(20))[-1]
    assert isinstance(minute, LevelComputed)
    assert not {level.key for level in minute.levels} & {"previous_day.high", "pivot.classic.pp"}


def test_candle_seen_before_gives_no_second_reading() -> None:
    """A candle that is not after the last one changes nothing: what was published stays."""
    candles = wavy(10)
    step = STAGE.restore({})
    step.process(candles)
    before = step.changes()
    assert step.process(candles[4:8]) == []
    assert step.changes() == {}
    assert before.keys() == {"EURUSD"}


def test_added_recipe_is_warm_after_a_reseed() -> None:
    """A recipe added later catches up on history given again, which gives no reading and leaves
    the others alone; from the next candle on all is as if it had been there from the start.
    """
    candles = wavy(60)
    few, all_ = recipes(("swing:2",), {}), recipes(("swing:2", "sma:20", "donchian:20"), {})
    old = stage(few).restore({})
    old.process(candles[:59])
    step = stage(all_).restore(old.changes())
    assert step.process(candles[:30]) == []
    step = stage(all_).restore(step.changes())
    assert step.process(candles[:59]) == []
    assert step.process(candles[59:]) == stage(all_).restore({}).process(candles)[59:]


def test_symbols_and_timeframes_do_not_mix() -> None:
    """Each symbol and timeframe is read as if it were alone."""
    minutes = wavy(20)
    fives = [c.model_copy(update={"timeframe": "5m"}) for c in minutes]
    others = [c.model_copy(update={"symbol": "DAX"}) for c in minutes]
    mixed = [c for three in zip(minutes, fives, others, strict=True) for c in three]
    readings = run(mixed)
    assert readings[0::3] == run(minutes)
    assert readings[1::3] == run(fives)
    assert readings[2::3] == run(others)


def test_missing_values_say_so() -> None:
    """A value that does not exist yet is named as unready instead of being zero."""
    first = run(wavy(1))[0]
    assert isinstance(first, LevelComputed)
    assert "swing.high" in first.unready
    assert "swing.high" not in first.values


def test_peek_reads_the_forming_candle_and_touches_nothing() -> None:
    """The forming candle's reading is what its close would give, marked as provisional."""
    candles = wavy(60)
    board = Board(recipes()["1m"], {})
    for candle in candles[:-1]:
        board.update(candle)
    before = to_json(board.memory())
    peek = board.peek(candles[-1])
    assert peek.provisional
    assert to_json(board.memory()) == before
    assert peek.reading == run(candles)[-1]


def test_other_events_pass_by() -> None:
    """A watermark or heartbeat that strays into the topic changes nothing."""
    step = STAGE.restore({})
    assert step.process([Heartbeat(symbol="*", at=1, pos=1)]) == []
