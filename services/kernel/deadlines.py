"""The deadlines of a partition: what the deciders list as open, soonest first."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from .decider import Deadline


class DeadlineQueue:
    """A heap of hints over the open deadlines of every aggregate; a hint that is open no more is dropped when met."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Deadline, ...]] = {}
        self._heap: list[tuple[int, str, str]] = []

    def __len__(self) -> int:
        """Count aggregates with open deadlines."""
        return len(self._open)

    def update(self, key: str, deadlines: Iterable[Deadline]) -> None:
        """Say what is open on an aggregate now."""
        listed = tuple(deadlines)
        before = self._open.get(key, ())
        if listed == before:
            return
        if listed:
            self._open[key] = listed
        else:
            self._open.pop(key, None)
        for deadline in listed:
            if deadline not in before:
                heappush(self._heap, (deadline.due, key, deadline.name))
        if len(self._heap) > 64 + 4 * len(self._open):
            self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(deadline.due, key, deadline.name) for key, listed in self._open.items() for deadline in listed]
        heapify(self._heap)

    def earliest(self) -> tuple[str, Deadline] | None:
        """Return the soonest open deadline and its aggregate; ties go by key, then name."""
        while self._heap:
            due, key, name = self._heap[0]
            deadline = Deadline(name, due)
            if deadline in self._open.get(key, ()):
                return key, deadline
            heappop(self._heap)
        return None
