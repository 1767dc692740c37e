"""Entries as columns and back: what a recorded topic's table looks like.

Every table has the columns of ``BASE``, one column for each field of the topic's events (moments as
timestamps, numbers as numbers, nested values as JSON text), and ``raw``: where an entry is none of
ours, of another version, or has fields that its type has not, its flat fields as a JSON list.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
import polars as pl

from shared.bus.log import order
from shared.events.base import Event
from shared.events.codec import PUBLIC_EVENTS, RawEntry
from shared.events.control import Watermark
from shared.events.schemas import wire_schema

Schema = Mapping[str, pl.DataType]

MOMENT = pl.Datetime("us", "UTC")
BASE: Schema = {
    "written_at": pl.Datetime("ms", "UTC"),
    "written_n": pl.Int64(),
    "partition": pl.Int64(),
    "type": pl.String(),
    "v": pl.Int64(),
    "symbol": pl.String(),
    "at": MOMENT,
    "pos": pl.Int64(),
}
RAW = "raw"
WRITTEN = ("written_at", "written_n")
# As in the events: beyond it a number is no moment that anybody meant.
_MICROS_MAX = 2**53 - 1
_NUMBERS: Mapping[str, pl.DataType] = {"integer": pl.Int64(), "number": pl.Float64()}


@cache
def topic_schema(topic: str) -> Schema:
    """The columns of a topic's table, in order."""
    own = {
        name: _dtype(name, part)
        for model in PUBLIC_EVENTS
        if topic == model.TOPIC
        for name, part in _properties(model).items()
    }
    return {**BASE, **{name: own[name] for name in own if name not in BASE}, RAW: pl.String()}


def table(topic: str, partition: int, entries: Sequence[RawEntry]) -> pl.DataFrame:
    """A partition's entries as rows, in order."""
    alike: dict[tuple[str, ...], list[RawEntry]] = {}
    for entry in entries:
        fields = entry[1]
        alike.setdefault((*fields[1:4:2], *fields[::2]), []).append(entry)
    parts = [_empty(topic)]
    for shape, rows in alike.items():
        model = _model(topic, shape)
        parts += [_odd(rows)] if model is None else _plain(model, rows)
    found = pl.concat(parts, how="diagonal")
    numbered = found.with_columns(pl.lit(partition, pl.Int64).alias("partition"))
    return numbered.select(*topic_schema(topic)).sort(WRITTEN)


def entries(rows: pl.DataFrame) -> list[RawEntry]:
    """A table's rows as the stream entries that they were, in order."""
    found: list[tuple[int, RawEntry]] = []
    by = ("type", "v", pl.col(RAW).is_not_null().alias("_odd"))
    for (kind, version, is_odd), part in rows.with_row_index("_nth").group_by(
        *by, maintain_order=True
    ):
        places = part["_nth"].to_list()
        ids = [f"{ms}-{n}" for ms, n in part.select(_ms(), "written_n").iter_rows()]
        if is_odd:
            flat = [orjson.loads(text) for text in part[RAW]]
        else:
            flat = _flat(str(kind), int(str(version)), part)
        found += zip(places, zip(ids, flat, strict=True), strict=True)
    return [entry for _, entry in sorted(found, key=lambda one: one[0])]


def after(place: str) -> pl.Expr:
    """Rows written after an entry id."""
    ms, n = order(place)
    return (_ms() > ms) | ((_ms() == ms) & (pl.col("written_n") > n))


def up_to(place: str) -> pl.Expr:
    """Rows written up to an entry id, itself included."""
    return ~after(place)


def month() -> pl.Expr:
    """The month (``2026-11``) that a row is kept under: when it happened, else when written."""
    at = pl.col("at")
    happened = pl.when(at.cast(pl.Int64) > 0).then(at).otherwise(pl.col("written_at").cast(MOMENT))
    return happened.dt.strftime("%Y-%m")


def _ms() -> pl.Expr:
    return pl.col("written_at").cast(pl.Int64)


def _empty(topic: str) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(topic_schema(topic)))


@cache
def _properties(model: type[Event]) -> Mapping[str, Any]:
    """The JSON Schema of each field as it stands in an entry, without type and version."""
    own: dict[str, Any] = wire_schema(model)["properties"]
    return {name: part for name, part in own.items() if name not in ("type", "v")}


def _dtype(name: str, part: Mapping[str, Any]) -> pl.DataType:
    if part.get("enum") == ["0", "1"]:
        return pl.Boolean()
    content = _content(part)
    kind = _NUMBERS.get(content.get("type", ""), pl.String())
    is_moment = name in ("at", "since") or name.endswith("_at")
    return MOMENT if is_moment and kind == pl.Int64 else kind


