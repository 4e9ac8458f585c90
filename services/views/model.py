"""Generations of the read model: which one is read, which one is being built beside it, and how they compare."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, MetaData, Table, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import DropTable

import schemas
from services.kernel import records
from services.kernel.fingerprint import hash_of
from services.kernel.store import StoreError

from . import kinds as kinds_package
from .database import Database
from .kind import Kind
from .kinds import KINDS
from .tables import OPEN, Tables, catalogue, latest, prefix_of, tables_of

_CHUNK = 1_000
_NONE = "there is no read model yet: `adjudex up` or `adjudex run views` makes it"


class ReadModelError(StoreError):
    """The read model cannot be used: the message says why, and what to do."""


class Generation(NamedTuple):
    """One generation as the catalogue names it; `status` is `building`, `current` or `old`."""

    number: int
    status: str
    space: str
    fingerprint: str


class Difference(NamedTuple):
    """Where two generations differ first: the kind, the row's id, and both contents (None: no such version)."""

    kind: str
    id: str
    before: str | None
    after: str | None


@cache
def fingerprint() -> str:
    """Hash every source that decides what rows say: the folds, the tables, the schemas, and pydantic's version."""
    here = Path(__file__).parent
    files = {here / "kind.py", here / "tables.py", here / "projector.py", Path(str(records.__file__))}
    files |= set(Path(str(kinds_package.__file__)).parent.glob("*.py"))
    files |= set(Path(str(schemas.__file__)).parent.glob("*.py"))
    return hash_of(files)


def _has(connection: Connection, table: str) -> bool:
    return inspect(connection).has_table(table)


Progress = Mapping[tuple[str, int], int]
"""The next offset to fold of each log partition."""


