"""A store between an engine and the real one that makes go wrong what goes wrong with brokers and disks."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto

from schemas.envelope import Outgoing, Position, Record
from services.kernel.store import Claim, Committed, Fetched, Outcome, Store


class Fault(Enum):
    """How a commit goes wrong."""

    UNKNOWN_AFTER = auto()
    """It happened, but nobody knows."""
    UNKNOWN_BEFORE = auto()
    """It did not happen, and nobody knows."""
    RAISES_AFTER = auto()
    """It happened, and the store raises."""
    RAISES_BEFORE = auto()
    """It did not happen, and the store raises."""
    TOO_LARGE = auto()


class BrokenStoreError(OSError):
    """What a store raises whose disk or network is gone."""


class FaultyStore:
    """Passes everything on, but for commits with a planned fault; `after_fetch` runs once after the next fetch."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.faults: deque[Fault | None] = deque()
        self.after_fetch: Callable[[], Awaitable[object]] | None = None
        self.before_end_offsets: Callable[[], None] | None = None

    def now(self) -> int:
        return self.inner.now()

    async def incarnations(self, topics: Sequence[str], partition: int) -> Mapping[str, str]:
        return await self.inner.incarnations(topics, partition)

    async def claim(self, log: str, partition: int) -> Claim:
        return await self.inner.claim(log, partition)

    def replay(self, log: str, partition: int, start: int) -> AsyncIterator[Sequence[Record]]:
        return self.inner.replay(log, partition, start)

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        answer = await self.inner.fetch(partition, positions, records_max)
        if self.after_fetch is not None:
            interlude, self.after_fetch = self.after_fetch, None
            await interlude()
        return answer

    async def end_offsets(self, partition: int, topics: Sequence[str], *, committed: bool) -> Mapping[str, int]:
        if self.before_end_offsets is not None:
            self.before_end_offsets()
        return await self.inner.end_offsets(partition, topics, committed=committed)

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.TOO_LARGE:
            return Committed(Outcome.TOO_LARGE)
        if fault is Fault.UNKNOWN_BEFORE:
            return Committed(Outcome.UNKNOWN)
        if fault is Fault.RAISES_BEFORE:
            raise BrokenStoreError
        committed = await self.inner.commit(claim, log, sends, offsets)
        if fault is Fault.UNKNOWN_AFTER:
            return Committed(Outcome.UNKNOWN)
        if fault is Fault.RAISES_AFTER:
            raise BrokenStoreError
        return committed

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        return await self.inner.append(records)
