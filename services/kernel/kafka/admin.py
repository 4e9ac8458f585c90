"""An administrator's view of a cluster: brokers, topics, settings, rights, groups; and the first records of topics.

Nothing here deletes. Topic names are full ones, with the space's prefix.
"""

import asyncio
import contextlib
import io
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeVar

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DescribeAclsRequest

from schemas.envelope import Outgoing, Record
from services.kernel.store import StoreError

from . import clients, protocol
from .clients import NewTopic, TopicPartition, kafka_errors
from .settings import KafkaSettings

_ANSWER_S = 15.0
_LEADERS_S = 30.0
_READ_S = 30.0
_POLL_S = 0.05
_READ_WAIT_MS = 200
_ANY, _ALLOW = 1, 3
_KINDS = {2: "topic", 3: "group", 4: "cluster", 5: "transactional-id", 6: "delegation-token", 7: "user"}
_PATTERNS = {3: "literal", 4: "prefixed"}
_OPERATIONS = {
    2: "all", 3: "read", 4: "write", 5: "create", 6: "delete", 7: "alter", 8: "describe", 9: "cluster-action",
    10: "describe-configs", 11: "alter-configs", 12: "idempotent-write",
}  # fmt: skip
_RELEASES = {22: "4.0", 23: "4.0", 24: "4.0", 25: "4.0", 26: "4.1", 27: "4.1", 28: "4.2", 29: "4.2"}
"""Which release introduced a level of `metadata.version`: the nearest to a version that a cluster says of itself."""
_Answer = TypeVar("_Answer")


class TopicState(NamedTuple):
    """What a topic is: partitions, copies (of the partition with the fewest; how many follow), settings in effect."""

    partitions: int
    replication: int
    in_sync: int
    settings: Mapping[str, str]


class Acl(NamedTuple):
    """That a principal may do something, from any host."""

    principal: str
    operation: str
    kind: str
    pattern: str
    name: str

    def concerns(self, prefix: str) -> bool:
        """Tell whether it is about something of that prefix."""
        if self.name == "*" or self.name.startswith(prefix):
            return True
        return self.pattern == "prefixed" and prefix.startswith(self.name)


class Bounds(NamedTuple):
    """Where a topic partition begins and ends, and where it ends for whoever reads only what is committed."""

    begin: int
    end: int
    stable: int


class ClockReading(NamedTuple):
    """What the active controller's clock showed, and between which two instants of ours it was read."""

    theirs: int
    before: int
    after: int


