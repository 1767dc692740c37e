"""The intake stage: from signals to intents."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.domain.intake import REMEMBERED, Intake, intake_stage
from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.routes import Route, Routes
from shared.events import Event, Heartbeat, SignalGenerated
from shared.events.codec import decode_one
from tests.notifier.samples import AT, a_signal

BOTH = Routes.of([Route(("console",)), Route(("desk",), symbols=("EUR*",))])


def a_signal_at(second: int, symbol: str = "EURUSD") -> SignalGenerated:
    return a_signal(at=AT + second * 1_000_000, pos=second + 1, symbol=symbol)


def test_stage_stands_between_signals_and_intents() -> None:
    """The stage is called notifier, is driven by signals and writes intents."""
    spec = intake_stage(BOTH)
    assert (spec.name, spec.primary, spec.output, spec.joined) == (
        "notifier",
        "signal_generated",
        "alert_intent",
        None,
    )


def test_a_signal_becomes_one_intent_for_each_of_its_channels() -> None:
    """Intents carry time, position and id of their signal, and the routes that decided."""
    signal = a_signal()
    decided = Intake(BOTH, {}).process([signal])
    assert [event.id for event in decided] == [
        f"alert_intent:console:{signal.id}",
        f"alert_intent:desk:{signal.id}",
    ]
    for intent in decided:
        assert isinstance(intent, AlertIntent)
        assert (intent.at, intent.pos) == (signal.at, signal.pos)
        assert intent.signal == intent.cause == signal.id
        assert intent.routes == BOTH.digest


def test_a_signal_that_no_route_takes_becomes_no_intent() -> None:
    """Routes may leave signals out."""
    intake = Intake(Routes.of([Route(("desk",), symbols=("DAX",))]), {})
    assert intake.process([a_signal()]) == []


def test_a_signal_seen_before_is_suppressed_and_counted() -> None:
    """The same id twice makes one alert, even across a restart."""
    first = Intake(BOTH, {})
    assert len(first.process([a_signal()])) == 2
    state = first.changes()
    second = Intake(BOTH, state)
    assert second.process([a_signal(pos=4712)]) == []
    assert '"suppressed": 1' in second.changes()["EURUSD"]


def test_the_same_rule_at_another_time_is_another_signal() -> None:
    """Only the very same id is suppressed."""
    intake = Intake(BOTH, {})
    assert len(intake.process([a_signal_at(0), a_signal_at(1)])) == 4


def test_memory_of_a_symbol_is_bounded() -> None:
    """A thousand signals leave no more state than a few dozen."""
    intake = Intake(BOTH, {})
    intake.process([a_signal_at(n) for n in range(REMEMBERED)])
    size = len(intake.changes()["EURUSD"])
    intake.process([a_signal_at(n) for n in range(REMEMBERED, 1_000)])
    assert len(intake.changes()["EURUSD"]) == size


def test_only_symbols_that_changed_are_saved() -> None:
    """A commit writes the fields of the symbols it touched, once."""
    intake = Intake(BOTH, {})
    intake.process([a_signal_at(0), a_signal_at(0, "DAX")])
    assert sorted(intake.changes()) == ["DAX", "EURUSD"]
    intake.process([a_signal_at(1)])
    assert sorted(intake.changes()) == ["EURUSD"]
    assert intake.changes() == {}


@settings(deadline=None)
@given(
    cuts=st.lists(st.integers(0, 30), max_size=6),
    signals=st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["EURUSD", "DAX"])), max_size=30),
)
def test_batches_and_restarts_change_nothing(
    cuts: list[int], signals: list[tuple[int, str]]
) -> None:
    """However the signals are cut, and restored in between, the intents are the same."""
    events: list[Event] = [a_signal_at(second, symbol) for second, symbol in signals]
    whole = Intake(BOTH, {}).process(events)
    state: dict[str, str] = {}
    pieces: list[Event] = []
    edges = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    for start, end in itertools.pairwise(edges):
        intake = Intake(BOTH, state)
        pieces += intake.process(events[start:end])
        state |= intake.changes()
    assert pieces == whole


@pytest.mark.parametrize(
    ("cause", "simulated"),
    [
        ("tick:EURUSD:demo:2026-11-20T09:15:03Z:7", True),
        ("tick:EURUSD:file:2026-11-20T09:15:03Z:7", False),
        ("tick:demo:file:2026-11-20T09:15:03Z:7", False),
        ("candle_in:EURUSD:1m:demo:2026-11-20T09:15Z", True),
        ("candle_in:EURUSD:1m:file:2026-11-20T09:15Z", False),
        ("level_computed:NIFTY 50:1m:2026-11-20T09:15Z", False),
    ],
)
def test_prices_of_the_demo_feed_are_marked(cause: str, simulated: bool) -> None:
    """An alert whose price came from the demo feed says that it is simulated."""
    intent = Intake(BOTH, {}).process([a_signal(cause=cause)])[0]
    assert isinstance(intent, AlertIntent)
    assert intent.simulated is simulated


def test_a_simulated_market_marks_every_alert() -> None:
    """Whoever runs a simulation can have all of its alerts marked, whatever their cause."""
    spec = intake_stage(BOTH, simulated=True)
    for intent in spec.restore({}).process([a_signal()]):
        assert isinstance(intent, AlertIntent)
        assert intent.simulated


def test_intents_survive_the_wire() -> None:
    """An intent decodes to itself."""
    for intent in Intake(BOTH, {}).process([a_signal(), a_signal_at(5, "NIFTY 50")]):
        assert decode_one([str(value) for value in intent.wire()]) == intent


def test_an_id_too_long_for_a_receipt_is_refused() -> None:
    """Names that make an id no field can hold are named; the runtime dead-letters the signal."""
    with pytest.raises(ValueError, match="shorten the names of rule set, rule or channel"):
        Intake(BOTH, {}).process([a_signal(rule="r" * 300)])


def test_an_event_that_is_no_signal_is_refused() -> None:
    """Nothing is skipped silently: the runtime dead-letters what process raises on."""
    with pytest.raises(ValueError, match="is no signal"):
        Intake(BOTH, {}).process([Heartbeat(symbol="*", at=AT, pos=1)])
