"""Golden bytes: records as they were stored once, which every later release must read, and write, as they are."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from schemas.envelope import Outgoing, Record
from services.kernel.export import record_json, record_of

from .harness import Harness

FOLDER = Path(__file__).parents[1] / "golden"


def load(name: str) -> list[Record]:
    """Read golden records."""
    return [record_of(orjson.loads(line)) for line in (FOLDER / name).read_bytes().splitlines()]


def outgoing(record: Record) -> Outgoing:
    """Return a record as it was before it was stored."""
    return Outgoing(record.topic, record.partition, record.key, record.value, record.headers)


def spell(records: Iterable[Record]) -> bytes:
    """Spell records as golden files do."""
    return b"".join(orjson.dumps(record_json(record)) + b"\n" for record in records)


def restore(harness: Harness, records: Sequence[Record]) -> None:
    """Store golden records, each at its time; those of a log as its owner would."""
    logs = {service.log for service in harness.services.values()}
    for record in sorted(records, key=lambda record: record.timestamp):
        harness.clock.advance_to(record.timestamp)
        if record.topic in logs:
            claim = harness.wait(harness.store.claim(record.topic, record.partition))
            harness.wait(harness.store.commit(claim, [outgoing(record)], [], {}))
        else:
            harness.append(outgoing(record))
