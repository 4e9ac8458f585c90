"""What lies outside of the processes: brokers with clocks of their own, and transactions that are under way.

True time is one number that only the simulation moves. Every clock (a process's, a topic partition's broker's) shows
true time plus an offset of its own, at least 0 and less than the space's skew; `wander` moves an offset, so that a
clock can go back while any two still differ by less than the skew.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple, Protocol

from schemas.envelope import Outgoing, Position, Record
from schemas.instants import DAY, parse_instant
from services.kernel.clock import VirtualClock
from services.kernel.memory_store import MemoryStore
from services.kernel.space import Space
from services.kernel.store import Claim, Committed, Outcome
from tests.simulation.faults import Faults
from tests.support.stores import incarnation

START = parse_instant("2026-03-01T00:00:00.000Z")
"""When a run begins; its topics were created the day before."""
Place = tuple[str, int]
"""A topic partition."""


class Committer(Protocol):
    """A process that commits, as far as a law wants to know what it knew."""

    def fetched_with(self, topic: str, offset: int) -> int:
        """Return how much had been appended when a record was fetched."""

    def looked_after(self, topic: str, offset: int) -> int | None:
        """Return how much had been appended when ends were first looked at after a record was fetched."""

    def looked_at(self, instant: int) -> bool:
        """Tell whether ends were looked at when its own clock showed an instant, or a later one."""


class Transaction(NamedTuple):
    """A commit; one whose sender got no answer may still happen until its log is claimed."""

    claim: Claim
    log: Sequence[Outgoing]
    sends: Sequence[Outgoing]
    offsets: Mapping[str, int]
    by: Committer


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
        self.appended = 0
        self.committer: Committer | None = None
        self.on_commit: Callable[[Sequence[Record]], None] | None = None
        self.on_append: Callable[[Sequence[Position]], None] | None = None
        self.time = VirtualClock(START - DAY)
        self._space = space
        self._faults = faults
        self._random = random
        self._skewed = skewed
        self._offsets: dict[str, int] = {}
        super().__init__(space.name, topics, space.partitions, self.time, incarnation)
        self.time.advance_to(START)

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
        self.appended += 1
        self.order[topic, partition].append(self.appended)
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
        await self.carry_out(transaction)

    async def carry_out(self, transaction: Transaction) -> Committed:
        """Commit in the name of a process."""
        self.committer = transaction.by
        return await self.commit(*transaction[:4])

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
