"""Who looks on: an outsider with a client's default settings, and a reader of what is committed."""

import asyncio
import contextlib
import hashlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from schemas.envelope import Message, Outgoing, Record, decode
from schemas.topics import INSTRUCTIONS, OUTCOMES
from services.kernel.decider import DecisionService
from services.kernel.fingerprint import fingerprint
from services.kernel.kafka import clients
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.partition import Partition
from services.kernel.space import Space
from services.kernel.store import StoreError
from services.kernel.verify import RELAYED, groups
from services.registry import decision_services
from services.relay.publish import PUBLISHES

Place = tuple[str, int]
Fresh = Callable[[], Awaitable[set[int]]]
"""Says in which partitions something is new."""
_TOGETHER = 1_000
_WAIT_MS = 200
_AGAIN_S = 0.2


def digest(record: Record | Outgoing) -> bytes:
    """Digest what a published record says: all but how far the relay had read."""
    headers = tuple(header for header in record.headers if header[0] != RELAYED)
    return hashlib.sha256(repr((record.key, record.value, headers)).encode()).digest()[:16]


class Witness:
    """Reads outsiders' topics as a client with default settings does, all the time, and notes every record.

    It is told of what is aborted as of anything else. `seen` has what stood at each offset.
    """

    def __init__(self, space: Space, settings: KafkaSettings, hear: Callable[[Message, float], None]) -> None:
        self.space = space
        self.settings = settings
        self.hear = hear
        self.places = [
            (topic, partition) for topic in (OUTCOMES, INSTRUCTIONS) for partition in range(space.partitions)
        ]
        self.seen: dict[Place, dict[int, tuple[bytes, int]]] = {place: {} for place in self.places}
        self.changed: list[str] = []

    async def run(self) -> None:
        """Read until cancelled, whatever happens to the cluster meanwhile."""
        while True:
            reader = clients.consumer(self.settings, committed=False)
            try:
                await reader.start()
                await self._read(reader)
            except (clients.kafka_errors.KafkaError, OSError):
                await asyncio.sleep(_AGAIN_S)
            finally:
                await clients.close(reader)

    async def _read(self, reader: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        places = {clients.TopicPartition(f"{self.space.name}.{topic}", n): (topic, n) for topic, n in self.places}
        reader.assign(list(places))
        for place, name in places.items():
            reader.seek(place, max(self.seen[name], default=-1) + 1)
        while True:
            found = await reader.getmany(timeout_ms=_WAIT_MS, max_records=_TOGETHER)
            now = time.monotonic()
            for place, records in found.items():
                name = places[place]
                for fetched in records:
                    self._note(name, clients.record_of(name[0], fetched), now)

    def _note(self, name: Place, record: Record, now: float) -> None:
        seen = (digest(record), record.timestamp)
        if self.seen[name].setdefault(record.offset, seen) != seen:
            self.changed.append(f"{name[0]}/{name[1]}/{record.offset}")
        wire = dict(record.headers)["ce_type"].decode()
        if record.offset:
            self.hear(decode(wire, record.value or b""), now)

    def told(self) -> dict[Place, set[bytes]]:
        """Return the digests of all that was seen, without markers."""
        return {place: {what for offset, (what, _) in held.items() if offset} for place, held in self.seen.items()}

    def fresh(self) -> Fresh:
        """Return what says in which partitions an outcome came since now."""
        places = [place for place in self.places if place[0] == OUTCOMES]
        counts = {place: len(self.seen[place]) for place in places}

        async def ask() -> set[int]:
            return {place[1] for place in places if len(self.seen[place]) > counts[place]}

        return ask


class Shadow:
    """One partition of one service as its committed log says: the fold of a new owner, without owning."""

    def __init__(self, store: KafkaStore, space: Space, service: DecisionService[Any], index: int) -> None:
        self.store = store
        self.space = space
        self.service = service
        self.index = index
        self.position = 0
        self.times: list[int] = []
        self.unpublished: list[Record] = []
        self._core: Partition | None = None

    async def core(self) -> Partition:
        """Return the fold so far."""
        if self._core is None:
            topics = (self.service.log, *self.service.topics)
            lives = await self.store.incarnations(topics, self.index)
            self._core = Partition(self.space, self.service, self.index, lives, fingerprint(self.service))
        return self._core

    async def catch_up(self) -> None:
        """Fold what was committed since; whatever does not fold is a failure."""
        core = await self.core()
        async for records in self.store.read(self.service.log, self.index, self.position):
            for record in records:
                core.apply(record)
                self.position = record.offset + 1
                self.times.append(record.timestamp)
            self.unpublished += records

    async def left(self, before: int) -> list[str]:
        """List what is left to do: undecided inputs, and deadlines before an instant."""
        await self.catch_up()
        return [*await self.undecided(), *await self.due(before)]

    async def undecided(self) -> list[str]:
        """Say which topics hold something undecided: by offsets, of what is visible as of what is not."""
        core, open_ = await self.core(), []
        stable = await self.store.end_offsets(self.index, self.service.topics, committed=True)
        ends = await self.store.end_offsets(self.index, self.service.topics, committed=False)
        for topic in self.service.topics:
            start = max(core.next_offsets[topic], 1)
            if stable[topic] < ends[topic]:
                open_.append(f"{topic}/{self.index}: open at {stable[topic]} of {ends[topic]}")
            elif start < ends[topic]:
                # The ends of transactions have offsets of their own.
                async for records in self.store.read(topic, self.index, start):
                    open_.append(f"{topic}/{self.index}/{records[0].offset}")
                    break
        return open_

    async def due(self, before: int) -> list[str]:
        """Say what falls due before an instant."""
        soonest = (await self.core()).soonest()
        return [f"{soonest[1]} {soonest[2]}"] if soonest is not None and soonest[0] < before else []


class Shadows:
    """All partitions of all services, and whether anything is left to do in them."""

    def __init__(self, space: Space, settings: KafkaSettings) -> None:
        self.space = space
        self.store = KafkaStore(space.name, space.partitions, settings)
        self.all = {
            service.name: [Shadow(self.store, space, service, index) for index in range(space.partitions)]
            for service in decision_services()
        }
        self._implied: dict[Place, set[bytes]] = defaultdict(set)

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    def fresh(self, service: str) -> Fresh:
        """Return what says in which partitions a service's log has grown by records since it was first asked."""
        log, starts, found = self.all[service][0].service.log, dict[int, int](), set[int]()

        async def ask() -> set[int]:
            with contextlib.suppress(StoreError, OSError):
                for partition in set(range(self.space.partitions)) - found:
                    if partition not in starts:
                        ends = await self.store.end_offsets(partition, [log], committed=False)
                        starts[partition] = ends[log]
                        continue
                    # Not by offsets alone: what was aborted has some, too.
                    async for _ in self.store.read(log, partition, starts[partition]):
                        found.add(partition)
                        break
            return found

        return ask

    async def left(self, horizon_ms: int) -> list[str]:
        """List what is left to do: undecided inputs, and deadlines up to a horizon."""
        for held in self.all.values():
            left = await asyncio.gather(*(shadow.left(self.store.now() + horizon_ms) for shadow in held))
            if any(left):
                return [what for found in left for what in found]
        return []

    async def published(self) -> dict[Place, set[bytes]]:
        """Return the digest of everything that the committed logs imply for outsiders."""
        last: list[Sequence[Record]] = []
        for shadow in (shadow for held in self.all.values() for shadow in held):
            await shadow.catch_up()
            # The last group may go on in what comes next.
            *whole, rest = groups(shadow.unpublished) or [[]]
            self._publish(self._implied, whole)
            shadow.unpublished = list(rest)
            last.append(rest)
        implied = defaultdict(set, {place: set(held) for place, held in self._implied.items()})
        self._publish(implied, last)
        return implied

    def _publish(self, implied: Mapping[Place, set[bytes]], told: Iterable[Sequence[Record]]) -> None:
        for group in told:
            if not group or group[0].offset == 0:
                continue
            for topic, publish in PUBLISHES.items():
                for record in publish(self.space, group):
                    implied[topic, record.partition].add(digest(record))
