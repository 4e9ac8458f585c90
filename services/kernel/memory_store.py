"""The memory store: the whole contract of a store in plain lists, for tests, simulation and what-if.

Records become visible at once unless `hold` says otherwise, so that a test can have what Kafka has: a transaction
visible in one partition before another.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from schemas.envelope import Outgoing, Position, Record

from .clock import Clock
from .markers import incarnation_of, marker
from .partitioner import partition_of
from .store import Claim, Committed, Fetched, Outcome, StoreError

_CHUNK = 1_000


class MemoryStore:
    """A store in memory. `incarnation` names the life of each topic; `partitions` is the same for all topics."""

    def __init__(
        self, space: str, topics: Iterable[str], partitions: int, clock: Clock, incarnation: Callable[[str], str]
    ) -> None:
        self.space = space
        self.partitions = partitions
        self.clock = clock
        self.records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.visible: dict[tuple[str, int], int] = {}
        self.epochs: dict[tuple[str, int], int] = defaultdict(int)
        self.committed_offsets: dict[tuple[str, int, str], int] = {}
        self._incarnations: dict[str, str] = {}
        for topic in topics:
            self._incarnations[topic] = incarnation(topic)
            for partition in range(partitions):
                self._append(marker(space, topic, partition, self._incarnations[topic]))

    def now(self) -> int:
        """Return the clock."""
        return self.clock.now()

    def stamp(self, topic: str, partition: int) -> int:
        """Return the timestamp of a record appended now; a subclass may let brokers' clocks differ."""
        return self.clock.now()

    def hold(self, topic: str, partition: int) -> bool:
        """Tell whether what is appended now stays invisible until `release`; a subclass may say so."""
        return False

    def release(self) -> None:
        """Make everything visible."""
        self.visible.clear()

    def _end(self, place: tuple[str, int]) -> int:
        return len(self.records[place])

    def _visible_end(self, place: tuple[str, int]) -> int:
        return self.visible.get(place, self._end(place))

    def _check(self, records: Iterable[Outgoing]) -> None:
        """Refuse all of what is to be appended together when one of it has no place."""
        for record in records:
            if record.topic not in self._incarnations or not 0 <= record.partition < self.partitions:
                text = f"there is no topic partition {record.topic}/{record.partition}"
                raise StoreError(text)

    def _append(self, record: Outgoing) -> Position:
        place = (record.topic, record.partition)
        held = self.records[place]
        held.append(
            Record(
                record.topic,
                record.partition,
                len(held),
                self.stamp(record.topic, record.partition),
                record.key,
                record.value,
                record.headers,
            )
        )
        return Position(record.topic, self._incarnations[record.topic], record.partition, len(held) - 1)

    async def incarnations(self, topics: Sequence[str], partition: int) -> Mapping[str, str]:
        """Read each topic's marker."""
        found = {}
        for topic in topics:
            records = self.records.get((topic, partition))
            found[topic] = incarnation_of(records[0] if records else None, topic, partition)
        return found

    async def claim(self, log: str, partition: int) -> Claim:
        """Fence earlier owners; what they committed becomes visible."""
        place = (log, partition)
        self.epochs[place] += 1
        self.visible.pop(place, None)
        return Claim(log, partition, self.epochs[place])

    async def replay(self, log: str, partition: int, start: int) -> AsyncIterator[Sequence[Record]]:
        """Read a log partition in chunks."""
        while True:
            records = self.records[log, partition][start : start + _CHUNK]
            if not records:
                return
            yield records
            start = records[-1].offset + 1

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        """Read what is visible."""
        answer = {}
        for topic, start in positions.items():
            place = (topic, partition)
            stop = min(self._visible_end(place), start + records_max)
            records = self.records[place][start:stop] if stop > start else []
            answer[topic] = Fetched(records, start + len(records), self._end(place))
        return answer

    async def end_offsets(self, partition: int, topics: Sequence[str], *, committed: bool) -> Mapping[str, int]:
        """Return the visible or the real ends."""
        end = self._visible_end if committed else self._end
        return {topic: end((topic, partition)) for topic in topics}

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        """Append everything, unless somebody else owns the log by now."""
        place = (claim.log, claim.partition)
        if claim.epoch != self.epochs[place]:
            return Committed(Outcome.FENCED)
        self._check((*log, *sends))
        for record in (*log, *sends):
            target = (record.topic, record.partition)
            if target != place and target not in self.visible and self.hold(*target):
                self.visible[target] = self._end(target)
            self._append(record)
        for topic, offset in offsets.items():
            self.committed_offsets[claim.log, claim.partition, topic] = offset
        return Committed(Outcome.OK, self._end(place))

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append records of producers."""
        self._check(records)
        return [self._append(record) for record in records]

    async def read(self, topic: str, partition: int, start: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Read a topic partition as an outsider would."""
        async for records in self.replay(topic, partition, start):
            yield records

    def place_of(self, key: str) -> int:
        """Return the partition a standard producer would choose."""
        return partition_of(key, self.partitions)
