"""What lies outside of the processes: brokers with clocks of their own, and transactions that are under way.

True time is one number that only the simulation moves. Every clock (a process's, a topic partition's broker's) shows
true time plus an offset of its own, at least 0 and less than the space's skew; `wander` moves an offset, so that a
clock can go back while any two still differ by less than the skew.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from schemas.envelope import Outgoing, Position, Record
from services.kernel.clock import VirtualClock
from services.kernel.memory_store import MemoryStore
from services.kernel.space import Space
from services.kernel.store import Claim, Committed, Outcome
from tests.simulation.faults import Faults
from tests.support.stores import incarnation

Place = tuple[str, int]
"""A topic partition."""


class Transaction(NamedTuple):
    """A commit whose sender got no answer, and which may still happen until its log is claimed."""

    claim: Claim
    log: Sequence[Outgoing]
    sends: Sequence[Outgoing]
    offsets: Mapping[str, int]


class World(MemoryStore):
    """A memory store whose clocks differ, whose transactions become visible when they like, and which is watched.

    `on_commit` is told the records that a commit put into a log, `on_append` those that a process or an outsider
    appended; `touched` names the topic partitions in which something appeared since it was last cleared; `order` has
    the place of every record among all that were ever appended.
    """

    def __init__(self, space: Space, topics: Sequence[str], faults: Faults, random: Random, *, skewed: bool) -> None:
        self.order: dict[Place, list[int]] = defaultdict(list)
        self.touched: dict[Place, None] = {}
        self.in_flight: list[Transaction] = []
        self.on_commit: Callable[[Sequence[Record]], None] | None = None
        self.on_append: Callable[[Sequence[Position]], None] | None = None
        self.time = VirtualClock(1_772_000_000_000)
        self._space = space
        self._faults = faults
        self._random = random
        self._skewed = skewed
        self._offsets: dict[str, int] = {}
        self._appended = 0
        super().__init__(space.name, topics, space.partitions, self.time, incarnation)

    # --- clocks

    def clock_offset(self, clock: str) -> int:
        """Return how far a clock is ahead of true time now."""
        if not self._skewed:
            return 0
        if clock not in self._offsets:
            self._offsets[clock] = self._random.randrange(self._space.skew)
        return self._offsets[clock]

    def wander(self) -> None:
        """Move one clock, forward or back."""
        if self._offsets:
            clock = self._random.choice(list(self._offsets))
            self._offsets[clock] = self._random.randrange(self._space.skew)

    def stamp(self, topic: str, partition: int) -> int:
        self._appended += 1
        self.order[topic, partition].append(self._appended)
        return self.time.now() + self.clock_offset(f"{topic}/{partition}")

    # --- visibility

    def hold(self, topic: str, partition: int) -> bool:
        return self._faults.strikes("hold", topic.rpartition(".")[2])

    def release_one(self) -> bool:
        """Make one topic partition wholly visible; tell whether there was one."""
        if not self.visible:
            return False
        place = self._random.choice(list(self.visible))
        del self.visible[place]
        self.touched[place] = None
        return True

    def seen(self, topic: str, partition: int, start: int) -> list[Record]:
        """Return what an outsider can read of a topic partition."""
        place = (topic, partition)
        return self.records[place][start : self._visible_end(place)]

    # --- appending

    async def claim(self, log: str, partition: int) -> Claim:
        for transaction in [held for held in self.in_flight if held.claim[:2] == (log, partition)]:
            if self._random.random() < 0.5:
                await self.land(transaction)
            else:
                self.in_flight.remove(transaction)
        claim = await super().claim(log, partition)
        self.touched[log, partition] = None
        return claim

    async def land(self, transaction: Transaction) -> None:
        """Let a commit happen whose sender waits no more."""
        self.in_flight.remove(transaction)
        await self.commit(*transaction)

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        place = (claim.log, claim.partition)
        before = len(self.records[place])
        committed = await super().commit(claim, log, sends, offsets)
        if committed.outcome is Outcome.OK:
            if log and place not in self.visible and self.hold(*place):
                self.visible[place] = before
            self.touched.update(dict.fromkeys((record.topic, record.partition) for record in (*log, *sends)))
            if self.on_commit is not None:
                self.on_commit(self.records[place][before:])
        return committed

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        positions = await super().append(records)
        self.touched.update(dict.fromkeys((record.topic, record.partition) for record in records))
        if self.on_append is not None:
            self.on_append(positions)
        return positions
