"""Reading a data directory from outside, while nothing runs."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from schemas.envelope import Message, Outgoing, Position, Record, decode
from schemas.topics import INPUTS
from services.cli.data import DataDirectory
from services.embedded import read_topic


def records(data: Path, *topics: str) -> list[Record]:
    """Read whole topics, without their markers."""
    with DataDirectory(data).read() as (space, store):
        return [record for topic in topics for record in asyncio.run(read_topic(store, topic, space.partitions))]


def contents(data: Path, *topics: str) -> list[Message]:
    """Read the messages of topics whose records can all be read."""
    return [decode(header(record, "ce_type"), record.value or b"") for record in records(data, *topics)]


def header(record: Record, name: str) -> str:
    """Return a header as text."""
    return dict(record.headers)[name].decode()


def public(data: Path) -> list[Record]:
    """Read every public input."""
    return records(data, *(topic.name for topic in INPUTS))


def append(data: Path, outgoing: Sequence[Outgoing]) -> list[Position]:
    """Append records behind everybody's back."""
    with DataDirectory(data).own() as (_, store):
        return asyncio.run(store.append(outgoing))
