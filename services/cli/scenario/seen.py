"""What an outsider of a scenario's space sees: outcomes, and the events in the logs, as they are recorded."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from schemas.envelope import Message, Record, decode
from schemas.instants import parse_instant
from schemas.outcomes import InputOutcome
from schemas.topics import OUTCOMES, SERVICES
from services.kernel.records import KERNEL_EVENTS
from services.kernel.store import Store

_FETCH_MAX = 1_000


class Happened(NamedTuple):
    """One event of a log; `input` is the position of the input that caused it, or `deadline/...`."""

    at: int
    service: str
    key: str
    input: str
    position: str
    event: Message

    def content(self) -> dict[str, Any]:
        """Return the event as outsiders read it."""
        content: dict[str, Any] = orjson.loads(self.event.to_bytes())
        return content


@dataclass(slots=True)
class Seen:
    """All that was read so far, in the order in which it was read."""

    partitions: int
    happened: list[Happened] = field(default_factory=list)
    outcomes: dict[str, InputOutcome] = field(default_factory=dict)
    _next: dict[tuple[str, int], int] = field(default_factory=dict)

    async def read(self, store: Store) -> None:
        """Read what is new."""
        for service in SERVICES:
            for record in await self._new(store, f"{service}.events"):
                happened = _happened(service, record)
                if happened is not None:
                    self.happened.append(happened)
        for record in await self._new(store, OUTCOMES):
            outcome = _content(record)
            if isinstance(outcome, InputOutcome):
                self.outcomes.setdefault(outcome.position, outcome)

    async def _new(self, store: Store, topic: str) -> list[Record]:
        found: list[Record] = []
        for partition in range(self.partitions):
            start = self._next.get((topic, partition), 1)
            while True:
                fetched = (await store.fetch(partition, {topic: start}, _FETCH_MAX))[topic]
                found += fetched.records
                start = fetched.next
                if not fetched.records:
                    break
            self._next[topic, partition] = start
        return sorted(found, key=lambda record: record.timestamp)


def _content(record: Record) -> Message:
    return decode(dict(record.headers)["ce_type"].decode(), record.value or b"")


def _happened(service: str, record: Record) -> Happened | None:
    event = _content(record)
    if isinstance(event, KERNEL_EVENTS):
        return None
    headers = {name: value.decode() for name, value in record.headers}
    return Happened(
        parse_instant(headers["ce_time"]),
        service,
        (record.key or b"").decode(),
        headers["ce_input"],
        record.position,
        event,
    )
