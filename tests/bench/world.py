"""A space to measure in: the embedded engines over a memory or a SQLite store, with a confirmed incident."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from schemas.envelope import Outgoing
from schemas.instants import SECOND
from services.embedded import Embedded
from services.kernel.clock import VirtualClock
from services.kernel.engine import Engine, Limits
from services.kernel.memory_store import MemoryStore
from services.kernel.sqlite_store import SqliteStore
from services.registry import TOPIC_NAMES, new_space
from tests.bench.workload import BOTS, OCCURRED_AT, START, batches, given, records, report
from tests.support.stores import incarnation

SPACE = new_space("bench", 1)
"""One partition: a partition is the unit that throughput grows by."""


class World:
    """One space, whose clock moves a millisecond with each input."""

    def __init__(self, store: Any, clock: VirtualClock) -> None:  # noqa: ANN401 - either local store
        self.store = store
        self.clock = clock
        self.embedded = Embedded(SPACE, store)

    @classmethod
    def in_memory(cls) -> Self:
        """Create a space in memory."""
        clock = VirtualClock(START)
        return cls(MemoryStore(SPACE.name, TOPIC_NAMES, SPACE.partitions, clock, incarnation), clock)

    @classmethod
    def on_disk(cls, path: Path) -> Self:
        """Create a space in an SQLite file, or open the one there is."""
        clock = VirtualClock(START + SECOND)
        if path.exists():
            return cls(SqliteStore.open(path, clock), clock)
        store = SqliteStore.create(path, SPACE.name, TOPIC_NAMES, SPACE.partitions, clock, incarnation, {})
        return cls(store, clock)

    def engine(self, service: str) -> Engine:
        """Return a service's engine."""
        return self.embedded.engines[service, 0]

    def limit(self, service: str, inputs_max: int) -> None:
        """Let a service decide at most so many inputs in one transaction."""
        self.engine(service).limits = Limits(inputs_max=inputs_max)

    async def prepare(self) -> None:
        """Let governance decide what is given, and three bots confirm an incident."""
        await self.feed(records(SPACE, given(), "given"))
        await self.embedded.settle()
        for bot in BOTS:
            await self.feed(records(SPACE, [report("seen", OCCURRED_AT)], bot, bot))
        await self.embedded.settle()

    async def feed(self, inputs: Sequence[Outgoing], together: int = 1) -> None:
        """Append inputs as producers do, so many at a time."""
        for batch in batches(inputs, together):
            self.clock.advance_to(self.clock.now() + len(batch))
            await self.store.append(batch)

    async def drain(self, *services: str) -> int:
        """Let services decide until nothing is left for them; return how many inputs that were."""
        decided, more = 0, True
        while more:
            progress = [await self.engine(service).step() for service in services]
            decided += sum(step.decided for step in progress)
            more = any(step.more for step in progress)
        return decided
