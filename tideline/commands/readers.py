"""``tideline readers``: who reads the log from outside, and is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer

from shared.bus.log import START
from shared.bus.readers import FROM_NOW_ON, Readers
from shared.bus.topics import TOPICS, Topic
from tideline.access import access, opened
from tideline.interrupt import interruptible
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import FAILED, MISUSED, Trouble, listed

Name = Annotated[str, typer.Argument(help="The reader: the name of its consumer group.")]
Of = Annotated[str, typer.Argument(metavar="TOPIC", help="One of " + ", ".join(TOPICS) + ".")]


def group() -> typer.Typer:
    """All three commands."""
    app = typer.Typer(no_args_is_help=True, help="Register readers that are no stage.")
    app.command("list")(listing)
    app.command()(add)
    app.command()(remove)
    return app


def listing(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a reader.")] = False,
) -> None:
    """List readers: how far behind they are, what they lost, and where they are not waited for."""

    async def act(readers: Readers) -> None:
        states = await readers.states()
        if json:
            for state in states:
                write_json(asdict(state))
            return
        rows = [
            (
                one.reader,
                one.topic,
                f"{one.behind:,}",
                f"{one.pending:,}",
                f"{one.lost:,}",
                " ".join(map(str, one.expelled)) or "none",
            )
            for one in states
        ]
        heads = ("reader", "topic", "behind", "pending", "lost", "expelled in")
        Terminal().table(heads, rows)

    _run(act)


def add(
    name: Name,
    topic: Of,
    new: Annotated[bool, typer.Option("--new", help="Begin with what comes from now on.")] = False,
) -> None:
    """Register a reader of a topic, so that what it has not read is kept for it, up to a limit."""
    wanted = _topic(topic)

    async def act(readers: Readers) -> None:
        await readers.add(name, wanted, FROM_NOW_ON if new else START)
        Terminal().out(f"{name} is registered as a reader of {topic}")

    _run(act)


def remove(name: Name, topic: Of) -> None:
    """Forget a reader of a topic; nothing is kept for it any more."""
    wanted = _topic(topic)

    async def act(readers: Readers) -> None:
        if not await readers.remove(name, wanted):
            raise Trouble(f"{name} is no reader of {topic}; see `tideline readers list`", FAILED)
        Terminal().out(f"{name} is no reader of {topic} any more")

    _run(act)


def _topic(name: str) -> Topic:
    found = next((topic for topic in TOPICS if topic == name), None)
    if found is None:
        raise Trouble(f"there is no topic {name!r}; choose {listed(TOPICS)}", MISUSED)
    return found


def _run(act: Callable[[Readers], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened(access(LauncherSettings.load())) as log:
            await act(Readers(log.redis, log.keys))

    asyncio.run(interruptible(run()))
