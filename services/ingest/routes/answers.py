"""What several routes have in common: who asks, and how what goes wrong is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Path

from services.ingest.domain.instruments import InstrumentTable, UnknownSymbol
from services.ingest.domain.watching import LIST_NAME_MAX
from services.ingest.domain.watchlists import ListExists, NoSuchEntry, NoSuchList, TooMany
from shared.clock import Clock
from shared.events.base import moment
from shared.market.instruments import Instrument
from shared.service.problems import Problem, documented
from shared.store.errors import StoreError

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$"

ListName = Annotated[str, Path(min_length=1, max_length=LIST_NAME_MAX, pattern=NAME_PATTERN)]
Symbol = Annotated[str, Path(min_length=1, max_length=40, description="for example EURUSD")]

_MEANINGS = {
    400: "the body is no text",
    404: "there is none; an unknown symbol names the nearest",
    409: "it is there already, or there are as many as may be",
    422: "something is missing or malformed",
    503: "the tables cannot be reached",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the document says of these answers."""
    return documented({status: _MEANINGS[status] for status in statuses})


@contextmanager
def told(name: str = "") -> Iterator[None]:
    """Tell what goes wrong with a list as a problem."""
    try:
        yield
    except NoSuchList:
        raise Problem(404, f"there is no watchlist {name!r}; GET /api/v1/watchlists") from None
    except NoSuchEntry as error:
        raise Problem(404, f"{error} is not on the watchlist {name!r}") from None
    except ListExists as error:
        raise Problem(409, f"there is a watchlist {str(error)!r} already") from None
    except TooMany as error:
        raise Problem(409, str(error)) from None
    except StoreError as error:
        raise Problem(503, str(error)) from None


class Lookup:
    """Finds what people mean by a symbol."""

    def __init__(self, table: InstrumentTable, clock: Clock) -> None:
        self.table = table
        self._clock = clock

    def find(self, text: str) -> Instrument | None:
        """The instrument, or None."""
        try:
            return self.table.resolve(text, moment(self._clock.now()).date())
        except UnknownSymbol:
            return None

    def of_path(self, text: str) -> Instrument:
        """The instrument of a path.

        Raises:
            Problem: 404, naming the nearest.
        """
        found = self.find(text)
        if found is None:
            raise self._unknown(404, text)
        return found

    def of_body(self, text: str, pointer: str) -> Instrument:
        """The instrument that a member of the body names; ``pointer`` says which member.

        Raises:
            Problem: 422, naming the member and the nearest.
        """
        found = self.find(text)
        if found is None:
            errors = [{"pointer": pointer, "detail": self.table.complaint(text)}]
            raise self._unknown(422, text, parameter=pointer.split("/")[1], errors=errors)
        return found

    def _unknown(self, status: int, text: str, **more: Any) -> Problem:
        near = self.table.nearest(text)
        return Problem(status, self.table.complaint(text), nearest=near, **more)
