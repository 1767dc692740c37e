"""Waiting out a log that is away."""

from collections.abc import Sequence

import pytest

from shared.bus.log import Commit, Verdict
from shared.bus.patience import Away, commit_patiently, patiently


def commit(seq: int) -> Commit:
    """A commit that carries nothing but its number."""
    return Commit("candles", 0, token="1:x", seq=seq, txid=f"1:x/{seq}", checkpoint={})


async def test_only_the_unanswered_commits_are_sent_again_and_as_they_were() -> None:
    """Of three commits one gets no answer twice; it alone is sent again."""
    sent: list[list[Commit]] = []

    async def send(commits: Sequence[Commit]) -> list[Verdict | Away]:
        sent.append(list(commits))
        lost = len(sent) < 3
        return [Away("lost") if lost and one.seq == 1 else "OK" for one in commits]

    commits = [commit(0), commit(1), commit(2)]
    assert await commit_patiently(commits, send) == ["OK", "OK", "OK"]
    assert sent == [commits, [commits[1]], [commits[1]]]


async def test_a_log_may_be_away_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two thousand attempts the waits have not grown past their bound."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def ask() -> str:
        if len(waits) < 2_000:
            raise Away("gone")
        return "here"

    monkeypatch.setattr("shared.bus.patience.asyncio.sleep", sleep)
    assert await patiently(ask) == "here"
    assert waits[:3] == [0.005, 0.01, 0.02]
    assert max(waits) == 1.0


async def test_an_answer_that_refuses_is_not_waited_out() -> None:
    """What is no absence goes to the caller."""

    async def ask() -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        await patiently(ask)
