"""The Kafka store: logs, inboxes and inputs as topics, one transactional producer for each owned log partition.

- *Fence, then read*: a claim starts the partition's producer, which ends whatever an owner before it had open; only
  then is the log read, and it must end where the broker says it does.
- *Any doubt about a commit drops its producer*: the next claim settles what it left, and the log says what happened.
- *Offsets are asked for, never remembered*: `fetch` reads from where it is told, so that what was fetched and dropped
  is fetched again. How far a partition has decided stands in its log; the group's offsets are for operators' tools.

An instance belongs to one event loop; make one for each engine and relay, so that none waits for what another has
fetched and not taken.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from schemas.envelope import Outgoing, Position, Record
from services.kernel.clock import Clock, WallClock
from services.kernel.markers import incarnation_of
from services.kernel.store import Claim, Committed, Fetched, Outcome, StoreError

from . import clients
from .clients import LostRecordsError, TopicPartition, kafka_errors
from .settings import KafkaSettings

_log = structlog.get_logger(__name__)

_CLAIM_S = 20.0
_CLOSING_S = 3.0
_WHOLE_LOG_S = 10.0
_ANSWER_S = 15.0
_REPLAY_MAX = 5_000
# Of what ends with the end of a transaction nothing is handed out, so it is looked again soon whether all is read.
_REPLAY_WAIT_MS = 5
_REPLAY_FETCH_MS = 5
_MARKER_BYTES = 4_000
_STALLED_S = 30.0
_BEHIND_WAIT_S = 0.05
_GROUP_OFFSETS_S = 5.0
_Answer = TypeVar("_Answer")


class KafkaStore:
    """A store on a cluster. `prefix` stands before every topic, group and transactional id of the space.

    `observe` is told how many seconds each transaction took. Whoever `waits` for `arrival` between two fetches spares
    each fetch that brings nothing a look at where the topics end.
    """

    def __init__(
        self,
        prefix: str,
        partitions: int,
        settings: KafkaSettings,
        clock: Clock | None = None,
        *,
        observe: Callable[[float], None] = lambda _: None,
        waits: bool = False,
    ) -> None:
        self.prefix = prefix
        self.partitions = partitions
        self.settings = settings
        self.clock = clock or WallClock()
        self._observe = observe
        self._waits = waits
        self._readers: dict[Any, Any] = {}
        self._last_read: tuple[Any, ...] = ()
        self._idle: dict[tuple[int, bool], list[Any]] = defaultdict(list)
        self._producers: dict[Claim, Any] = {}
        self._appender: Any = None
        self._places: set[tuple[str, int]] = set()
        self._lives: dict[tuple[str, int], str] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._offsets_sent: dict[Claim, float] = {}

    def now(self) -> int:
        """Return this process's clock."""
        return self.clock.now()

    def full(self, topic: str) -> str:
        """Return a topic's name on the cluster."""
        return f"{self.prefix}.{topic}"

    def transactional_id(self, log: str, partition: int) -> str:
        """Return the id by which owners of a log partition fence each other."""
        return f"{self.full(log)}-{partition}"

    async def close(self) -> None:
        """Close every connection; an open transaction is left to its next owner, or to its time limit."""
        idle = [reader for readers in self._idle.values() for reader in readers]
        held = [*self._producers.values(), *idle, *self._readers.values(), self._appender]
        self._producers.clear()
        self._idle.clear()
        self._readers.clear()
        self._last_read = ()
        self._appender = None
        await asyncio.gather(*(clients.close(client) for client in held if client is not None))
        if self._background:  # most of it closes clients, too
            await asyncio.wait(tuple(self._background), timeout=_CLOSING_S)
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    # --- reading

    async def incarnations(self, topics: Sequence[str], partition: int) -> Mapping[str, str]:
        """Read each topic's marker; raises StoreError where there is none, LostRecordsError where it is gone."""
        # Of each topic one record is wanted, and behind it may be megabytes.
        async with self._borrowed(_MARKER_BYTES) as reader:
            await self._check_topics(reader, topics, partition)
            places = {TopicPartition(self.full(topic), partition): topic for topic in topics}
            first = await self._answer(reader.beginning_offsets(list(places)), "reading where topics begin")
            ends = await self._answer(reader.end_offsets(list(places)), "reading where topics end")
            for place, topic in places.items():
                if first[place] > 0:
                    text = f"{self.full(topic)}/{partition} begins at {first[place]}: records were deleted (retention?)"
                    raise LostRecordsError(text)
            found = {topic: None for place, topic in places.items() if ends[place] == 0}
            wanted = {place: topic for place, topic in places.items() if topic not in found}
            lives = {topic: incarnation_of(record, topic, partition) for topic, record in found.items()}
            async for topic, record in self._firsts(reader, wanted):
                lives[topic] = incarnation_of(record, topic, partition)
        self._lives.update({(topic, partition): life for topic, life in lives.items()})
        return {topic: lives[topic] for topic in topics}

    async def _firsts(self, reader: Any, wanted: Mapping[Any, str]) -> AsyncIterator[tuple[str, Record]]:  # noqa: ANN401
        left = dict(wanted)
        reader.assign(list(left))
        for place in left:
            reader.seek(place, 0)
        until = time.monotonic() + _STALLED_S
        while left:
            if time.monotonic() > until:
                text = f"no answer from the cluster for {', '.join(place.topic for place in left)}"
                raise StoreError(text)
            fetched = await self._got(reader.getmany(*left, timeout_ms=_REPLAY_WAIT_MS), left)
            for place, records in fetched.items():
                if records:
                    topic = left.pop(place)
                    reader.pause(place)
                    yield topic, clients.record_of(topic, records[0])

    async def _check_topics(self, reader: Any, topics: Iterable[str], partition: int) -> None:  # noqa: ANN401
        await self._answer(clients.learn(reader, map(self.full, topics)), "asking for topics")
        for topic in topics:
            held = await self._answer(clients.partitions_of(reader, self.full(topic)), f"looking for {topic}")
            if partition not in held:
                text = f"{self.full(topic)} has {len(held)} partitions; this space has {self.partitions}"
                raise StoreError(text)

    async def _check_places(self, sender: Any, records: Iterable[Outgoing]) -> None:  # noqa: ANN401
        """Refuse all of what is to be appended together when one of it has no place; raises StoreError."""
        places = {(record.topic, record.partition) for record in records} - self._places
        if places:
            await self._answer(clients.learn(sender, (self.full(topic) for topic, _ in places)), "asking for topics")
        for topic, partition in places:
            doing = f"looking for {self.full(topic)}"
            if partition not in await self._answer(sender.partitions_for(self.full(topic)), doing):
                text = f"there is no topic partition {self.full(topic)}/{partition}"
                raise StoreError(text)
            self._places.add((topic, partition))

    def replay(self, log: str, partition: int, start: int) -> AsyncIterator[Sequence[Record]]:
        """Read a log partition from an offset to where it ends now."""
        return self.read(log, partition, start)

    async def read(self, topic: str, partition: int, start: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Read what is committed of a topic partition, from an offset to where it ends now."""
        place = TopicPartition(self.full(topic), partition)
        async with self._borrowed() as reader:
            end = (await self._answer(reader.end_offsets([place]), f"reading {topic}"))[place]
            if start >= end:
                return
            reader.assign([place])
            reader.seek(place, start)
            until = time.monotonic() + _STALLED_S
            while (position := await reader.position(place)) < end:
                fetched = await self._got(
                    reader.getmany(place, timeout_ms=_REPLAY_WAIT_MS, max_records=_REPLAY_MAX), [place]
                )
                records = [record for record in fetched.get(place, ()) if record.offset < end]
                if records:
                    yield clients.records_of(topic, records)
                elif time.monotonic() > until:
                    text = f"{topic}/{partition} stalls at {position} of {end}: does the cluster answer?"
                    raise StoreError(text)
                if records or await reader.position(place) > position:
                    until = time.monotonic() + _STALLED_S

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        """Read visible records; waits a moment when there are some that are not here yet."""
        places = {topic: TopicPartition(self.full(topic), partition) for topic in positions}
        readers = await self._reading(partition, positions)
        self._last_read = tuple(readers.values())
        found = await self._taken(readers, places, records_max)
        ends: Mapping[str, int] = {}
        unknown = any(readers[topic].highwater(place) is None for topic, place in places.items())
        if unknown or not (found or self._waits):
            ends = await self.end_offsets(partition, tuple(positions), committed=False)
        marks = {
            topic: max(readers[topic].highwater(place) or 0, ends.get(topic, 0)) for topic, place in places.items()
        }
        if not found and any(marks[topic] > start for topic, start in positions.items()):
            await clients.arrival(readers.values(), _BEHIND_WAIT_S)
            found = await self._taken(readers, places, records_max)
        answer = {}
        for topic, place in places.items():
            following = await readers[topic].position(place)
            end = max(readers[topic].highwater(place) or 0, marks[topic], following)
            answer[topic] = Fetched(clients.records_of(topic, found.get(topic, ())), following, end)
        return answer

    async def _taken(
        self, readers: Mapping[str, Any], places: Mapping[str, Any], records_max: int
    ) -> dict[str, Sequence[Any]]:
        """Take what is here of each topic; topics of which nothing is here are left out."""
        found = {}
        for topic, reader in readers.items():
            taken = await self._got(reader.getmany(places[topic], max_records=records_max), [places[topic]])
            if taken:
                found[topic] = taken[places[topic]]
        return found

    async def arrival(self, timeout_s: float) -> None:
        """Wait until a `fetch` of what the last one read may bring more than it did, or time is up."""
        if self._last_read:
            await clients.arrival(self._last_read, timeout_s)
        else:
            await asyncio.sleep(timeout_s)

    async def _reading(self, partition: int, positions: Mapping[str, int]) -> dict[str, Any]:
        """Return the readers of topics, standing where they are asked to read: other ones where they do not.

        Each topic has one of its own: what nobody has taken yet of one would keep the others from being fetched. Where
        it stands is asked of it: a fetch that was cancelled half-way has moved it (kafka.md, rule 2). One that is to
        move is kept waiting at the broker by what it asked for last, so another one takes its place.
        """
        missing = []
        for topic, start in positions.items():
            place = TopicPartition(self.full(topic), partition)
            reader = self._readers.get(place)
            if reader is None or await reader.position(place) != start:
                missing.append(self._begin(topic, place, start))
        for failure in await asyncio.gather(*missing, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure
        return {topic: self._readers[TopicPartition(self.full(topic), partition)] for topic in positions}

    async def _begin(self, topic: str, place: Any, start: int) -> None:  # noqa: ANN401
        """Have a topic partition read from an offset on."""
        before = self._readers.pop(place, None)
        if before is not None:
            self._later(clients.close(before))
        reader = await self._started(clients.consumer(self.settings))
        try:
            await self._check_topics(reader, [topic], place.partition)
        except BaseException:
            self._later(clients.close(reader))
            raise
        reader.assign([place])
        reader.seek(place, start)
        self._readers[place] = reader

    async def end_offsets(self, partition: int, topics: Sequence[str], *, committed: bool) -> Mapping[str, int]:
        """Return last stable offsets (`committed`) or high watermarks."""
        places = {TopicPartition(self.full(topic), partition): topic for topic in topics}
        async with self._borrowed(committed=committed) as reader:
            ends = await self._answer(reader.end_offsets(list(places)), "reading where topics end")
        return {topic: ends[place] for place, topic in places.items()}

    @contextlib.asynccontextmanager
    async def _borrowed(
        self, bytes_max: int = clients.PARTITION_FETCH_BYTES, *, committed: bool = True
    ) -> AsyncIterator[Any]:
        """Lend a consumer that is assigned to nothing, and fetches so much of a partition at once."""
        idle = self._idle[bytes_max, committed]
        if idle:
            reader = idle.pop()
        else:
            made = clients.consumer(
                self.settings, committed=committed, wait_ms=_REPLAY_FETCH_MS, partition_bytes=bytes_max
            )
            reader = await self._started(made)
        try:
            yield reader
        except BaseException:
            self._later(clients.close(reader))
            raise
        # Paused, not unsubscribed: whoever wants no topic is told about all that the cluster has.
        reader.pause(*reader.assignment())
        idle.append(reader)

    async def _started(self, client: Any) -> Any:  # noqa: ANN401
        try:
            await asyncio.wait_for(client.start(), _CLAIM_S)
        except BaseException as error:
            self._later(clients.close(client))
            meaning = self._meaning(error, f"connecting to {self.settings.bootstrap}")
            if meaning is error:
                raise
            raise meaning from error
        return client

    async def _answer(self, asked: Awaitable[_Answer], doing: str) -> _Answer:
        """Wait for an answer of the cluster, and say what its errors mean."""
        try:
            return await asyncio.wait_for(asked, _ANSWER_S)
        except (TimeoutError, kafka_errors.KafkaError) as error:
            raise self._meaning(error, doing) from error

    async def _got(self, asked: Awaitable[_Answer], places: Iterable[Any]) -> _Answer:
        try:
            return await asked
        except kafka_errors.OffsetOutOfRangeError as error:
            text = f"an offset is out of range ({error}): records were deleted, or the topic is another one"
            raise LostRecordsError(text) from error
        except kafka_errors.KafkaError as error:
            names = ", ".join(sorted({place.topic for place in places}))
            raise self._meaning(error, f"reading {names}") from error

    def _meaning(self, error: BaseException, doing: str) -> BaseException:
        refusal = clients.refusal_of(error, doing)
        if refusal is not None:
            return refusal
        if isinstance(error, TimeoutError):
            return StoreError(f"{doing}: no answer from {self.settings.bootstrap}")
        if isinstance(error, kafka_errors.KafkaError):
            return StoreError(f"{doing}: {error}")
        return error

    def _later(self, work: Awaitable[Any]) -> None:
        """Have something done in the background that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._background.add(task)

        def done(ended: asyncio.Task[Any]) -> None:
            self._background.discard(ended)
            if not ended.cancelled():
                ended.exception()

        task.add_done_callback(done)

    # --- owning

    async def claim(self, log: str, partition: int) -> Claim:
        """Fence earlier owners; raises StoreError when somebody writes the log who is none."""
        for claim in [claim for claim in self._producers if claim[:2] == (log, partition)]:
            self._let_go(claim)
        name = self.transactional_id(log, partition)
        owner = await self._started(clients.transactional_producer(self.settings, name))
        claim = Claim(log, partition, clients.epoch_of(owner))
        self._producers[claim] = owner
        self._offsets_sent[claim] = time.monotonic()
        until = time.monotonic() + _WHOLE_LOG_S
        while True:
            committed = await self.end_offsets(partition, [log], committed=True)
            if committed == await self.end_offsets(partition, [log], committed=False):
                return claim
            if time.monotonic() > until:
                self._let_go(claim)
                text = (
                    f"{self.full(log)}/{partition} has an open transaction that is not of {name}: a foreign writer. "
                    f"Find it and take its rights away; only the owner of a log may write it"
                )
                raise StoreError(text)
            await asyncio.sleep(0.05)

    def _let_go(self, claim: Claim) -> None:
        """Forget a claim: what it has open is for the next one to settle."""
        owner = self._producers.pop(claim, None)
        self._offsets_sent.pop(claim, None)
        if owner is not None:
            self._later(clients.close(owner))

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        """Commit one transaction; anything but OK forgets the claim. Raises AuthorizationError."""
        if claim not in self._producers:
            return Committed(Outcome.FENCED)
        if not log and not sends:
            return Committed(Outcome.OK)
        await self._check_places(self._producers[claim], (*log, *sends))
        started = time.perf_counter()
        # Not cancelled with its caller: aiokafka would go on with a commit in the background, unseen.
        task = asyncio.ensure_future(self._transaction(claim, log, sends, offsets))
        limit_s = self.settings.transaction_timeout_ms / 1_000 + _ANSWER_S
        try:
            done, _ = await asyncio.wait({task}, timeout=limit_s)
        except asyncio.CancelledError:
            self._later(task)
            raise
        if not done:
            _log.warning("a transaction does not end", log=claim.log, partition=claim.partition, after_s=limit_s)
            self._later(task)
            self._let_go(claim)
            return Committed(Outcome.UNKNOWN)
        self._observe(time.perf_counter() - started)
        error = task.exception()
        if error is None:
            return Committed(Outcome.OK, task.result())
        self._let_go(claim)
        return Committed(self._outcome(claim, error))

    def _outcome(self, claim: Claim, error: BaseException) -> Outcome:
        """Say what became of a transaction that failed; raises what no new attempt can mend."""
        refusal = clients.refusal_of(error, f"a transaction on {self.full(claim.log)}")
        if refusal is not None:
            raise refusal from error
        if clients.is_fence(error):
            return Outcome.FENCED
        if clients.is_too_large(error):
            return Outcome.TOO_LARGE
        if not isinstance(error, (kafka_errors.KafkaError, kafka_errors.IllegalOperation, AssertionError, OSError)):
            raise error
        _log.warning("commit in doubt", log=claim.log, partition=claim.partition, error=repr(error))
        return Outcome.UNKNOWN

    async def _transaction(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> int:
        """Run one transaction, await every batch before the commit, and return the offset after its last log record."""
        owner = self._producers[claim]
        await owner.begin_transaction()
        sent = await self._send_all(owner, [*log, *sends])
        stored = await asyncio.gather(*(future for _, future, _ in sent))
        due = time.monotonic()
        if offsets and due - self._offsets_sent[claim] >= _GROUP_OFFSETS_S:
            self._offsets_sent[claim] = due
            group = f"{self.prefix}.{claim.log.rpartition('.')[0]}"
            held = {self.full(topic): offset for topic, offset in offsets.items()}
            await owner.send_offsets_to_transaction(clients.offsets_of(held, claim.partition), group)
        await owner.commit_transaction()
        own = (claim.log, claim.partition)
        ends = [
            metadata.offset + count for (place, _, count), metadata in zip(sent, stored, strict=True) if place == own
        ]
        return max(ends, default=-1)

    async def _send_all(
        self,
        sender: Any,  # noqa: ANN401
        records: Iterable[Outgoing],
    ) -> list[tuple[tuple[str, int], "asyncio.Future[Any]", int]]:
        """Hand over records of several topic partitions: place, future and size of each batch."""
        places: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        for record in records:
            places[record.topic, record.partition].append(record)
        sent, now = [], self.now()
        for (topic, partition), held in places.items():
            stamped = [(record, now) for record in held]
            batches = await clients.send_batches(sender, self.full(topic), partition, stamped)
            sent += [((topic, partition), future, count) for future, count in batches]
        return sent

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append records without a transaction: what the relay, the gateway and tools do. Durable when it returns."""
        if not records:
            return []
        if self._appender is None:
            self._appender = await self._started(clients.producer(self.settings))
        positions: dict[tuple[str, int], list[Position]] = defaultdict(list)
        try:
            for place in {(record.topic, record.partition) for record in records} - self._lives.keys():
                await self.incarnations(place[:1], place[1])
            await self._check_places(self._appender, records)
            sent = await self._send_all(self._appender, records)
            for place, future, count in sent:
                first = (await self._answer(future, f"writing {place[0]}")).offset
                life = self._lives[place]
                positions[place] += [Position(place[0], life, place[1], first + number) for number in range(count)]
        except BaseException:
            self._later(clients.close(self._appender))
            self._appender = None
            raise
        for held in positions.values():
            held.reverse()
        return [positions[record.topic, record.partition].pop() for record in records]
