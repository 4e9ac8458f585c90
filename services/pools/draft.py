"""What a decision makes, event by event: each is decided on the state that those before it led to."""

from collections.abc import Sequence

from schemas.envelope import Event
from services.pools.fold import evolve
from services.pools.pool import Pool


class Draft:
    """The events of one decision, and the pool as they leave it; `name` is the pool's."""

    def __init__(self, name: str, pool: Pool) -> None:
        self.name = name
        self.pool = pool
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        """Add an event and fold it."""
        self._events.append(event)
        self.pool = evolve(self.pool, event)

    @property
    def events(self) -> Sequence[Event]:
        """The events in their order."""
        return tuple(self._events)
