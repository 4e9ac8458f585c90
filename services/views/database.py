"""Where a read model is kept: SQLite in a file, or PostgreSQL; everything above speaks SQL through SQLAlchemy Core."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.kernel.store import StoreError

_BUSY_S = 30.0
_CHECKPOINT_S = 1.0
"""How often what was written to an SQLite file is moved from its journal, while there is any."""
_POSTGRES = {"idle_in_transaction_session_timeout": "10s"}
"""A projector that stands still in a transaction does not hold up its successor for ever."""
_BEGIN = "adjudex_begin"
_IMMEDIATE = {_BEGIN: "BEGIN IMMEDIATE"}
_LOCK = 0x41444A58
"""The number under which writers of the catalogue wait for each other on PostgreSQL."""
_Result = TypeVar("_Result")


class DatabaseError(StoreError):
    """The database does not answer, or cannot do what is asked; asking again later may help."""


class Database:
    """A database that holds read models. What is in it can always be made again from the logs.

    A reader sees one moment, however many statements it needs. Writers of one SQLite file take turns.
    """

    def __init__(self, url: str) -> None:
        """Take `sqlite+aiosqlite:///<path>` or `postgresql+asyncpg://<user>@<host>/<name>`; connects when used."""
        self.is_sqlite = url.startswith("sqlite")
        self._file: Engine | None = None
        if self.is_sqlite:
            engine = create_async_engine(url, connect_args={"timeout": _BUSY_S})
            _listen(engine.sync_engine)
            self._reader, self._writer = engine, engine.execution_options(**_IMMEDIATE)
            if engine.url.database not in {None, ":memory:"}:
                # One transaction is one thread's, the next may be another's.
                shared = {"timeout": _BUSY_S, "check_same_thread": False}
                file = create_engine(engine.url.set(drivername="sqlite"), connect_args=shared)
                _listen(file)
                event.listen(file, "connect", _leave_journal)
                self._file = file.execution_options(**_IMMEDIATE)
        else:
            engine = create_async_engine(url, connect_args={"server_settings": _POSTGRES})
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writer = engine
        self._engine = engine
        self._turn = asyncio.Lock()
        self._checkpoint: asyncio.Task[None] | None = None
        self._checkpointed_at = time.monotonic()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Read, all of it as it is at one moment; raises DatabaseError."""
        with _answering():
            async with self._reader.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Write in one transaction, undone when anything is raised; raises DatabaseError."""
        turn = self._turn if self.is_sqlite else nullcontext()
        with _answering():
            async with turn, self._writer.begin() as connection:
                yield connection

    async def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work in one transaction, undone when it raises; raises DatabaseError and whatever it raises.

        In an SQLite file all of it is done in one go by a thread: handing over each statement, as `writing` does, costs
        many times what the statement costs.
        """
        if self._file is None:
            async with self.writing() as connection:
                return await connection.run_sync(work)
        with _answering():
            async with self._turn:
                done = await asyncio.to_thread(_done, self._file, work)
        self._move_journal(self._file)
        return done

    def _move_journal(self, file: Engine) -> None:
        """Have the journal moved into the file by another thread: whoever writes does not wait for the disk."""
        now = time.monotonic()
        if now < self._checkpointed_at + _CHECKPOINT_S or not (self._checkpoint is None or self._checkpoint.done()):
            return
        self._checkpointed_at = now
        self._checkpoint = asyncio.create_task(asyncio.to_thread(_moved, file))

    @asynccontextmanager
    async def arranging(self) -> AsyncIterator[AsyncConnection]:
        """Write what several processes may want to write at once when they start, one after the other."""
        async with self.writing() as connection:
            if not self.is_sqlite:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        if self._checkpoint is not None:
            await self._checkpoint
        await self._engine.dispose()
        if self._file is not None:
            self._file.dispose()


def _done(file: Engine, work: Callable[[Connection], _Result]) -> _Result:
    with file.begin() as connection:
        return work(connection)


def _moved(file: Engine) -> None:
    # What a reader or another process stands in the way of is moved with what comes later.
    with suppress(sqlite3.OperationalError), closing(file.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")


@contextmanager
def _answering() -> Iterator[None]:
    """Say of what the database, and no bug of ours, causes that it does."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise DatabaseError(f"the read model's database: {error.orig}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseError(f"the read model's database: {error.orig}") from error
        raise
    except ConnectionError as error:
        raise DatabaseError(f"the read model's database: {error}") from error


def _listen(engine: Engine) -> None:
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _set_up_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
    # The driver would begin transactions by itself, and not where a reader needs one.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What a power cut takes with it is read from the logs again: rows and progress are lost together.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _leave_journal(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
    connection.execute("PRAGMA wal_autocheckpoint=0")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
