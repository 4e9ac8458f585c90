"""`adjudex log copy`: a space's records from one store into another, each as it is.

An event names its input by offset, and its digest covers when that was appended; so a copy is only one when offsets
and times are the same. Into an embedded log they are simply written. A new topic on Kafka counts from 0 without gaps,
and keeps the times it is given while it is set to CreateTime.
"""

import hashlib
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

from schemas.envelope import Outgoing, Record
from schemas.topics import TOPICS
from services.cli.console import FINDINGS, FINE, Console, OperationRefusedError, table
from services.cli.data import DataDirectory, SpaceStore
from services.kernel.clock import WallClock
from services.kernel.markers import incarnation_of
from services.kernel.space import Space, space_json
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import StoreError
from services.kernel.verify import log_hash
from services.kernel.wire import genesis, record_digest
from services.registry import TOPIC_NAMES

_LOGS = tuple(topic.name for topic in TOPICS if topic.kind == "log")
_STAMPED, _GIVEN = {"message.timestamp.type": "LogAppendTime"}, {"message.timestamp.type": "CreateTime"}
_WHY_NO_GAPS = (
    "a new topic counts without gaps, and what is decided names its inputs by offset; the ends of transactions have "
    "left gaps here"
)


class Kind(Enum):
    """What a space can be copied into."""

    EMBEDDED = "embedded"
    KAFKA = "kafka"


@dataclass(slots=True)
class Contents:
    """What was read: how much, whether without gaps, and hashes of it, with and without places and times."""

    records: int = 0
    gap: str = ""
    chains: dict[tuple[str, int], bytes] = field(default_factory=dict)
    digests: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def log(self, log: str) -> str:
        """Return one hash over the chains of a log."""
        return log_hash({place: chain for place, chain in self.chains.items() if place[0] == log})


class Target(Protocol):
    """Where a copy goes."""

    async def put(self, records: Sequence[Record]) -> None:
        """Store records of one topic partition, as they are."""


class _Place(NamedTuple):
    topic: str
    partition: int


async def contents(space: Space, store: SpaceStore, target: Target | None = None) -> Contents:
    """Read a whole space, hand it to a target if there is one, and return what it was."""
    read = Contents()
    for place in _places(space):
        expected = 0
        digest = b""
        async for records in store.read(*place):
            for record in records:
                if record.offset != expected and not read.gap:
                    read.gap = f"{place.topic}/{place.partition} has no record {expected}"
                expected = record.offset + 1
                _chain(read, space, record)
                stamped = struct.pack(">qq", record.offset, record.timestamp)
                digest = record_digest(digest + stamped, record.key, record.value, record.headers)
            read.records += len(records)
            if target is not None:
                await target.put(records)
        read.digests[place] = hashlib.sha256(digest).digest()
    return read


def _places(space: Space) -> Iterator[_Place]:
    for topic in TOPIC_NAMES:
        for partition in range(space.partitions):
            yield _Place(topic, partition)


def _chain(read: Contents, space: Space, record: Record) -> None:
    """Compute a log's chain anew."""
    if record.topic not in _LOGS:
        return
    place = (record.topic, record.partition)
    if place not in read.chains:
        read.chains[place] = genesis(space.name, *place, incarnation_of(record, *place))
    else:
        read.chains[place] = record_digest(read.chains[place], record.key, record.value, record.headers)


async def copy(source: DataDirectory, target: DataDirectory, into: Kind | None, console: Console) -> int:
    """Copy a space and compare what was read with what was written; returns the exit code."""
    if target.is_on_kafka or target.file.exists():
        raise OperationRefusedError(f"there is a space in {target.path}", "name a new directory with --to")
    kind = into or (Kind.EMBEDDED if source.is_on_kafka else Kind.KAFKA)
    async with source.reading() as (space, store):
        before = await contents(space, store)
        if kind is Kind.KAFKA and before.gap:
            raise OperationRefusedError(
                f"{source.path} cannot be copied into topics: {before.gap}, and {_WHY_NO_GAPS}",
                "`adjudex log copy --as embedded` keeps offsets; to move a space between clusters see docs/kafka.md",
            )
        opening = _embedded(space, store, target) if kind is Kind.EMBEDDED else _topics(space, target)
        async with opening as writing:
            copied = await contents(space, store, writing)
            if copied.digests != before.digests:
                raise OperationRefusedError(
                    f"{source.path} has changed while it was copied: the copy would be of no moment at all",
                    "stop its services and senders, and copy again; on Kafka, delete the topics of the copy first",
                )
    async with target.reading() as (_, reopened):
        after = await contents(space, reopened)
    return _say(source, target, before, after, console)


