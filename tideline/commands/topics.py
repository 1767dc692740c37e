"""``tideline topics``: is everything moving?"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer

from shared.bus.accounts import Account
from shared.clock import SystemClock
from tideline.access import access, opened
from tideline.interrupt import interruptible
from tideline.lag import StageState, TopicState, stage_states, topic_states
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json

_REPLIES = ("OK", "DUP", "FENCED", "CONFLICT")
_DONE = (*_REPLIES, "moves", "waits", "dead")

States = tuple[list[TopicState], list[StageState]]


def topics(
    seconds: Annotated[
        float, typer.Option(min=0.1, max=60, help="How long to measure the rates.")
    ] = 1.0,
    partitions: Annotated[
        bool, typer.Option("--partitions", help="Each stage's partitions, a line each.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a measurement.")] = False,
) -> None:
    """Show topics' rates and stages' lag.

    Dead letters are events that a stage stepped over: `tideline dlq list` says why.
    """
    shown = write if json else partial(_show, Terminal(), partitions=partitions)
    asyncio.run(interruptible(_topics(seconds, shown, watch=watch)))


async def _topics(seconds: float, shown: Callable[[States], None], *, watch: bool) -> None:
    async with opened(access(LauncherSettings.load())) as log:
        while True:
            states = await topic_states(log, SystemClock(), seconds), await stage_states(log)
            shown(states)
            if not watch:
                return


def write(states: States) -> None:
    """One JSON object a measurement."""
    write_json(as_json(states))


def as_json(states: States) -> dict[str, Any]:
    """Topics and stages by name."""
    found, stages = states
    return {
        "topics": {one.topic: _without(asdict(one), "topic") for one in found},
        "stages": {one.stage: _without(asdict(one), "stage") for one in stages},
        "dead_letters": next(one.length for one in found if one.topic == "dead_letter"),
    }


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def _show(terminal: Terminal, states: States, *, partitions: bool) -> None:
    found, stages = states
    rows = [
        (one.topic, f"{one.length:,}", f"{one.per_second:,.1f}/s", _age(one.idle_s))
        for one in found
    ]
    terminal.table(("topic", "entries", "rate", "newest"), rows)
    terminal.out("")
    stage_rows = [
        (
            one.stage,
            " ".join(one.inputs),
            f"{one.behind:,}",
            _age(one.watermark_age_s),
            f"{one.event_s:,.0f} s",
            f"{one.lost:,}",
            *_done(one.done),
        )
        for one in stages
    ]
    heads = ("stage", "reads", "behind", "watermark age", "event lag", "lost", *_DONE)
    terminal.table(heads, stage_rows)
    if partitions:
        terminal.out("")
        _show_partitions(terminal, stages)


def _show_partitions(terminal: Terminal, stages: Sequence[StageState]) -> None:
    rows = [
        (
            one.stage,
            str(row.partition),
            f"{row.behind:,}",
            f"{row.event_s:,.0f} s",
            f"{row.lost:,}",
            *_done(row.done),
        )
        for one in stages
        for row in one.partitions
    ]
    terminal.table(("stage", "partition", "behind", "event lag", "lost", *_DONE), rows)


def _done(account: Account) -> tuple[str, ...]:
    """What the workers at work have done, each since it was started."""
    replies = [f"{account.commits.get(reply, 0):,}" for reply in _REPLIES]
    moves = f"+{account.gained:,} -{account.lost:,}"
    return (*replies, moves, f"{account.waits:,}", f"{account.dead:,}")


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds:.1f} s ago" if seconds else "none"
