"""``tideline dlq``: what stages stepped over, and what becomes of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from shared.bus.dead_letters import DeadLetters, Kept
from shared.events.base import stamp
from tideline.access import access, opened
from tideline.interrupt import interruptible
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json

References = Annotated[
    list[str], typer.Argument(help="PARTITION/ENTRY, as `tideline dlq list` shows it.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a letter.")]


def group() -> typer.Typer:
    """All four commands."""
    app = typer.Typer(no_args_is_help=True, help="Look at dead letters, put them back, drop them.")
    app.command("list")(listing)
    for command in (show, requeue, drop):
        app.command()(command)
    return app


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are wanted; None is any."""

    stage: str | None
    topic: str | None
    symbol: str | None
    reason: str | None

    def wants(self, kept: Kept) -> bool:
        """Whether a letter is one of them."""
        letter = kept.letter
        return (
            self.stage in (None, letter.stage)
            and self.topic in (None, letter.topic)
            and self.symbol in (None, letter.symbol)
            and (self.reason is None or self.reason in letter.reason)
        )


def listing(
    stage: Annotated[str | None, typer.Option(help="Only what this stage stepped over.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only entries of this topic.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only where the reason has this text.")] = None,
    json: Json = False,
) -> None:
    """List dead letters, oldest first within a partition."""
    _run(lambda letters: _list(letters, Filter(stage, topic, symbol, reason), json=json))


def show(references: References, json: Json = False) -> None:
    """Show all that was kept of dead letters."""
    _run(lambda letters: _show(letters, references, json=json))


def requeue(references: References) -> None:
    """Put entries back at the end of their topic: inbox, signal_generated or alert_intent."""

    async def act(letters: DeadLetters) -> None:
        for reference in references:
            kept = await letters.get(reference)
            entry = await letters.requeue(kept)
            Terminal().out(f"{reference} is back in {kept.letter.topic} as {entry}")

    _run(act)


def drop(references: References) -> None:
    """Forget dead letters for good."""

    async def act(letters: DeadLetters) -> None:
        for reference in references:
            await letters.drop(await letters.get(reference))
            Terminal().out(f"{reference} is dropped")

    _run(act)


def as_json(kept: Kept) -> dict[str, Any]:
    """A letter as one object."""
    fields = kept.letter.model_dump(mode="json")
    return {"reference": kept.reference, "id": kept.letter.id, **fields}


def _run(act: Callable[[DeadLetters], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened(access(LauncherSettings.load())) as log:
            await act(DeadLetters(log.redis, log.keys))

    asyncio.run(interruptible(run()))


async def _list(letters: DeadLetters, wanted: Filter, *, json: bool) -> None:
    terminal = Terminal()
    async for kept in letters.all():
        if not wanted.wants(kept):
            continue
        if json:
            write_json(as_json(kept))
            continue
        letter = kept.letter
        terminal.out(
            f"{kept.reference}  {letter.stage}  {letter.topic} {letter.entry}  "
            f"{letter.symbol}  {letter.reason}"
        )


async def _show(letters: DeadLetters, references: Sequence[str], *, json: bool) -> None:
    terminal = Terminal()
    for reference in references:
        kept = await letters.get(reference)
        if json:
            write_json(as_json(kept))
            continue
        letter = kept.letter
        lines = {
            "stage": letter.stage,
            "topic": letter.topic,
            "entry": letter.entry,
            "symbol": letter.symbol,
            "at": stamp(letter.at),
            "reason": letter.reason,
            "digest": letter.digest,
        }
        terminal.out(kept.reference)
        for name, value in lines.items():
            terminal.out(f"  {name}: {value}")
        pairs = zip(letter.body[::2], letter.body[1::2], strict=False)
        for name, value in pairs:
            terminal.out(f"    {name}={value}")