class Administrator:
    """A connection for administration: `async with Administrator(settings) as cluster`."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._client = clients.admin(settings)

    async def __aenter__(self) -> Self:
        try:
            await self.answer(self._client.start(), f"connecting to {self.settings.bootstrap}")
        except BaseException:
            await clients.close(self._client)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await clients.close(self._client)

    # --- the cluster

    async def brokers(self) -> dict[int, str]:
        """Return the address of every broker that is there."""
        found = await self.answer(self._client.describe_cluster(), "asking for brokers")
        return {broker["node_id"]: f"{broker['host']}:{broker['port']}" for broker in found["brokers"]}

    async def release(self) -> str:
        """Say what the cluster has agreed on, in Kafka's terms: nothing in the protocol names a version."""
        answer = await self._ask(protocol.Features(), "asking for the release")
        spelled = answer.tags.get(protocol.FINALIZED, b"\x01")
        levels = {name: max(one, other) for name, one, other, _ in protocol.FEATURE_LEVELS.decode(io.BytesIO(spelled))}
        level = levels.get("metadata.version")
        if level is None:
            return "no metadata.version: not KRaft"
        return f"Kafka {_RELEASES[level]}" if level in _RELEASES else f"metadata.version {level}"

    async def broker_settings(self, names: Iterable[str]) -> dict[int, dict[str, str]]:
        """Return the named settings of every broker."""
        wanted = dict.fromkeys(names)
        asked = [ConfigResource(ConfigResourceType.BROKER, str(number), wanted) for number in await self.brokers()]
        answers = await self.answer(self._client.describe_configs(asked), "asking for brokers' settings")
        return {int(name): settings for answer in answers for name, settings in _settings(answer)}

    async def clock(self) -> ClockReading:
        """Read the active controller's clock; the quickest of three answers is the most exact."""
        readings = []
        for _ in range(3):
            before = time.time_ns() // 1_000_000
            answer = await self._ask(protocol.Quorum(), "asking for the controllers")
            after = time.time_ns() // 1_000_000
            if answer.code:
                raise self._meaning(kafka_errors.for_code(answer.code)(), "asking for the controllers")
            _, _, leader, _, _, voters, *_ = answer.topics[0][1][0]
            theirs = next(voter[3] for voter in voters if voter[0] == leader)
            readings.append(ClockReading(theirs, before, after))
        return min(readings, key=lambda reading: reading.after - reading.before)

    async def members(self, groups: Iterable[str]) -> dict[str, list[str]]:
        """Return from where the members of each group are connected."""
        return {group: await self._members(group) for group in groups}

    async def _members(self, group: str) -> list[str]:
        until = time.monotonic() + _ANSWER_S
        while True:
            try:
                answers = await self._client.describe_consumer_groups([group])
                code, _, _, _, _, members, *_ = answers[0].groups[0]
                if not code:
                    return [f"{member[1]}{member[2]}" for member in members]
                raise kafka_errors.for_code(code)
            except kafka_errors.GroupCoordinatorNotAvailableError:
                return []  # no group has ever been there
            except kafka_errors.KafkaError as error:
                # A coordinator that has just begun, or has just changed, says so and knows better soon.
                if not error.retriable or time.monotonic() > until:
                    raise self._meaning(error, f"asking for group {group}") from error
                await asyncio.sleep(_POLL_S)

    # --- topics

    async def topics(self, prefix: str, settings: Iterable[str] = ()) -> dict[str, TopicState]:
        """Return every topic of a prefix, with the named settings."""
        described = [
            topic
            for topic in await self.answer(self._client.describe_topics(), "asking for topics")
            if topic["topic"].startswith(prefix)
        ]
        wanted = dict.fromkeys(settings)
        held: dict[str, dict[str, str]] = {}
        if described and wanted:
            asked = [ConfigResource(ConfigResourceType.TOPIC, topic["topic"], wanted) for topic in described]
            answers = await self.answer(self._client.describe_configs(asked), "asking for topics' settings")
            held = {name: settings for answer in answers for name, settings in _settings(answer)}
        return {
            topic["topic"]: TopicState(
                len(topic["partitions"]),
                min((len(partition["replicas"]) for partition in topic["partitions"]), default=0),
                min((len(partition["isr"]) for partition in topic["partitions"]), default=0),
                held.get(topic["topic"], {}),
            )
            for topic in described
        }

    async def create(self, topics: Mapping[str, Mapping[str, str]], partitions: int, replication: int) -> None:
        """Create topics with their settings, and return when each partition has a leader."""
        if not topics:
            return
        new = [NewTopic(name, partitions, replication, topic_configs=dict(held)) for name, held in topics.items()]
        answer = await self.answer(self._client.create_topics(new), "creating topics")
        for name, code, message, *_ in answer.topic_errors:
            if code:
                raise self._meaning(kafka_errors.for_code(code)(message or ""), f"creating {name}")
        until = time.monotonic() + _LEADERS_S
        while not await self._led(topics, partitions):
            if time.monotonic() > until:
                raise StoreError(f"some of the new topics have no leader after {_LEADERS_S:.0f} s: {', '.join(topics)}")
            await asyncio.sleep(_POLL_S)

    async def _led(self, names: Iterable[str], partitions: int) -> bool:
        described = await self.answer(self._client.describe_topics(list(names)), "asking for topics")
        return all(
            topic["error_code"] == 0
            and len(topic["partitions"]) == partitions
            and all(held["leader"] >= 0 for held in topic["partitions"])
            for topic in described
        )

    async def set(self, topic: str, settings: Mapping[str, str]) -> None:
        """Set some settings of a topic; all others stay."""
        request = protocol.AlterSettings(int(ConfigResourceType.TOPIC), topic, dict(settings))
        for code, message, _, name in (await self._ask(request, f"setting {topic}")).resources:
            if code:
                raise self._meaning(kafka_errors.for_code(code)(message or ""), f"setting {name}")

    # --- rights

    async def acls(self, prefix: str) -> list[Acl] | None:
        """Return who is allowed what on anything of a prefix; None where the cluster has no authorizer."""
        request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
        answer = await self._ask(request, "asking for rights")
        if answer.error_code:
            error = kafka_errors.for_code(answer.error_code)
            if error is kafka_errors.SecurityDisabled:
                return None
            raise self._meaning(error(answer.error_message or ""), "asking for rights")
        found = [
            Acl(principal, _OPERATIONS.get(operation, "?"), _KINDS.get(kind, "?"), _PATTERNS.get(pattern, "?"), name)
            for kind, name, pattern, held in answer.resources
            for principal, _, operation, permission in held
            if permission == _ALLOW
        ]
        return sorted({acl for acl in found if acl.concerns(prefix)})

    async def allow(self, acls: Sequence[Acl]) -> None:
        """Create rights; those that exist stay as they are."""
        if not acls:
            return
        kinds, patterns, operations = (_numbers(names) for names in (_KINDS, _PATTERNS, _OPERATIONS))
        creations = [
            (kinds[acl.kind], acl.name, patterns[acl.pattern], acl.principal, "*", operations[acl.operation], _ALLOW)
            for acl in acls
        ]
        answer = await self._ask(protocol.CreateAcls(creations), "granting rights")
        for acl, (code, message) in zip(acls, answer.creation_responses, strict=True):
            if code:
                raise self._meaning(kafka_errors.for_code(code)(message or ""), f"granting {acl}")

    # --- records

    async def bounds(self, topics: Mapping[str, int]) -> dict[tuple[str, int], Bounds]:
        """Return where every partition of the topics begins and ends; the topics come with their partitions."""
        places = [TopicPartition(name, number) for name, count in topics.items() for number in range(count)]
        if not places:
            return {}
        found: list[Mapping[Any, int]] = []
        for committed in (True, False):
            reader = clients.consumer(self.settings, committed=committed)
            try:
                await self.answer(reader.start(), f"connecting to {self.settings.bootstrap}")
                # Else it learns of one topic after the other, with a wait before each.
                await self.answer(reader._client.set_topics(list(topics)), "asking for topics")  # noqa: SLF001
                # What is committed first: so it never seems that something is open which was not there yet.
                found.append(await self.answer(reader.end_offsets(places), "asking where topics end"))
                if not committed:
                    found.append(await self.answer(reader.beginning_offsets(places), "asking where topics begin"))
            finally:
                await clients.close(reader)
        stable, end, begin = found
        return {(place.topic, place.partition): Bounds(begin[place], end[place], stable[place]) for place in places}

    async def records_at(self, offsets: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], Record]:
        """Read of each topic partition the first record from an offset on: one must be there."""
        left = {TopicPartition(*place): offset for place, offset in offsets.items()}
        found: dict[tuple[str, int], Record] = {}
        if not left:
            return found
        reader = clients.consumer(self.settings)
        try:
            await self.answer(reader.start(), f"connecting to {self.settings.bootstrap}")
            reader.assign(list(left))
            for place, offset in left.items():
                reader.seek(place, offset)
            until = time.monotonic() + _READ_S
            while left:
                if time.monotonic() > until:
                    names = ", ".join(f"{place.topic}/{place.partition}" for place in left)
                    raise StoreError(f"no answer from the cluster for {names}")
                fetched = await self.answer(reader.getmany(*left, timeout_ms=_READ_WAIT_MS), "reading")
                for place in [place for place, records in fetched.items() if records]:
                    found[place.topic, place.partition] = clients.record_of(place.topic, fetched[place][0])
                    del left[place]
                    reader.pause(place)
        finally:
            await clients.close(reader)
        return found

    async def stamped_from(self, places: Iterable[tuple[str, int]], instant: int) -> int | None:
        """Return the latest time among each topic partition's first record of that instant or later, if any."""
        wanted = [TopicPartition(*place) for place in places]
        reader = clients.consumer(self.settings, committed=False)
        try:
            await self.answer(reader.start(), f"connecting to {self.settings.bootstrap}")
            topics = sorted({place.topic for place in wanted})
            await self.answer(reader._client.set_topics(topics), "asking for topics")  # noqa: SLF001 - as in bounds
            found = await self.answer(reader.offsets_for_times(dict.fromkeys(wanted, instant)), "asking for times")
            return max((held.timestamp for held in found.values() if held is not None), default=None)
        finally:
            await clients.close(reader)

    @contextlib.asynccontextmanager
    async def writer(self) -> AsyncIterator["Writer"]:
        """Lend what appends records without a transaction."""
        sender = clients.producer(self.settings)
        try:
            await self.answer(sender.start(), f"connecting to {self.settings.bootstrap}")
            yield Writer(self, sender)
        finally:
            await clients.close(sender)

    # --- answers

    async def _ask(self, request: Any, doing: str) -> Any:  # noqa: ANN401
        return await self.answer(self._client._send_to_controller(request), doing)  # noqa: SLF001 - no call has it

    async def answer(self, asked: Awaitable[_Answer], doing: str) -> _Answer:
        """Wait for an answer of the cluster; raises StoreError, which says what went wrong."""
        try:
            return await asyncio.wait_for(asked, _ANSWER_S)
        except (TimeoutError, NotImplementedError, kafka_errors.KafkaError) as error:
            raise self._meaning(error, doing) from error

    def _meaning(self, error: BaseException, doing: str) -> StoreError:
        refusal = clients.refusal_of(error, doing)
        if refusal is not None:
            return refusal
        if isinstance(error, TimeoutError):
            return StoreError(f"{doing}: no answer from {self.settings.bootstrap}")
        return StoreError(f"{doing}: {error}" if isinstance(error, kafka_errors.KafkaError) else f"{doing}: {error!r}")


