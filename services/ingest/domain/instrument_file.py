"""Instruments that users add or change: the reading of a TOML text.

A table per symbol. For a symbol that is known already the keys given replace its own, ``session``
and ``names`` key by key; a new symbol needs every key that has no default.
"""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from pydantic import TypeAdapter, ValidationError

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.sessions import SessionCalendar
from shared.events.base import Symbol
from shared.market.instruments import Instrument, Session

_SYMBOL = TypeAdapter(Symbol)
_NESTED = ("session", "names")


class BadInstrument(Exception):
    """The instrument file is wrong; the message names file, symbol, key and the mend."""


def with_file(table: InstrumentTable, text: str, file: str) -> InstrumentTable:
    """The table with what the file's text adds and changes; ``file`` is named in errors.

    Raises:
        BadInstrument: the text is no TOML or a table in it is no instrument.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInstrument(f"{file} is no TOML: {error}") from None
    merged = {one.symbol: one for one in table.instruments}
    for symbol, given in tables.items():
        merged[symbol] = _instrument(merged.get(symbol), symbol, given, file)
    return InstrumentTable(merged.values())


def _instrument(known: Instrument | None, symbol: str, given: Any, file: str) -> Instrument:
    where = f"{file}: [{_quoted(symbol)}]"
    if not isinstance(given, dict):
        raise BadInstrument(
            f"{where} must be a table of keys such as title and tick_size, not {given!r}"
        )
    try:
        _SYMBOL.validate_python(symbol)
    except ValidationError:
        raise BadInstrument(
            f"{where} is no symbol: up to 40 characters, words separated by single spaces, "
            "none of : { }"
        ) from None
    base = {} if known is None else known.model_dump(mode="json")
    try:
        instrument = Instrument.model_validate({**_merged(base, given), "symbol": symbol})
        SessionCalendar(instrument.session)
    except ValidationError as error:
        raise BadInstrument(f"{where} {_told(error, new=known is None)}") from None
    except ValueError as error:
        raise BadInstrument(f"{where} session: {error}{_zone_hint(given)}") from None
    return instrument


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**base, **given}
    for name in _NESTED:
        if isinstance(base.get(name), dict) and isinstance(given.get(name), dict):
            merged[name] = {**base[name], **given[name]}
    return merged


def _told(error: ValidationError, *, new: bool) -> str:
    complaint = error.errors(include_url=False, include_context=False)[0]
    key = ".".join(str(part) for part in complaint["loc"])
    if complaint["type"] == "missing":
        hint = " (it is not a known symbol, so all of it must be given)" if new else ""
        return f"needs the key {key}{hint}"
    if complaint["type"] == "extra_forbidden":
        model = Session if key.startswith("session.") else Instrument
        near = get_close_matches(key.rpartition(".")[2], model.model_fields, n=1)
        known = near[0] if near else ", ".join(model.model_fields)
        return f"unknown key {key}; did you mean {known}?"
    return f"{key} = {complaint['input']!r}: {complaint['msg']}"


def _zone_hint(given: Mapping[str, Any]) -> str:
    session = given.get("session")
    zone = session.get("zone") if isinstance(session, dict) else None
    zones = available_timezones()
    if not isinstance(zone, str) or zone in zones:
        return ""
    near = get_close_matches(zone, sorted(zones), n=1)
    return f"; did you mean {near[0]}?" if near else "; use a name such as Europe/Berlin"


def _quoted(symbol: str) -> str:
    bare = symbol.isascii() and symbol.replace("-", "").replace("_", "").isalnum()
    return symbol if bare else f'"{symbol}"'
