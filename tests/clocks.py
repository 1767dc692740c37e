"""Time in a test's hand."""


class Hand:
    """A clock that stands until the test moves it, for a worker and for a server."""

    def __init__(self) -> None:
        self.seconds = 1.0

    def now(self) -> int:
        return round(self.seconds * 1_000_000)

    def elapsed(self) -> float:
        return self.seconds

    def ms(self) -> int:
        return round(self.seconds * 1_000)
