"""The SQLite store: the embedded log of `demo` and `up`. Durable, one process.

WAL mode with `synchronous=FULL`: a commit is on disk when it returns. The file belongs to one process, which holds a
lock beside it; others may read it (`open_for_reading`) while it runs, and are refused when they try to write.
"""

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import orjson

from schemas.envelope import Outgoing, Position, Record

from .clock import Clock
from .markers import incarnation_of, marker
from .store import Claim, Committed, Fetched, Outcome, StoreError
from .wire import decode_headers, encode_headers

_CHUNK = 2_000
_PAGE_BYTES = 8_192
"""A row above a quarter of a page spills over into a page of its own: with SQLite's 4,096, most records would."""
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE topics (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, incarnation TEXT NOT NULL);
CREATE TABLE records (
    topic INTEGER NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL, appended_at INTEGER NOT NULL,
    key BLOB, value BLOB, headers BLOB NOT NULL, PRIMARY KEY (topic, part, position)
) WITHOUT ROWID;
CREATE TABLE epochs (log TEXT NOT NULL, part INTEGER NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (log, part));
CREATE TABLE offsets (
    log TEXT NOT NULL, part INTEGER NOT NULL, topic TEXT NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (log, part, topic)
);
"""
_FORMAT = 1


class SqliteStore:
    """A store in one SQLite file."""

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Clock, lock: IO[str] | None) -> None:
        self.path = path
        self.clock = clock
        self._connection = connection
        self._lock = lock
        try:
            meta = dict(connection.execute("SELECT name, value FROM meta"))
            topics = connection.execute("SELECT name, number, incarnation FROM topics").fetchall()
        except sqlite3.DatabaseError as error:
            self.close()
            text = f"{path} is not an Adjudex log: {error}"
            raise StoreError(text) from None
        self.space = str(orjson.loads(meta["space"]))
        self.partitions = int(orjson.loads(meta["partitions"]))
        self.config: dict[str, Any] = orjson.loads(meta["config"])
        self._numbers = {name: number for name, number, _ in topics}
        self._incarnations = {name: incarnation for name, _, incarnation in topics}
        self._ends = {
            (topic, partition): self._stored_end(topic, partition)
            for topic in self._numbers
            for partition in range(self.partitions)
        }

    # --- files

    @classmethod
    def create(
        cls,
        path: Path,
        space: str,
        topics: Iterable[str],
        partitions: int,
        clock: Clock,
        incarnation: Callable[[str], str],
        config: Mapping[str, Any],
    ) -> Self:
        """Create a space's file with its topics and markers; raises StoreError when it exists."""
        lock = _lock(path)
        if path.exists():
            lock.close()
            text = f"{path} exists already"
            raise StoreError(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft, isolation_level=None)
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        meta = {"format": _FORMAT, "space": space, "partitions": partitions, "config": dict(config)}
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(name, orjson.dumps(value)) for name, value in meta.items()]
        )
        for number, topic in enumerate(topics):
            life = incarnation(topic)
            connection.execute("INSERT INTO topics VALUES (?, ?, ?)", (number, topic, life))
            for partition in range(partitions):
                record = marker(space, topic, partition, life)
                row = (number, partition, 0, clock.now(), record.key, record.value, encode_headers(record.headers))
                connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("COMMIT")
        connection.close()
        draft.replace(path)
        return cls(path, _connect(path), clock, lock)

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open a space's file as its one owner; raises StoreError when another process has it."""
        if not path.exists():
            text = f"there is no log at {path}"
            raise StoreError(text)
        lock = _lock(path)
        try:
            return cls(path, _connect(path), clock, lock)
        except StoreError:
            lock.close()
            raise

    @classmethod
    def open_for_reading(cls, path: Path, clock: Clock) -> Self:
        """Open a space's file to read it, also while its owner runs: all topics as they are at this one moment."""
        if not path.exists():
            text = f"there is no log at {path}"
            raise StoreError(text)
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        connection.execute("BEGIN")
        return cls(path, connection, clock, None)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    # --- the contract

    def now(self) -> int:
        """Return the clock."""
        return self.clock.now()

    async def incarnations(self, topics: Sequence[str], partition: int) -> Mapping[str, str]:
        """Read each topic's marker."""
        found = {}
        for topic in topics:
            records = self._select(topic, partition, 0, 1) if topic in self._numbers else []
            found[topic] = incarnation_of(records[0] if records else None, topic, partition)
        return found

    async def claim(self, log: str, partition: int) -> Claim:
        """Fence earlier owners."""
        with self._transaction():
            row = self._connection.execute(
                "INSERT INTO epochs VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
                (log, partition),
            ).fetchone()
        return Claim(log, partition, row[0])

    async def replay(self, log: str, partition: int, start: int) -> AsyncIterator[Sequence[Record]]:
        """Read a log partition in chunks."""
        while records := self._select(log, partition, start, _CHUNK):
            yield records
            start = records[-1].offset + 1

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        """Read what is there."""
        answer = {}
        for topic, start in positions.items():
            end = self._ends[topic, partition]
            records = self._select(topic, partition, start, records_max) if start < end else []
            # Offsets have gaps where the log was copied from Kafka.
            following = records[-1].offset + 1 if records else max(start, end)
            answer[topic] = Fetched(records, following, end)
        return answer

    async def end_offsets(self, partition: int, topics: Sequence[str], *, committed: bool) -> Mapping[str, int]:
        """Return the ends: what is appended is visible here."""
        return {topic: self._ends[topic, partition] for topic in topics}

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        """Append everything in one SQLite transaction, unless somebody else owns the log by now."""
        place = (claim.log, claim.partition)
        epoch = self._connection.execute("SELECT epoch FROM epochs WHERE log = ? AND part = ?", place).fetchone()
        if epoch is None or epoch[0] != claim.epoch:
            return Committed(Outcome.FENCED)
        try:
            with self._transaction():
                ends = self._insert((*log, *sends))
                self._connection.executemany(
                    "INSERT INTO offsets VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
                    [(*place, topic, offset) for topic, offset in offsets.items()],
                )
        except (sqlite3.DataError, OverflowError):
            return Committed(Outcome.TOO_LARGE)
        self._ends.update(ends)
        return Committed(Outcome.OK, self._ends[place])

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append records of producers, durably."""
        with self._transaction():
            ends = self._insert(records)
        positions, counts = [], dict(self._ends)
        for record in records:
            place = (record.topic, record.partition)
            positions.append(Position(record.topic, self._incarnations[record.topic], record.partition, counts[place]))
            counts[place] += 1
        self._ends.update(ends)
        return positions

    async def read(self, topic: str, partition: int, start: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Read a topic partition as an outsider would."""
        async for records in self.replay(topic, partition, start):
            yield records

    def restore(self, records: Sequence[Record]) -> None:
        """Take in records of a copy as they are, with their offsets and times, in place of any that stand there."""
        with self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (self._numbers[topic], partition, offset, timestamp, key, value, encode_headers(headers))
                    for topic, partition, offset, timestamp, key, value, headers in records
                ],
            )
        for record in records:
            place = (record.topic, record.partition)
            self._ends[place] = max(self._ends[place], record.offset + 1)

    # --- SQL

    def _transaction(self) -> "_Transaction":
        if self._lock is None:
            text = f"{self.path} was opened for reading"
            raise StoreError(text)
        return _Transaction(self._connection)

    def _stored_end(self, topic: str, partition: int) -> int:
        row = self._connection.execute(
            "SELECT max(position) FROM records WHERE topic = ? AND part = ?", (self._numbers[topic], partition)
        ).fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def _select(self, topic: str, partition: int, start: int, limit: int) -> list[Record]:
        rows = self._connection.execute(
            "SELECT position, appended_at, key, value, headers FROM records"
            " WHERE topic = ? AND part = ? AND position >= ? ORDER BY position LIMIT ?",
            (self._numbers[topic], partition, start, limit),
        )
        return [
            Record(topic, partition, position, appended_at, key, value, decode_headers(headers))
            for position, appended_at, key, value, headers in rows
        ]

    def _insert(self, records: Sequence[Outgoing]) -> dict[tuple[str, int], int]:
        """Insert records and return the ends they lead to; the caller's transaction decides whether they stay."""
        ends: dict[tuple[str, int], int] = {}
        now, rows = self.clock.now(), []
        for record in records:
            place = (record.topic, record.partition)
            offset = ends.get(place, self._ends.get(place, -1))
            if offset < 0:
                text = f"there is no topic partition {record.topic}/{record.partition}"
                raise StoreError(text)
            packed = encode_headers(record.headers)
            rows.append((self._numbers[record.topic], record.partition, offset, now, record.key, record.value, packed))
            ends[place] = offset + 1
        self._connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return ends


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            # SQLite has already rolled back by itself where the disk was full.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.DatabaseError as error:
        connection.close()
        text = f"{path} is not an Adjudex log: {error}"
        raise StoreError(text) from None
    return connection


def _lock(path: Path) -> IO[str]:
    """Take the file's lock, or say who has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_suffix(path.suffix + ".lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        text = (
            f"{path} is in use by process {holder}: one process at a time writes an embedded log; stop that one first"
        )
        raise StoreError(text) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file