class Writer:
    """Appends records that come with their times, which count where the topic does not stamp them itself."""

    def __init__(self, cluster: Administrator, sender: Any) -> None:  # noqa: ANN401
        self._cluster = cluster
        self._sender = sender

    async def write(self, records: Iterable[tuple[Outgoing, int]]) -> dict[tuple[str, int], int]:
        """Append records, durably; return at which offset those of each topic partition begin."""
        places: dict[tuple[str, int], list[tuple[Outgoing, int]]] = defaultdict(list)
        for record, timestamp in records:
            places[record.topic, record.partition].append((record, timestamp))
        await self._cluster.answer(clients.learn(self._sender, {topic for topic, _ in places}), "asking for topics")
        sent = [
            (place, future)
            for place, held in places.items()
            for future, _ in await clients.send_batches(self._sender, *place, held)
        ]
        first: dict[tuple[str, int], int] = {}
        for place, future in sent:
            stored = await self._cluster.answer(future, f"writing {place[0]}")
            first.setdefault(place, stored.offset)
        return first


def _settings(answer: Any) -> list[tuple[str, dict[str, str]]]:  # noqa: ANN401
    found = []
    for code, message, _, name, entries in answer.resources:
        if code:
            raise StoreError(f"asking for the settings of {name}: {kafka_errors.for_code(code).__name__}: {message}")
        found.append((name, {entry[0]: entry[1] for entry in entries}))
    return found


def _numbers(names: Mapping[int, str]) -> dict[str, int]:
    return {name: number for number, name in names.items()}
