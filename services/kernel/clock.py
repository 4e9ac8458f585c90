"""Clocks of the local stores: the wall's, or a virtual one that only its owner moves."""

import time


class WallClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, instant: int) -> None:
        self.instant = instant

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return self.instant

    def advance_to(self, instant: int) -> None:
        """Move forward; never back."""
        self.instant = max(self.instant, instant)


Clock = WallClock | VirtualClock
