"""The loop that folds logs into rows: reads committed logs of one partition number, remembers how far in SQL.

Rows and progress are written in one transaction, which first moves the progress on from where this projector believes
it to be: of two projectors of one partition, the second finds that it has moved, writes nothing, and reads again. The
chain is checked on the way, so that a read model never goes on with another log than the one it began with.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from schemas.envelope import Message, Record, UnknownTypeError, current_wire, decode
from schemas.instants import parse_instant
from services.kernel.space import Space
from services.kernel.store import Fetched, Store
from services.kernel.wire import genesis, record_digest

from .kind import Keys, Kind, Meta, Row
from .model import ReadModel, ReadModelError
from .statements import closing, inserting, loading, moving
from .tables import OPEN, Tables, field_value

_LOADED_AT_ONCE = 500
_HELD_MAX = 20_000
_MARKER = b"topic.started.v1"
_UNTIL_OFFSET, _UNTIL_AT = 2, 6
"""Where the end of a version stands among the columns of its table."""


class _Place(NamedTuple):
    """How far a log partition is folded: next offset, chain there (hex), and the instant it has reached."""

    next_offset: int
    chain: str
    at: int


class _Instant(NamedTuple):
    """An instant that a log partition reached, and the offset after the last record of it."""

    log: str
    part: int
    at: int
    next_offset: int


class _Touched(NamedTuple):
    kind: Kind[Any]
    ids: tuple[str, ...]


class _Read(NamedTuple):
    """One log record, as far as it touches rows."""

    meta: Meta
    event: Message
    reached: int
    touched: tuple[_Touched, ...]


class _Held:
    """The latest version of a row: as stored, or about to be."""

    __slots__ = ("born_at", "born_offset", "from_offset", "pending", "row")

    def __init__(self, row: Row, from_offset: int, born_at: int, born_offset: int, pending: list[Any] | None) -> None:
        self.row = row
        self.from_offset = from_offset
        self.born_at = born_at
        self.born_offset = born_offset
        self.pending = pending


class MovedError(RuntimeError):
    """Another projector of this partition was quicker; nothing was written."""


class Projector:
    """Folds the logs of one partition number. Without `tables`, into whatever generation is read."""

    def __init__(
        self,
        space: Space,
        model: ReadModel,
        store: Store,
        partition: int,
        *,
        tables: Tables | None = None,
        fetch_max: int = 1_000,
    ) -> None:
        self.space = space
        self.model = model
        self.store = store
        self.partition = partition
        self.fetch_max = fetch_max
        self._fixed = tables
        self._tables = tables
        self._places: dict[str, _Place] | None = None
        self._fetch_from: dict[str, int] = {}
        self._ends: Mapping[str, int] = {}
        self._held: dict[str, dict[str, _Held | None]] = {}
        self._handlers = _handlers(model.kinds)
        self._every = {
            log: [(kind, kind.on[Message]) for kind in model.kinds if log in kind.logs and Message in kind.on]
            for log in model.logs
        }

    def drop(self) -> None:
        """Forget how far it read; the next step finds it in the database."""
        self._places = None
        self._tables = self._fixed
        self._held.clear()

    @property
    def is_ready(self) -> bool:
        """Whether it has found where it left off."""
        return self._places is not None

    @property
    def is_caught_up(self) -> bool:
        """Whether it has folded what was in the logs when it found where it left off; more may have come since."""
        return self._places is not None and all(self._fetch_from[log] >= end for log, end in self._ends.items())

    async def step(self) -> int:
        """Fold what one fetch brings; return how many log records were read.

        Raises ReadModelError where the log is not the one that was read before, or holds what this release does not
        know, and whatever the store or the database raise; the next step begins again from the database.
        """
        if self._places is None:
            await self._recover()
        assert self._places is not None
        answer = await self.store.fetch(self.partition, self._fetch_from, self.fetch_max)
        places = dict(self._places)
        read: list[_Read] = []
        instants: list[_Instant] = []
        count = 0
        following = {}
        for log in self.model.logs:
            whole = _whole(answer[log])
            following[log] = answer[log].next if len(whole) == len(answer[log].records) else whole[-1].offset + 1
            count += len(whole)
            if whole:
                places[log] = self._read(places[log], log, whole, read, instants)
        if count:
            try:
                await self._write(places, read, instants)
            except MovedError:
                self.drop()
                return count
            except BaseException:
                self.drop()
                raise
        self._places, self._fetch_from = places, following
        return count

    # --- where it left off

    async def _recover(self) -> None:
        logs = self.model.logs
        lives = await self.store.incarnations(logs, self.partition)
        ends = await self.store.end_offsets(self.partition, logs, committed=True)
        async with self.model.database.arranging() as connection:
            tables = self._fixed or await self.model.current(connection, to_write=True)
            held = tables.progress.c
            found = await connection.execute(select(tables.progress).where(held.part == self.partition))
            places = {row.log: _Place(row.next_offset, row.chain, row.at) for row in found}
            for log in logs:
                if log not in places:
                    places[log] = _Place(0, genesis(self.space.name, log, self.partition, lives[log]).hex(), 0)
                    row = {"log": log, "part": self.partition, **_columns(places[log])}
                    await connection.execute(tables.progress.insert().values(row))
        for log, place in places.items():
            if place.next_offset > ends[log]:
                text = (
                    f"{log}/{self.partition} ends at {ends[log]}, and the read model has read it to "
                    f"{place.next_offset}: this is another log, or records are lost; delete the read model to make it "
                    f"anew"
                )
                raise ReadModelError(text)
        self._tables, self._places, self._ends = tables, places, ends
        self._fetch_from = {log: place.next_offset for log, place in places.items()}
        self._held.clear()

    # --- reading

    def _read(
        self, place: _Place, log: str, records: Sequence[Record], read: list[_Read], instants: list[_Instant]
    ) -> _Place:
        """Check and read records of a log; add those that touch rows, and return how far the log is read.

        Of each instant that it reaches, `instants` gets where it ends.
        """
        handlers = self._handlers[log]
        chain, reached = place.chain, place.at
        for record in records:
            headers = dict(record.headers)
            wire = headers.get("ce_type", b"")
            if record.offset == 0 and wire == _MARKER:
                continue
            chain = self._next_chain(chain, record, headers)
            at = parse_instant(headers["ce_time"].decode())
            if instants and at <= reached and instants[-1].log == log:
                instants.pop()
            reached = max(reached, at)
            instants.append(_Instant(log, record.partition, reached, record.offset + 1))
            own = handlers.get(wire)
            if own is None:
                own = handlers[wire] = self._touching(log, wire, record)
            meta = Meta("", log, record.partition, record.offset, (record.key or b"").decode(), at, headers)
            touched = [_Touched(kind, ids) for kind, keys in self._every[log] if (ids := tuple(keys(None, meta)))]
            if not own and not touched:
                continue
            event = decode(wire.decode(), record.value or b"")
            for kind, keys in own:
                if ids := tuple(dict.fromkeys(keys(event, meta))):
                    touched.append(_Touched(kind, ids))
            read.append(_Read(meta, event, reached, tuple(touched)))
        return _Place(records[-1].offset + 1, chain, reached)

    def _next_chain(self, chain: str, record: Record, headers: Mapping[str, bytes]) -> str:
        after = record_digest(bytes.fromhex(chain), record.key, record.value, record.headers).hex()
        if headers.get("ce_chain", b"").decode() != after:
            text = (
                f"{record.position} does not follow what the read model has read: this "
                f"is another log, or a changed one; delete the read model to begin anew, `adjudex verify` says where"
            )
            raise ReadModelError(text)
        return after

    def _touching(self, log: str, wire: bytes, record: Record) -> list[tuple[Kind[Any], Keys]]:
        """Find which kinds an event of a type met for the first time touches: read under its present name."""
        try:
            now = current_wire(wire.decode())
        except UnknownTypeError:
            text = (
                f"{record.position} is a {wire.decode()}, which this release does not "
                f"know: run the read model with the release that wrote it, or a later one"
            )
            raise ReadModelError(text) from None
        return self._handlers[log].get(now.encode(), [])

    # --- writing

    async def _write(self, places: Mapping[str, _Place], read: Sequence[_Read], instants: Sequence[_Instant]) -> None:
        inserts = await self.model.database.write(
            lambda connection: self._carry_out(connection, places, read, instants)
        )
        for name, held in self._held.items():
            for one_row in inserts.get(name, ()):
                latest = held.get(one_row[0])
                if latest is not None:
                    latest.pending = None
            if len(held) > _HELD_MAX:
                held.clear()

    def _carry_out(
        self,
        connection: Connection,
        places: Mapping[str, _Place],
        read: Sequence[_Read],
        instants: Sequence[_Instant],
    ) -> Mapping[str, list[list[Any]]]:
        """Fold what was read, in a transaction that is open; return the versions that were added, kind by kind."""
        tables = self._fixed or self.model.current_of(connection, to_write=True)
        if self._tables is not tables:
            raise MovedError("another generation of the read model is read now")
        self._move(connection, tables, places)
        if instants:
            connection.exec_driver_sql(inserting(tables.instants, connection.dialect), [tuple(one) for one in instants])
        self._load(connection, tables, read)
        inserts: dict[str, list[list[Any]]] = defaultdict(list)
        closes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in read:
            for touched in one.touched:
                self._fold(one, touched, inserts, closes)
        for name, rows in closes.items():
            connection.execute(closing(tables.rows[name]), rows)
        for name, versions in inserts.items():
            inserted = inserting(tables.rows[name], connection.dialect)
            connection.exec_driver_sql(inserted, [tuple(version) for version in versions])
        return inserts

    def _move(self, connection: Connection, tables: Tables, places: Mapping[str, _Place]) -> None:
        assert self._places is not None
        for log, place in places.items():
            before = self._places[log]
            if place.next_offset == before.next_offset:
                continue
            where = {"of_log": log, "of_part": self.partition, "was": before.next_offset}
            moved = connection.execute(moving(tables.progress), where | _columns(place))
            if moved.rowcount != 1:
                raise MovedError(f"{log}/{self.partition} was read by another projector")

    def _load(self, connection: Connection, tables: Tables, read: Sequence[_Read]) -> None:
        """Bring the latest versions of all rows that are touched, in as few statements as there are kinds."""
        wanted: dict[str, dict[str, Meta]] = defaultdict(dict)
        kinds: dict[str, Kind[Any]] = {}
        for one in read:
            for kind, ids in one.touched:
                known = self._held.setdefault(kind.name, {})
                kinds[kind.name] = kind
                wanted[kind.name].update((row_id, one.meta) for row_id in ids if row_id not in known)
        for name, missing in wanted.items():
            known, absent = self._held[name], list(missing)
            for start in range(0, len(absent), _LOADED_AT_ONCE):
                some = absent[start : start + _LOADED_AT_ONCE]
                known.update(dict.fromkeys(some))
                for row in connection.execute(loading(tables.rows[name]), {"ids": some}):
                    meta = missing[row.id]
                    if (row.log, row.part) != (meta.log, meta.partition):
                        text = f"{name} {row.id} is written by {row.log}/{row.part} and by {meta.log}/{meta.partition}"
                        raise ReadModelError(text)
                    content = kinds[name].read(row.body)
                    known[row.id] = _Held(content, row.from_offset, row.born_at, row.born_offset, None)

    def _fold(
        self,
        one: _Read,
        touched: _Touched,
        inserts: dict[str, list[list[Any]]],
        closes: dict[str, list[dict[str, Any]]],
    ) -> None:
        kind, known = touched.kind, self._held[touched.kind.name]
        meta, reached = one.meta, one.reached
        for name in touched.ids:
            held = known[name]
            before = held.row if held else None
            after = kind.fold(before, one.event, Meta._make((name, *meta[1:])))
            if after is before:
                continue
            if held is not None and held.pending is not None:
                held.pending[_UNTIL_OFFSET], held.pending[_UNTIL_AT] = meta.offset, reached
            elif held is not None:
                closes[kind.name].append(
                    {
                        "row_id": name,
                        "row_from": held.from_offset,
                        "until_offset": meta.offset,
                        "until_at": reached,
                    }
                )
            if after is None:
                known[name] = None
                continue
            born_at, born_offset = (held.born_at, held.born_offset) if held else (reached, meta.offset)
            pending = [name, meta.offset, OPEN, meta.log, meta.partition, reached, OPEN, born_at, born_offset]
            pending.append(after.to_bytes().decode())
            pending += (field_value(getattr(after, field)) for field in kind.filters)
            inserts[kind.name].append(pending)
            known[name] = _Held(after, meta.offset, born_at, born_offset, pending)


def _columns(place: _Place) -> dict[str, Any]:
    return {"next_offset": place.next_offset, "chain": place.chain, "at": place.at}


def _handlers(kinds: Sequence[Kind[Any]]) -> dict[str, dict[bytes, list[tuple[Kind[Any], Keys]]]]:
    """Say which kinds each type of event touches, log by log."""
    handlers: dict[str, dict[bytes, list[tuple[Kind[Any], Keys]]]] = {}
    for log in dict.fromkeys(log for kind in kinds for log in kind.logs):
        handlers[log] = defaultdict(list)
        for kind in kinds:
            if log in kind.logs:
                for model, keys in kind.on.items():
                    if model is not Message:
                        handlers[log][model.wire.encode()].append((kind, keys))
        handlers[log] = dict(handlers[log])
    return handlers


def _whole(fetched: Fetched) -> Sequence[Record]:
    """Leave the events of the last cause for the next fetch where their rest may not be here: all are shown, or none.

    Unless the fetch brings nothing else: then there are more of them than are taken at once.
    """
    records = fetched.records
    if not records or fetched.next >= fetched.end or fetched.next > records[-1].offset + 1:
        return records
    last = _cause(records[-1])
    end = len(records) - 1
    while end and last is not None and _cause(records[end - 1]) == last:
        end -= 1
    return records[:end] if end else records


def _cause(record: Record) -> tuple[bytes, bytes] | None:
    headers = dict(record.headers)
    position = headers.get("ce_input")
    return None if position is None else (position, headers.get("ce_causationid", b""))
