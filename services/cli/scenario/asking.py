"""Asking the query API, in this process, as anybody would ask over HTTP."""

from typing import Any, NamedTuple

from services.cli.console import OperationRefusedError
from services.kernel.clock import VirtualClock
from services.kernel.space import Space
from services.kernel.store import Store


class Answered(NamedTuple):
    """An HTTP answer: its status, and the JSON of its body."""

    status: int
    content: Any


class Asker:
    """Asks one space's query API."""

    def __init__(self, space: Space, store: Store, clock: VirtualClock) -> None:
        self._space, self._store, self._clock = space, store, clock

    async def ask(self, path: str) -> Answered:
        """Ask for a path; raises OperationRefusedError where there is no API."""
        raise OperationRefusedError(
            f"GET {path}: this release answers no queries", "expect outcomes and events instead (docs/scenarios.md)"
        )
