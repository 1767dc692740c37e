"""Liveness and readiness: what the loops themselves have done, not whether a server answers."""

from collections.abc import Iterable

from shared.bus.progress import Progress

# A loop comes round at least every 100 ms; five seconds without one is a hung loop or server.
STALE_AFTER_S = 5.0
# Two hops take milliseconds; two seconds mean that a stage is down.
WAIT_ALARM_S = 2.0
# A failover or a script that holds the server takes as long; beyond it people should know.
AWAY_ALARM_S = 1.0


def complaints(stages: Iterable[Progress], now: float) -> list[str]:
    """Why a service is not ready, one sentence each; empty if it is."""
    found = []
    for stage in stages:
        if stage.stopped is not None:
            found.append(stage.stopped)
        elif stage.turned_at is None:
            found.append(f"stage {stage.stage} has not started yet")
        elif now - stage.turned_at > STALE_AFTER_S:
            found.append(
                f"stage {stage.stage} last came round {now - stage.turned_at:.0f} s ago; "
                "is the log's server there?"
            )
        elif stage.longest_wait(now) > WAIT_ALARM_S:
            partitions = ", ".join(str(partition) for partition in sorted(stage.waiting))
            found.append(f"stage {stage.stage} waits for the stage before it ({partitions})")
    return found