def _content(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of the value that a field's text stands for; nothing where it is the text."""
    for one in part.get("anyOf", [part]):
        if "contentSchema" in one:
            found: Mapping[str, Any] = one["contentSchema"]
            return found
    return {}


def _is_optional(part: Mapping[str, Any]) -> bool:
    return {"const": ""} in part.get("anyOf", [])


@cache
def _model(topic: str, shape: tuple[str, ...]) -> type[Event] | None:
    """Whose entries look like this; None where nobody's do that this table has columns for."""
    for model in PUBLIC_EVENTS:
        own = (model.TYPE, str(model.VERSION), "type", "v", *model.model_fields)
        if model.TOPIC in (topic, Watermark.TOPIC) and shape == own:
            return model
    return None


def _plain(model: type[Event], rows: Sequence[RawEntry]) -> list[pl.DataFrame]:
    """Rows whose every field is what its column holds, and those that are odd after all."""
    parts = _properties(model)
    texts = pl.DataFrame(
        dict(zip(parts, zip(*(fields[5::2] for _, fields in rows), strict=True), strict=True)),
        schema=dict.fromkeys(parts, pl.String),
    )
    read = texts.select(_read(name, part) for name, part in parts.items())
    wrong = pl.any_horizontal(
        read[name].is_null() & (texts[name] != "" if _is_optional(part) else True)
        for name, part in parts.items()
    )
    is_odd = read.select(wrong).to_series()
    typed = read.with_columns(
        *_written(rows),
        pl.lit(model.TYPE).alias("type"),
        pl.lit(model.VERSION, pl.Int64).alias("v"),
        pl.lit(None, pl.String).alias(RAW),
    ).filter(~is_odd)
    return [typed, _odd([row for row, odd in zip(rows, is_odd, strict=True) if odd])]


def _read(name: str, part: Mapping[str, Any]) -> pl.Expr:
    kind, text = _dtype(name, part), pl.col(name)
    if kind == pl.Boolean:
        return pl.when(text.is_in(["0", "1"])).then(text == "1").alias(name)
    if kind == MOMENT:
        number = text.cast(pl.Int64, strict=False)
        return pl.when(number.is_between(0, _MICROS_MAX)).then(number.cast(MOMENT)).alias(name)
    return text.cast(kind, strict=False)


def _odd(rows: Sequence[RawEntry]) -> pl.DataFrame:
    """Rows kept as they are; symbol, time and position where they can be told."""
    named = [dict(zip(fields[::2], fields[1::2], strict=False)) for _, fields in rows]
    written = _written(rows)
    texts = pl.DataFrame(
        {name: [one.get(name) for one in named] for name in ("type", "v", "symbol", "at", "pos")},
        schema=dict.fromkeys(("type", "v", "symbol", "at", "pos"), pl.String),
    )
    return texts.with_columns(
        *written,
        _read("at", {"contentSchema": {"type": "integer"}}).fill_null(written[0].cast(MOMENT)),
        pl.col("v", "pos").cast(pl.Int64, strict=False),
        pl.Series(RAW, [orjson.dumps(list(fields)).decode() for _, fields in rows], pl.String),
    )


def _written(rows: Sequence[RawEntry]) -> tuple[pl.Series, pl.Series]:
    places = [order(entry) for entry, _ in rows]
    return (
        pl.Series("written_at", [ms for ms, _ in places], pl.Int64).cast(BASE["written_at"]),
        pl.Series("written_n", [n for _, n in places], pl.Int64),
    )


def _flat(kind: str, version: int, part: pl.DataFrame) -> list[list[str]]:
    """The flat fields of rows of one type and version."""
    model = next((one for one in PUBLIC_EVENTS if (kind, version) == (one.TYPE, one.VERSION)), None)
    head = ["type", kind, "v", str(version)]
    names = [name for name in part.columns if name not in ("_nth", *_NO_FIELDS)]
    if model is not None:
        names = list(model.model_fields)
    texts = part.select(_text(name, part.schema[name]) for name in names)
    if model is None:  # of a version that was current then: whatever it had
        return [
            head + [word for name, text in row.items() if text != "" for word in (name, text)]
            for row in texts.iter_rows(named=True)
        ]
    return [
        head + [word for pair in zip(names, row, strict=True) for word in pair]
        for row in texts.iter_rows()
    ]


_NO_FIELDS = ("written_at", "written_n", "partition", "type", "v", RAW)


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if kind == pl.Boolean or isinstance(kind, pl.Datetime):
        value = value.cast(pl.Int64)
    return value.cast(pl.String).fill_null("")
