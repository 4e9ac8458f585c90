"""The deadlines of a partition: what the deciders list as open, in the order of the instants at which they count."""

from collections.abc import Iterable
from heapq import heappop, heappush, heapreplace

from .decider import Deadline


class DeadlineQueue:
    """A heap of hints over the open deadlines of every aggregate; a hint that is open no more is dropped when met."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Deadline, ...]] = {}
        self._heap: list[tuple[int, int, str, str]] = []

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
                heappush(self._heap, (deadline.due, deadline.due, key, deadline.name))
        if len(self._heap) > 64 + 4 * len(self._open):
            self._rebuild()

    def _rebuild(self) -> None:
        self._heap = sorted({hint for hint in self._heap if self.is_open(hint[2], Deadline(hint[3], hint[1]))})

    def is_open(self, key: str, deadline: Deadline) -> bool:
        """Tell whether a deadline is open."""
        return deadline in self._open.get(key, ())

    def soonest(self) -> tuple[int, str, Deadline] | None:
        """Return the deadline that counts first, at which instant, and its aggregate; ties go by due, key, name."""
        while self._heap:
            instant, due, key, name = self._heap[0]
            deadline = Deadline(name, due)
            if self.is_open(key, deadline):
                return instant, key, deadline
            heappop(self._heap)
        return None

    def postpone(self, before: int, instant: int) -> None:
        """Let what was due before `before` count at a later instant: it is late, and what is on time comes first."""
        while (first := self.soonest()) is not None and first[0] == first[2].due < before:
            _, key, deadline = first
            heapreplace(self._heap, (instant, deadline.due, key, deadline.name))
