"""``tideline preview``: would a rule have fired?"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.events.base import micros, stamp
from shared.service.collector import calm_collector
from tideline.access import access, opened
from tideline.commands.sql import place
from tideline.installed import insist
from tideline.interrupt import interruptible
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import MISUSED, Trouble

if TYPE_CHECKING:
    from services.signals.domain.preview import Report
    from services.signals.domain.rules import RuleSet

_DEFAULT_DAYS = 30
_DAY_US = 86_400_000_000

Rule = Annotated[str, typer.Argument(help="A rule file, or the name of a shipped rule set.")]
Symbol = Annotated[str, typer.Option(help="For example EURUSD.")]
Since = Annotated[str | None, typer.Option("--from", help="2026-11-01 or 2026-11-01T09:00, UTC.")]
Until = Annotated[str | None, typer.Option("--to", help="As --from; not included.")]
File = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        help="Recorded ticks or candles (CSV, Parquet) instead of the archive and the log.",
    ),
]
Timeframe = Annotated[str | None, typer.Option(help="Of a candle file that has no such column.")]
Horizon = Annotated[
    str | None, typer.Option(help="Candles to measure returns in, where not the rule's own.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be played: ``since <= at < until``, where None is from the beginning, or to the
    end, of a file."""

    symbol: str
    since: int | None
    until: int | None
    horizon: Any
    timeframe: str | None


def preview(
    rule: Rule,
    symbol: Symbol,
    since: Since = None,
    until: Until = None,
    file: File = None,
    timeframe: Timeframe = None,
    horizon: Horizon = None,
    json: Json = False,
) -> None:
    """Play the live rules over the past: every hit, and what the price did afterwards.

    The past is that of the archive and the log, the 30 days up to the newest price unless --from
    and --to say otherwise, or a whole --file.
    """
    insist(["ingest", "indicators", "signals"], "`tideline preview`")
    rule_set = _rule_set(rule)
    asked = Asked(symbol, _time(since), _time(until), _frame(horizon), timeframe)
    if not rule_set.covers(symbol):
        raise Trouble(f"{rule} does not look at {symbol}, only at {', '.join(rule_set.symbols)}")
    calm_collector()
    asyncio.run(interruptible(_preview(rule_set, asked, file, json=json)))


async def _preview(rule_set: "RuleSet", asked: Asked, file: Path | None, *, json: bool) -> None:
    if file is None:
        report = await _of_log(rule_set, asked)
    else:
        report = await _of_file(rule_set, file, asked)
    if json:
        write_json(as_json(rule_set, asked.symbol, report))
    else:
        _show(Terminal(), report)


def _rule_set(rule: str) -> "RuleSet":
    from services.signals.adapters.rule_files import RuleFileError, built_in_names, load, read

    try:
        return load([rule], [])[0] if rule in built_in_names() else read(Path(rule))
    except RuleFileError as error:
        known = ", ".join(built_in_names())
        more = "" if Path(rule).exists() else f"; shipped sets: {known}"
        raise Trouble(f"{error}{more}", MISUSED) from None


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        told = f"{text!r} is no time; write 2026-11-01 or 2026-11-01T09:00"
        raise Trouble(told, MISUSED) from None
    return micros(found if found.tzinfo is not None else found.replace(tzinfo=UTC))


def _frame(text: str | None) -> Any:
    from shared.market.timeframes import TIMEFRAMES

    if text is not None and text not in TIMEFRAMES:
        raise Trouble(f"unknown timeframe {text!r}; known: {', '.join(TIMEFRAMES)}", MISUSED)
    return text


async def _of_file(rule_set: "RuleSet", path: Path, asked: Asked) -> "Report":
    from services.ingest.adapters.feeds.base import FeedError
    from tideline.previewing import play_file

    try:
        return await play_file(rule_set, path, asked)
    except FeedError as error:
        raise Trouble(str(error)) from None


async def _of_log(rule_set: "RuleSet", asked: Asked) -> "Report":
    from services.signals.adapters.recorded import Recorded, Span, TooMuch

    settings = LauncherSettings.load()
    async with opened(access(settings)) as log:
        recorded = Recorded(place(settings), log)
        newest = await recorded.newest(asked.symbol)
        if newest is None:
            raise Trouble(f"no price of {asked.symbol} has come yet")
        until = newest + 1 if asked.until is None else asked.until
        since = until - _DEFAULT_DAYS * _DAY_US if asked.since is None else asked.since
        if since >= until:
            raise Trouble("--from must be before --to", MISUSED)
        try:
            span = Span(asked.symbol, max(0, since), until)
            return await recorded.play(rule_set, span, asked.horizon)
        except TooMuch as error:
            raise Trouble(str(error)) from None


def as_json(rule_set: "RuleSet", symbol: str, report: "Report") -> dict[str, Any]:
    """The report for programs; the same names as ``POST /api/v1/rules/preview``."""
    hits = [
        {
            "id": hit.signal.id,
            **hit.signal.model_dump(
                mode="json",
                include={
                    "at", "rule", "action", "direction", "timeframe", "level", "level_price",
                    "price", "gap", "reason", "operands",
                },
            ),
            "returns": {str(after): value for after, value in hit.returns.items()},
        }
        for hit in report.hits
    ]  # fmt: skip
    return {
        "name": rule_set.name,
        "version": rule_set.version,
        "symbol": symbol,
        "hits": hits,
        "suppressed": report.suppressed,
        "by_day": report.by_day(),
        "by_rule": report.by_rule(),
        "outlook": {str(after): asdict(one) for after, one in report.outlook().items()},
        "prices": report.prices,
        "candles": report.candles,
        "waiting": report.waiting,
    }


def _show(terminal: Terminal, report: "Report") -> None:
    heads = ("time", "rule", "direction", "price", "+1", "+5", "+20")
    rows = [
        (
            stamp(hit.signal.at),
            hit.signal.rule,
            hit.signal.direction,
            f"{hit.signal.price:g}",
            *(_percent(value) for value in hit.returns.values()),
        )
        for hit in report.hits
    ]
    if rows:
        terminal.table(heads, rows)
    for hits in _lines(report):
        terminal.say(hits)


def _lines(report: "Report") -> Sequence[str]:
    days, count = report.by_day(), len(report.hits)
    busiest = max(days, key=lambda day: days[day]) if days else ""
    lines = [
        f"{report.prices:,} prices and {report.candles:,} candles played: {count:,} hits"
        + (f" on {len(days)} days, most on {busiest} ({days[busiest]})" if days else "")
        + f"; {report.suppressed:,} more were held back by the daily cap"
    ]
    lines += [
        f"after {after} candles: {_percent(one.mean)} on average, the signal's way "
        f"{one.share:.0%} of {one.hits:,} times"
        for after, one in report.outlook().items()
        if one.share is not None
    ]
    lines += [
        f"{rule} waits for {', '.join(names)}: it cannot fire without"
        for rule, names in report.waiting.items()
    ]
    return lines


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.3%}"
