"""How much of what a stage takes lately goes to the dead letters, and when that is too much."""

from collections import deque
from collections.abc import Mapping

from shared.bus.log import BusError
from shared.bus.step import DEAD_SHARE
from shared.bus.topics import StageName

FIELD = "dead"
_LAST = 200
_AT_LEAST = 50


class TooManyDead(BusError):
    """A stage would step over most of what it reads: it stops instead, and nothing is lost."""


class DeadShare:
    """Counts one partition's last decisions, by commit: the fewest commits that hold 200 entries.

    It is part of the checkpoint while there is anything to tell, so that neither a restart nor
    another owner steps over fifty more before it stops too.
    """

    def __init__(
        self,
        stage: StageName,
        partition: int,
        checkpoint: Mapping[str, str],
        most: float = DEAD_SHARE,
    ) -> None:
        self._most = most
        self._where = f"stage {stage}, partition {partition}"
        taken, _, dead = checkpoint.get(FIELD, "0:0").partition(":")
        self._commits: deque[tuple[int, int]] = deque([(int(taken), int(dead))])
        self._taken = int(taken)
        self._dead = int(dead)

    def take(self, taken: int, dead: int, reason: str) -> dict[str, str]:
        """Count a commit about to be sent; the checkpoint's field where it has changed.

        Only a commit that adds to the dead letters can be one too many: a mended stage goes on.

        Raises:
            TooManyDead: of at least 50 entries more than the share ``most`` would be dead letters.
        """
        if not (dead or self._dead):
            self._commits.clear()
            self._commits.append((min(_LAST, self._taken + taken), 0))
            self._taken = self._commits[0][0]
            return {}
        self._commits.append((taken, dead))
        self._taken += taken
        self._dead += dead
        while self._taken - self._commits[0][0] >= _LAST:
            gone, gone_dead = self._commits.popleft()
            self._taken -= gone
            self._dead -= gone_dead
        surplus, (first, first_dead) = self._taken - _LAST, self._commits[0]
        if surplus > 0 and not first_dead:  # what went well can be forgotten entry by entry
            self._commits[0] = (first - surplus, 0)
            self._taken -= surplus
        if dead and self._taken >= _AT_LEAST and self._dead > self._most * self._taken:
            raise TooManyDead(
                f"{self._where} stops: {self._dead} of the last {self._taken} entries cannot be "
                f"decided ({reason}); mend the cause and start again, nothing was stepped over"
            )
        return {FIELD: f"{self._taken}:{self._dead}"}