@asynccontextmanager
async def _embedded(space: Space, source: SpaceStore, target: DataDirectory) -> AsyncIterator[Target]:
    """Write an embedded log, which appears under its name when it is whole."""
    lives = await source.incarnations(TOPIC_NAMES, 0)
    draft = target.path / "copying.sqlite"
    for left in target.path.glob("copying.*"):
        left.unlink()
    config = space_json(space)
    clock = WallClock()
    store = SqliteStore.create(
        draft, space.name, TOPIC_NAMES, space.partitions, clock, lives.__getitem__, config
    )  # fmt: skip
    try:
        yield _Embedded(store)
    finally:
        store.close()
    draft.rename(target.file)
    for left in target.path.glob("copying.*"):
        left.unlink()


class _Embedded(NamedTuple):
    store: SqliteStore

    async def put(self, records: Sequence[Record]) -> None:
        self.store.restore(records)


@asynccontextmanager
async def _topics(space: Space, target: DataDirectory) -> AsyncIterator[Target]:
    """Write new topics, which stamp what comes later; the space is described when they are whole."""
    from services.cli.topics import Plan, copies, create, plan_topics

    async with target.cluster() as cluster:
        replication = await copies(cluster, None)
        planned = await plan_topics(cluster, space, replication)
        there = [topic.topic for topic in planned if topic.status not in ("create", "unknown")]
        if there:
            raise OperationRefusedError(
                f"the cluster has topics of a space {space.name} already, {there[0]} among them",
                "delete them if they are left of a copy that broke off; a space keeps its name",
            )
        await create(cluster, Plan(space, replication, planned, None), _GIVEN)
        async with cluster.writer() as writer:
            yield _Topics(space, writer)
        for topic in TOPIC_NAMES:
            await cluster.set(f"{space.name}.{topic}", _STAMPED)
    target.describe(space)


class Writer(Protocol):
    """What appends to topics."""

    async def write(self, records: Iterator[tuple[Outgoing, int]]) -> dict[tuple[str, int], int]:
        """Append records with their times; return at which offset those of each topic partition begin."""


class _Topics(NamedTuple):
    space: Space
    writer: Writer

    async def put(self, records: Sequence[Record]) -> None:
        first = records[0]
        # The marker alone in its batch: whoever looks for it need not fetch more.
        for held in (records[:1], records[1:]) if first.offset == 0 else (records,):
            stored = await self.writer.write((self._outgoing(record), record.timestamp) for record in held)
            for (topic, partition), offset in stored.items():
                if offset != held[0].offset:
                    text = (
                        f"{topic}/{partition}: record {held[0].offset} came to stand at {offset}: somebody else writes"
                    )
                    raise StoreError(text)

    def _outgoing(self, record: Record) -> Outgoing:
        topic = f"{self.space.name}.{record.topic}"
        return Outgoing(topic, record.partition, record.key, record.value, record.headers)


def _say(source: DataDirectory, target: DataDirectory, before: Contents, after: Contents, console: Console) -> int:
    differ = sorted(
        f"{topic}/{number}"
        for topic, number in before.digests
        if after.digests[topic, number] != before.digests[topic, number]
    )
    logs = {log: {"from": before.log(log), "to": after.log(log)} for log in _LOGS}
    content = {
        "from": str(source.path),
        "to": str(target.path),
        "records": after.records,
        "equal": not differ,
        "differ": differ,
        "logs": logs,
        "log_hash": log_hash(after.chains),
    }
    rows = [
        (log, f"{held['from'][:16]}…", "equal" if held["from"] == held["to"] else f"{held['to'][:16]}… differs")
        for log, held in logs.items()
    ]
    lines = [f"{after.records:,} records in {target.path}", "", *table(rows), ""]
    lines += [f"differs: {where}" for where in differ] or ["every record is where it was, as it was"]
    console.put(content, *lines, f"log hash {log_hash(after.chains)}")
    return FINDINGS if differ else FINE
