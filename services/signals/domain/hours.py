"""When a rule counts: times of day in a zone, and stretches of the instrument's session."""

from datetime import datetime, time, timedelta
from functools import cache
from typing import Annotated, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from shared.events.base import Value, moment

MICROS = 1_000_000
_DAY_S = 86_400
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Weekday = Annotated[int, Field(strict=True, ge=1, le=7, description="ISO: 1 is Monday")]
SomeSeconds = Annotated[int, Field(strict=True, ge=1, le=7 * _DAY_S)]


class SessionSpan(NamedTuple):
    """An instrument's session, as far as the spine has told it."""

    open_at: int
    end: int | None


class TimeWindow(Value):
    """From ``start`` to before ``end`` by the clocks of ``zone``, on the days it starts on.

    An end at or before the start is on the next day.
    """

    kind: Literal["time"]
    zone: str
    start: TimeOfDay
    end: TimeOfDay
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = (1, 2, 3, 4, 5, 6, 7)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            _zone(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{zone!r} is no time zone; write one like Europe/Berlin") from None
        return zone

    def holds(self, at: int, session: SessionSpan | None) -> bool:
        """Whether an instant lies in the window; the session does not matter."""
        local = moment(at).astimezone(_zone(self.zone))
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return any(self._covers(local, back, (start, end)) for back in (0, 1))

    def _covers(self, local: datetime, back: int, hours: tuple[time, time]) -> bool:
        """Whether the window that starts ``back`` days ago, if one does, holds the instant."""
        day = local.date() - timedelta(days=back)
        start, end = hours
        last = day if end > start else day + timedelta(days=1)
        # Without its zone: local clocks are what is asked for, also on the day they change.
        now = local.replace(tzinfo=None)
        inside = datetime.combine(day, start) <= now < datetime.combine(last, end)
        return inside and day.isoweekday() in self.days


class SessionWindow(Value):
    """A stretch of the instrument's session; whatever is given must hold.

    ``after_s``: so many seconds after its open or later. ``first_s``: before so many have gone by.
    ``last_s``: when no more than so many are left.
    """

    kind: Literal["session"]
    after_s: SomeSeconds | None = None
    first_s: SomeSeconds | None = None
    last_s: SomeSeconds | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.after_s is None and self.first_s is None and self.last_s is None:
            raise ValueError("a session window needs after_s, first_s or last_s")
        if self.after_s is not None and self.first_s is not None and self.after_s >= self.first_s:
            raise ValueError(
                f"after_s {self.after_s} is not before first_s {self.first_s}: no time could ever "
                "lie in between; make first_s larger"
            )
        return self

    def holds(self, at: int, session: SessionSpan | None) -> bool | None:
        """Whether an instant lies in the stretch; None while the session is not known."""
        if session is None or (self.last_s is not None and session.end is None):
            return None
        gone = at - session.open_at
        return (
            (self.after_s is None or gone >= self.after_s * MICROS)
            and (self.first_s is None or gone < self.first_s * MICROS)
            and (
                self.last_s is None
                or session.end is None
                or session.end - at <= self.last_s * MICROS
            )
        )


Window = Annotated[TimeWindow | SessionWindow, Field(discriminator="kind")]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
