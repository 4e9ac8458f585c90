"""The duplicate memory: an id is unique within stream, key and proven sender, for 7 days of `at`."""

import hashlib
import struct
from binascii import unhexlify
from typing import NamedTuple

from schemas.instants import DAY

from .space import DUPLICATE_WINDOW

# Python keeps bytes in steps of 16: one more in either would cost 16.
_KEY_BYTES = 15
_DIGEST_BYTES = 14
_pack = struct.Struct(f">BQQ{_DIGEST_BYTES}s")


class Known(NamedTuple):
    """An input that was decided before: which topic partition and offset, and whether it said the same."""

    topic: int
    offset: int
    same: bool


class DuplicateMemory:
    """Remembers inputs by day of `at`; a day is forgotten once all of it is older than the window.

    One entry is 15 bytes of key and 31 of value: 100,000 inputs a day and partition cost some 15 MB.
    """

    def __init__(self) -> None:
        self._days: dict[int, dict[bytes, bytes]] = {}
        self._last_day = -1
        self._later: list[tuple[bytes, int, int, int, bytes]] = []

    @staticmethod
    def key(stream: str, key: str, sender: str, identifier: str) -> bytes:
        """Compress what an id is unique within."""
        return _compress(f"{stream}\n{key}\n{sender}\n{identifier}".encode())

    def find(self, key: bytes, content_sha256: str, at: int) -> Known | None:
        """Look up an input; `at` is that of the repeat."""
        self._remember_now()
        for entries in self._days.values():
            entry = entries.get(key)
            if entry is not None:
                topic, offset, earlier_at, digest = _pack.unpack(entry)
                if at - earlier_at <= DUPLICATE_WINDOW:
                    return Known(topic, offset, digest == bytes.fromhex(content_sha256)[:_DIGEST_BYTES])
        return None

    def remember(self, key: bytes, topic: int, offset: int, at: int, content_sha256: str) -> None:
        """Remember an input that used up its id."""
        digest = bytes.fromhex(content_sha256)[:_DIGEST_BYTES]
        self._entries(at // DAY)[key] = _pack.pack(topic, offset, at, digest)

    def _entries(self, day: int) -> dict[bytes, bytes]:
        entries = self._days.get(day)
        if entries is None:
            entries = self._days[day] = {}
            self._last_day = max(self._last_day, day)
            oldest = self._last_day - DUPLICATE_WINDOW // DAY - 1
            for old in [held for held in self._days if held < oldest]:
                del self._days[old]
        return entries

    def remember_later(self, unique: bytes, topic: int, offset: int, at: int, content_sha256: bytes) -> None:
        """Remember an input when the memory is next asked: replaying a long log, most are too old by then.

        `unique` is what `key` compresses, as the log spells it.
        """
        self._later.append((unique, topic, offset, at, content_sha256))

    def _remember_now(self) -> None:
        if not self._later:
            return
        later, self._later = self._later, []
        newest = max(at for _, _, _, at, _ in later)
        day, entries = -1, {}
        for unique, topic, offset, at, content_sha256 in later:
            if newest - at <= DUPLICATE_WINDOW + DAY:  # the next input may be stamped a little before the newest
                if at // DAY != day:
                    day = at // DAY
                    entries = self._entries(day)
                digest = unhexlify(content_sha256[: 2 * _DIGEST_BYTES])
                entries[_compress(unique)] = _pack.pack(topic, offset, at, digest)

    def dump(self) -> list[tuple[int, list[tuple[str, str]]]]:
        """Spell it for a snapshot."""
        self._remember_now()
        return [
            (day, [(key.hex(), entry.hex()) for key, entry in entries.items()]) for day, entries in self._days.items()
        ]

    @classmethod
    def load(cls, days: list[tuple[int, list[tuple[str, str]]]]) -> "DuplicateMemory":
        """Read what `dump` spelled."""
        memory = cls()
        for day, entries in days:
            memory._days[day] = {bytes.fromhex(key): bytes.fromhex(entry) for key, entry in entries}
            memory._last_day = max(memory._last_day, day)
        return memory


def _compress(unique: bytes) -> bytes:
    return hashlib.blake2b(unique, digest_size=_KEY_BYTES).digest()