class ReadModel:
    """The read model of one space in a database."""

    def __init__(self, database: Database, space: str, kinds: Sequence[Kind[Any]] = KINDS) -> None:
        self.database = database
        self.space = space
        self.kinds = tuple(kinds)
        self.logs = tuple(dict.fromkeys(log for kind in kinds for log in kind.logs))
        self._tables: dict[int, Tables] = {}
        self._is_catalogued = self._is_prepared = False
        self._catalogue = catalogue(self.tables(0).metadata)

    def tables(self, generation: int) -> Tables:
        """Return the tables of a generation."""
        if generation not in self._tables:
            self._tables[generation] = tables_of(generation, self.kinds)
        return self._tables[generation]

    async def generations(self, connection: AsyncConnection) -> list[Generation]:
        """Return every generation of the catalogue, the oldest first."""
        found = await connection.execute(select(self._catalogue).order_by(self._catalogue.c.generation))
        return [Generation(*row) for row in found]

    async def current(self, connection: AsyncConnection, *, to_write: bool = False) -> Tables:
        """Return the tables that are read; raises ReadModelError where there are none, or of another space.

        Also, to whoever wants to write, where another release makes them: rows of two releases are never mixed.
        """
        return await connection.run_sync(self.current_of, to_write=to_write)

    def current_of(self, connection: Connection, *, to_write: bool = False) -> Tables:
        """Do what `current` does, on a connection that does not wait."""
        catalogued = self._catalogue
        self._is_catalogued = self._is_catalogued or _has(connection, catalogued.name)
        if not self._is_catalogued:
            raise ReadModelError(_NONE)
        row = connection.execute(select(catalogued).where(catalogued.c.status == "current")).first()
        if row is None:
            raise ReadModelError(_NONE)
        generation = Generation(*row)
        if generation.space != self.space:
            raise ReadModelError(f"this database holds the read model of space {generation.space}, not {self.space}")
        if to_write and generation.fingerprint != fingerprint():
            raise ReadModelError("another release has taken over the read model: end this process, or that one's")
        return self.tables(generation.number)

    async def prepare(self) -> Tables:
        """Find what is read, creating it where there is none, or where another release has made what there is.

        What another release made says what that one would; it is made again from the logs. Only once in the life of a
        process: two releases that run side by side do not take the read model from each other again and again.
        """
        if self._is_prepared:
            async with self.database.reading() as connection:
                return await self.current(connection, to_write=True)
        tables = await self._prepare()
        self._is_prepared = True
        return tables

    async def _prepare(self) -> Tables:
        async with self.database.arranging() as connection:
            await connection.run_sync(self._catalogue.create, checkfirst=True)
            held = await self.generations(connection)
            now = next((generation for generation in held if generation.status == "current"), None)
            if now is not None:
                if now.space != self.space:
                    raise ReadModelError(f"this database holds the read model of space {now.space}, not {self.space}")
                if now.fingerprint == fingerprint():
                    return self.tables(now.number)
            tables = await self._create(connection, held, "current")
            for generation in held:
                await self._drop(connection, generation.number)
            return tables

    async def begin_rebuild(self) -> Tables:
        """Create a generation beside the one that is read; one that was begun and not ended is dropped."""
        async with self.database.arranging() as connection:
            held = await self.generations(connection)
            for generation in held:
                if generation.status != "current":
                    await self._drop(connection, generation.number)
            return await self._create(connection, held, "building")

    async def switch(self, tables: Tables) -> None:
        """Read a generation from now on; the one before stays until the next rebuild, for whoever still reads it."""
        async with self.database.arranging() as connection:
            catalogued = self._catalogue
            await connection.execute(catalogued.update().where(catalogued.c.status == "current").values(status="old"))
            await connection.execute(
                catalogued.update().where(catalogued.c.generation == tables.generation).values(status="current")
            )

    async def _create(self, connection: AsyncConnection, held: Sequence[Generation], status: str) -> Tables:
        tables = self.tables(max((generation.number for generation in held), default=0) + 1)
        if status == "current":
            catalogued = self._catalogue
            await connection.execute(catalogued.delete().where(catalogued.c.status == "current"))
        made = Generation(tables.generation, status, self.space, fingerprint())
        await connection.execute(self._catalogue.insert().values(tuple(made)))
        await connection.run_sync(tables.metadata.create_all, checkfirst=False)
        return tables

    async def _drop(self, connection: AsyncConnection, number: int) -> None:
        # By what is there, not by what there would be now: kinds come and go.
        for name in await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
            if name.startswith(prefix_of(number)):
                await connection.execute(DropTable(Table(name, MetaData())))
        await connection.execute(self._catalogue.delete().where(self._catalogue.c.generation == number))

    # --- what it holds

    async def progress(self, connection: AsyncConnection, tables: Tables) -> dict[tuple[str, int], int]:
        """Return how far every log partition is folded."""
        held = tables.progress.c
        found = await connection.execute(select(held.log, held.part, held.next_offset).order_by(held.log, held.part))
        return {(log, part): next_offset for log, part, next_offset in found}

    async def versions(
        self, connection: AsyncConnection, tables: Tables, kind: str, upto: Progress | None = None
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Read all versions of all rows of a kind, by id and offset; with `upto`, as they were at that progress."""
        table = tables.rows[kind]
        rows = await connection.stream(
            select(table).order_by(table.c.id, table.c.from_offset).execution_options(yield_per=_CHUNK)
        )
        until, until_at = table.c.keys().index("until_offset"), table.c.keys().index("until_at")
        log, part = table.c.keys().index("log"), table.c.keys().index("part")
        async for row in rows:
            version = list(row)
            end = OPEN if upto is None else upto.get((version[log], version[part]), 0)
            if version[1] >= end:
                continue
            if version[until] >= end:
                version[until] = version[until_at] = OPEN
            yield tuple(version)

    async def digest(self, connection: AsyncConnection, tables: Tables, upto: Progress | None = None) -> str:
        """Hash all that a generation says: the same logs give the same hash, on any database."""
        digest = hashlib.sha256()
        for kind in self.kinds:
            digest.update(f"{kind.name}\n".encode())
            async for version in self.versions(connection, tables, kind.name, upto):
                digest.update(repr(version).encode())
        return digest.hexdigest()

    async def compare(self, before: Tables, after: Tables) -> Difference | None:
        """Find the first difference between two generations, as far as both have read the logs."""
        async with self.database.reading() as connection:
            one, other = await self.progress(connection, before), await self.progress(connection, after)
            upto = {place: min(offset, other.get(place, 0)) for place, offset in one.items()}
            for kind in self.kinds:
                body = before.rows[kind.name].c.keys().index("body")
                first = aiter(self.versions(connection, before, kind.name, upto))
                second = aiter(self.versions(connection, after, kind.name, upto))
                while True:
                    was, now = await anext(first, None), await anext(second, None)
                    if was is None and now is None:
                        break
                    if was != now:
                        name = min(version[0] for version in (was, now) if version is not None)
                        held = [
                            version[body] if version is not None and version[0] == name else None
                            for version in (was, now)
                        ]
                        return Difference(kind.name, name, *held)
        return None

    async def count(self, connection: AsyncConnection, tables: Tables, kind: str) -> int:
        """Count the rows of a kind that exist now."""
        table = tables.rows[kind]
        counted = await connection.execute(select(func.count()).where(latest(table)))
        return int(counted.scalar_one())
