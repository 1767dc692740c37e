"""What other programs push: read, placed, and told apart from what was pushed before."""

import pytest

from services.ingest.adapters.feeds.push.parse import Book, instant, read_batch
from services.ingest.domain.pushed import Pushed
from tests.ingest.lines import TABLE, at

NOW = at("14:00:30")
BOOK = Book(TABLE, {"EURO": "EURUSD"})
ROW = {"symbol": "EURUSD", "at": "2026-06-10T14:00:01Z", "price": 1.1}


def read(*rows: object, key: str | None = None) -> tuple[list[Pushed], list[tuple[int, str, str]]]:
    """The prices of a batch, and its faults as item, field, sentence."""
    batch = read_batch(rows, BOOK, NOW, key)
    faults = [(one.item, one.field, one.detail) for one in batch.faults]
    return [one.event for one in batch.given], faults


def identities(*rows: object, key: str | None = None) -> list[str]:
    return [one.identity for one in read_batch(rows, BOOK, NOW, key).given]


@pytest.mark.parametrize(
    "given",
    [
        "2026-06-10T14:00:01Z",
        "2026-06-10T16:00:01+02:00",
        "2026-06-10 14:00:01",
        1781100001,
        1781100001.0,
        1781100001000,
        1781100001000000,
    ],
)
def test_a_time_is_text_or_a_number_of_any_unit(given: object) -> None:
    """ISO 8601, UTC where it names no zone; seconds, milliseconds or microseconds by size."""
    assert instant(given) == at("14:00:01")


@pytest.mark.parametrize("given", ["soon", True, None, -1, 1e17, "1969-12-31T00:00:00Z"])
def test_what_is_no_time_is_refused(given: object) -> None:
    """Nothing is guessed of a time."""
    with pytest.raises(ValueError, match="time"):
        instant(given)


def test_a_row_becomes_a_price() -> None:
    """What is not given is zero, the first, and from a program called push."""
    assert read(ROW) == (
        [
            Pushed(
                symbol="EURUSD",
                at=at("14:00:01"),
                pos=0,
                price=1.1,
                size=0.0,
                source="push",
                n=0,
            )
        ],
        [],
    )


def test_bid_and_ask_become_their_middle() -> None:
    """A quote is a price half way between its sides."""
    quote = {"symbol": "EURUSD", "at": "2026-06-10T14:00:01Z", "bid": 1.0, "ask": 1.5}
    assert [one.price for one in read(quote)[0]] == [1.25]


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"price": 0}, "price", "Input should be greater than 0"),
        ({"price": -1}, "price", "Input should be greater than 0"),
        ({"price": "x"}, "price", "Input should be a valid number"),
        ({"price": None}, "", "give price, or bid and ask"),
        ({"price": None, "bid": 2, "ask": 1}, "", "crossed: bid 2.0 is above ask 1.0"),
        ({"size": -1}, "size", "Input should be greater than or equal to 0"),
        ({"at": "soon"}, "at", "'soon' is no ISO 8601 time"),
        ({"at": "2026-06-10T14:02:00Z"}, "at", "2026-06-10T14:02Z is in the future"),
        ({"symbol": "EURUSX"}, "symbol", "unknown symbol 'EURUSX'; did you mean EURUSD"),
        ({"prise": 1}, "prise", "Extra inputs are not permitted"),
    ],
)
def test_a_fault_names_item_and_field(change: dict[str, object], field: str, told: str) -> None:
    """What is wrong with one item is told with its place; the others are taken."""
    prices, faults = read(ROW, {**ROW, **change}, {**ROW, "price": 1.2})
    assert [one.price for one in prices] == [1.1, 1.2]
    ((item, where, detail),) = faults
    assert (item, where) == (1, field)
    assert detail.startswith(told)


@pytest.mark.parametrize("row", [1, "x", None, []])
def test_what_is_no_object_is_told(row: object) -> None:
    """An item that is not even an object."""
    assert read(row) == ([], [(0, "", "no JSON object")])


def test_the_same_batch_has_the_same_identities() -> None:
    """Two equal prices in one batch are two; the batch sent again is the same two."""
    first = identities(ROW, ROW, {**ROW, "price": 1.2})
    assert len(set(first)) == 3
    assert identities(ROW, ROW, {**ROW, "price": 1.2}) == first
    assert identities({**ROW, "at": 1781100001}) == first[:1]


def test_a_number_or_a_key_names_a_price_by_itself() -> None:
    """With n the price may be corrected, with a key of the batch its content is not looked at."""
    assert identities({**ROW, "n": 0}) == identities({**ROW, "n": 0, "price": 1.3})
    assert identities({**ROW, "n": 0}) != identities({**ROW, "n": 1})
    assert identities(ROW, key="a") == identities({**ROW, "price": 2}, key="a")
    assert identities(ROW, key="a") != identities(ROW, key="b")


def test_other_programs_names_are_ours_in_the_end() -> None:
    """What the settings call the same is the same price."""
    assert identities({**ROW, "symbol": "EURO"}) == identities(ROW)
    assert [one.symbol for one in read({**ROW, "symbol": "EURO"})[0]] == ["EURUSD"]
