"""``tideline topics``: is everything moving?"""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from shared.clock import SystemClock
from tideline.access import access, opened
from tideline.interrupt import interruptible
from tideline.lag import StageState, TopicState, stage_states, topic_states
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json

States = tuple[list[TopicState], list[StageState]]


def topics(
    seconds: Annotated[
        float, typer.Option(min=0.1, max=60, help="How long to measure the rates.")
    ] = 1.0,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a measurement.")] = False,
) -> None:
    """Show topics' rates and stages' lag.

    Dead letters are events that a stage stepped over: `tideline dlq list` says why.
    """
    asyncio.run(interruptible(_topics(seconds, watch=watch, json=json)))


async def _topics(seconds: float, *, watch: bool, json: bool) -> None:
    terminal = Terminal()
    async with opened(access(LauncherSettings.load())) as log:
        while True:
            states = await topic_states(log, SystemClock(), seconds), await stage_states(log)
            if json:
                write_json(as_json(states))
            else:
                _show(terminal, states)
            if not watch:
                return


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


def _show(terminal: Terminal, states: States) -> None:
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
            f"{one.lost:,}",
        )
        for one in stages
    ]
    terminal.table(("stage", "reads", "behind", "watermark age", "lost"), stage_rows)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds:.1f} s ago" if seconds else "none"
