"""Header names that are not UTF-8: anybody may send them, brokers keep them, and aiokafka's reader fails on them.

It would fail again at each attempt, and one record of a stranger would stop a partition. So a batch that it cannot
read is read here once more, with what is no UTF-8 kept as Python keeps such bytes (`surrogateescape`): the kernel sets
the record aside, and digests and exports hold the bytes that are stored.
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

_HEAD = struct.Struct(">qi")


class _Read(NamedTuple):
    """One record, as aiokafka's fetcher takes it from a batch."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


class _AnyNames(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch in pure Python: slower than aiokafka's own, and read only when that one fails."""

    _pos: int

    def _read_msg(self, decode: Any = decode_varint) -> _Read:  # noqa: ANN401
        buffer, start = self._buffer, int(self._pos)
        _, position = decode(buffer, start)
        _, position = decode(buffer, position)
        elapsed, position = decode(buffer, position)
        stamped = self.timestamp_type == self.LOG_APPEND_TIME
        number, position = decode(buffer, position)
        key, position = _bytes(buffer, position)
        value, position = _bytes(buffer, position)
        count, position = decode(buffer, position)
        headers = []
        for _ in range(count):
            name, position = _bytes(buffer, position)
            held, position = _bytes(buffer, position)
            headers.append(((name or b"").decode(errors="surrogateescape"), held))
        self._pos = position
        timestamp = self.max_timestamp if stamped else self.first_timestamp + elapsed
        return _Read(self.base_offset + number, timestamp, self.timestamp_type, key, value, headers)


def _bytes(buffer: Any, position: int) -> tuple[bytes | None, int]:  # noqa: ANN401
    length, position = decode_varint(buffer, position)
    if length < 0:
        return None, position
    return bytes(buffer[position : position + length]), position + length


class _Batch:
    """A batch of aiokafka's, which is read another way where that fails."""

    def __init__(self, inner: Any, stored: bytes) -> None:  # noqa: ANN401
        self._inner = inner
        self._stored = stored

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._inner, name)

    def __next__(self) -> Any:  # noqa: ANN401
        return next(self._inner)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._inner))
        except UnicodeDecodeError:
            return iter(list(_AnyNames(self._stored)))


class AnyNamesRecords:
    """What a fetch brought, in the place of aiokafka's `MemoryRecords`."""

    def __init__(self, stored: bytes) -> None:
        self._inner = MemoryRecords(stored)
        self._stored = stored
        self._position = 0

    def has_next(self) -> bool:
        """Tell whether a batch is left."""
        return bool(self._inner.has_next())

    def size_in_bytes(self) -> int:
        """Return how much there is."""
        return int(self._inner.size_in_bytes())

    def next_batch(self) -> _Batch:
        """Return the next batch."""
        _, length = _HEAD.unpack_from(self._stored, self._position)
        start, self._position = self._position, self._position + _HEAD.size + length
        return _Batch(self._inner.next_batch(), bytes(self._stored[start : self._position]))


def install() -> None:
    """Have aiokafka's consumers read any name."""
    assert fetcher.MemoryRecords in {MemoryRecords, AnyNamesRecords}, "aiokafka reads fetched records otherwise now"
    fetcher.MemoryRecords = AnyNamesRecords
