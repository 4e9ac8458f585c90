"""The store: what the engine needs of Kafka, SQLite or memory, and no more.

A store keeps topics of numbered partitions, each a sequence of records that it stamps when it appends them. One owner
at a time may commit to a log partition: `claim` returns an epoch and fences whoever had an earlier one. A commit is
atomic: log records, messages and decided offsets become visible together or not at all, though not in all partitions
at the same moment. Whatever goes wrong, the owner drops its state, claims again and reads the log.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from schemas.envelope import Outgoing, Position, Record


class Claim(NamedTuple):
    """The right to commit to a log partition, until somebody claims it with a later epoch."""

    log: str
    partition: int
    epoch: int


class Fetched(NamedTuple):
    """What a fetch of one topic partition brought.

    `next` is where to fetch on (beyond markers and aborted records), `end` the high watermark at that moment: records
    may exist below it that are not visible yet. An empty answer with `next < end` means: ask again.
    """

    records: Sequence[Record]
    next: int
    end: int


class Outcome(Enum):
    """How a commit ended."""

    OK = "ok"
    FENCED = "fenced"
    TOO_LARGE = "too large"
    UNKNOWN = "unknown"


class Committed(NamedTuple):
    """How a commit ended and, when it appended to the log, the offset from which to replay what comes after it.

    Only OK says what happened: FENCED, TOO_LARGE and UNKNOWN all mean that the log has to be read again.
    """

    outcome: Outcome
    log_end: int = -1


class Store(Protocol):
    """What the engine needs of a store. Topic names are without the space's prefix, which the store adds."""

    def now(self) -> int:
        """Return this process's clock, in milliseconds since the epoch."""

    async def incarnations(self, topics: Sequence[str], partition: int) -> Mapping[str, str]:
        """Read which life of each topic this is from its marker; raises StoreError where there is none."""

    async def claim(self, log: str, partition: int) -> Claim:
        """Become the owner of a log partition; everything committed before is visible to `replay` afterwards."""

    def replay(self, log: str, partition: int, start: int) -> AsyncIterator[Sequence[Record]]:
        """Read a log partition from an offset to its end, in batches that are never empty."""

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        """Read visible records of the given topics from the given offsets; every topic is in the answer."""

    async def end_offsets(self, partition: int, topics: Sequence[str], *, committed: bool) -> Mapping[str, int]:
        """Return end offsets: of what is visible, or (not `committed`) of all that was appended."""

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        """Append log records and messages and note the next offset to decide of each topic, in one transaction."""

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append records outside of any log: what producers and the relay do. Durable when it returns."""


class StoreError(RuntimeError):
    """The store cannot be used: the message says what is wrong and what to do."""
