"""Usual sessions, as the fields of a ``Session``; holidays come on top."""

from typing import Any, Final

Hours = dict[str, Any]

_WEEK = (1, 2, 3, 4, 5)
# Sunday evening opens the week, Friday afternoon ends it: no session starts on Friday or Saturday.
_SUNDAY_ON = (7, 1, 2, 3, 4)


def _hours(zone: str, start: str, end: str, days: tuple[int, ...]) -> Hours:
    return {"zone": zone, "start": start, "end": end, "days": days}


FX: Final = _hours("America/New_York", "17:00", "17:00", _SUNDAY_ON)
METAL: Final = _hours("America/New_York", "18:00", "17:00", _SUNDAY_ON)
OIL: Final = METAL
CME: Final = _hours("America/Chicago", "17:00", "16:00", _SUNDAY_ON)
EUREX: Final = _hours("Europe/Berlin", "01:10", "22:00", _WEEK)
NEW_YORK: Final = _hours("America/New_York", "09:30", "16:00", _WEEK)
CBOE: Final = _hours("America/Chicago", "08:30", "15:15", _WEEK)
XETRA: Final = _hours("Europe/Berlin", "09:00", "17:30", _WEEK)
NSE: Final = _hours("Asia/Kolkata", "09:15", "15:30", _WEEK)
# Trades without a pause; a session is a day of UTC.
CRYPTO: Final = _hours("UTC", "00:00", "00:00", (1, 2, 3, 4, 5, 6, 7))
