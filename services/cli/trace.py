"""Finding what the logs say of an aggregate, an input or a position."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.envelope import Message, Record, decode
from schemas.topics import INPUTS, TOPICS
from services.cli.data import SpaceStore
from services.embedded import read_topic
from services.kernel.partitioner import partition_of
from services.kernel.records import InputsPassed, Refused, SetAside, TopicStarted
from services.kernel.space import Space
from services.kernel.verify import groups, where_is
from services.registry import LOGS

_FATES: dict[str, str] = {Refused.wire: "refused", SetAside.wire: "set-aside"}
_DECIDED = {topic.name for topic in TOPICS if topic.kind in {"input", "inbox"}}
Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Fate(NamedTuple):
    """What became of an input, in which log record, and of a duplicate what it repeats."""

    fate: str
    log_position: str
    of: str | None = None


UNDECIDED = Fate("undecided", "")
"""The fate of what no log record names yet."""


class Entry(NamedTuple):
    """One entry of a timeline; an input has a fate."""

    record: Record
    fate: Fate | None = None


def headers_of(record: Record) -> dict[str, str]:
    """Return a record's headers as text."""
    return {name: value.decode(errors="replace") for name, value in record.headers}


def content_of(record: Record) -> Message | None:
    """Read a record's content; None when it cannot be read."""
    try:
        return decode(headers_of(record).get("ce_type", ""), record.value or b"")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def place_of(record: Record) -> Place:
    """Return where a record stands."""
    return record.topic, record.partition, record.offset


def read_place(text: str) -> Place | None:
    """Read `topic/partition/offset`, with or without the incarnation; None when it is no position."""
    topic, _, rest = text.partition("/")
    topic = topic.partition("@")[0]
    partition, _, offset = rest.partition("/")
    known = any(topic == held.name for held in TOPICS)
    return (topic, int(partition), int(offset)) if known and partition.isdecimal() and offset.isdecimal() else None


class Tracer:
    """Looks things up by reading logs from their beginning: there is no other index here."""

    def __init__(self, space: Space, store: SpaceStore) -> None:
        self.space = space
        self.store = store

    async def find(self, what: str) -> list[Entry]:
        """Find what a text names: a position, else an aggregate, else an input's id."""
        place = read_place(what)
        if place is not None:
            return await self._at(place)
        return await self._aggregate(what) or await self.input(what)

    async def record(self, place: Place) -> Record | None:
        """Return the record at a place, or None."""
        topic, partition, offset = place
        if partition < self.space.partitions:
            async for records in self.store.read(topic, partition, offset):
                return records[0] if records[0].offset == offset else None
        return None

    async def groups(self) -> list[list[Record]]:
        """Return the records of every log, grouped by their cause."""
        logs = [await read_topic(self.store, log, self.space.partitions) for log in LOGS]
        return [group for records in logs for group in groups(records)]

    async def sent_by(self) -> dict[str, str]:
        """Return the id of each message between services, and that of the event that sent it."""
        found = {}
        for topic in TOPICS:
            if topic.kind == "inbox":
                for record in await read_topic(self.store, topic.name, self.space.partitions):
                    headers = headers_of(record)
                    found[headers.get("ce_id", "")] = headers.get("ce_causationid", "")
        return found

    async def _at(self, place: Place) -> list[Entry]:
        record = await self.record(place)
        if record is None:
            return []
        if record.topic in LOGS:
            cause = await self._cause(record)
            if cause is None:
                return [Entry(record)]
            record = cause
        return await self._with_effects([record]) if record.topic in _DECIDED else [Entry(record)]

    async def _cause(self, record: Record) -> Record | None:
        place = read_place(headers_of(record).get("ce_input", ""))
        return await self.record(place) if place else None

    async def _aggregate(self, key: str) -> list[Entry]:
        own = key.startswith(("partition/", "facts/")) and key.partition("/")[2].isdecimal()
        partition = int(key.partition("/")[2]) if own else partition_of(key, self.space.partitions)
        found = []
        for group in await self.groups():
            for record in group if group[0].partition == partition else ():
                headers = headers_of(record)
                named = key in ((record.key or b"").decode(errors="replace"), headers.get("ce_inputkey"))
                if named and headers.get("ce_type") != TopicStarted.wire:
                    found.append(Entry(record))
        return found

    async def input(self, identifier: str) -> list[Entry]:
        """Find the inputs of an id, with their fates, and all that they began."""
        inputs = [
            record
            for topic in INPUTS
            for record in await read_topic(self.store, topic.name, self.space.partitions)
            if headers_of(record).get("ce_id") == identifier
        ]
        return await self._with_effects(inputs, identifier) if inputs else []

    async def _with_effects(self, inputs: Sequence[Record], begun_by: str | None = None) -> list[Entry]:
        """Return inputs with their fates, and the events they caused, in the order in which all were appended."""
        places = {place_of(record) for record in inputs}
        fates: dict[Place, Fate] = {}
        events = []
        for group in await self.groups():
            fates.update((place, fate) for place, fate in _fates(group) if place in places)
            headers = headers_of(group[0])
            begun = begun_by is not None and headers.get("ce_correlationid") == begun_by
            if begun or read_place(headers.get("ce_input", "")) in places:
                events += group
        entries = [Entry(record, fates.get(place_of(record), UNDECIDED)) for record in inputs]
        entries += [Entry(record) for record in events]
        order = {log: number for number, log in enumerate(LOGS)}
        return sorted(entries, key=lambda entry: (entry.record.timestamp, order.get(entry.record.topic, -1)))


def _fates(group: Sequence[Record]) -> Iterator[tuple[Place, Fate]]:
    """Return the fates that one group of log records names."""
    first, headers, where = group[0], headers_of(group[0]), where_is(group[0])
    if headers.get("ce_type") == InputsPassed.wire:
        content = content_of(first)
        assert isinstance(content, InputsPassed)
        for passed_range in content.ranges:
            for passed in passed_range.inputs:
                place = (passed_range.topic, first.partition, passed.offset)
                yield place, Fate(passed.fate, where, passed.of)
        return
    place_named = read_place(headers.get("ce_input", ""))
    if place_named is not None:
        yield place_named, Fate(_FATES.get(headers.get("ce_type", ""), "decided"), where)
