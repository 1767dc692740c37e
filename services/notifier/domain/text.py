"""The sentence that tells a person of a signal, the same on every channel."""

from shared.events.base import moment
from shared.events.signal import SignalGenerated

TEXT_LENGTH_MAX = 400


def sentence(signal: SignalGenerated) -> str:
    """One line: what happened, which way it points, by which rule, when.

    ``EURUSD touched yesterday's high 1.08512 · short · liquidity.previous-day-touch ·
    2026-11-20 09:15:03Z``. The first part is the signal's own reason, shortened where the whole
    would be longer than 400 characters.
    """
    when = moment(signal.at).strftime("%Y-%m-%d %H:%M:%SZ")
    rest = f" · {signal.direction} · {signal.config}.{signal.rule} · {when}"
    reason = " ".join(signal.reason.split())
    room = max(0, TEXT_LENGTH_MAX - len(rest))
    if len(reason) > room:
        reason = reason[: room - 1] + "…" if room else ""
    return (reason + rest)[:TEXT_LENGTH_MAX]
