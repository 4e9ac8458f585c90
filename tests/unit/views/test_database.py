"""How an SQLite file is written: in one go, undone as a whole, and moved from its journal beside the writers."""

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection

from services.views import database as module
from services.views.database import Database
from services.views.urls import sqlite_url

_PATIENCE_S = 30.0


def _count(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])


def _count_without_journal(file: Path, copy: Path) -> int:
    """Count what the file alone says: a copy made while it is written to may be no database."""
    shutil.copyfile(file, copy)
    try:
        return _count(copy)
    except sqlite3.DatabaseError:
        return 0


def _created(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE numbers (number INTEGER)")


def _added(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")


def test_what_is_written__is_moved_from_the_journal_while_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHECKPOINT_S", 0.0)
    file, copy = tmp_path / "views.sqlite", tmp_path / "copy.sqlite"

    async def run() -> None:
        database = Database(sqlite_url(file))
        try:
            await database.write(_created)
            async with asyncio.timeout(_PATIENCE_S):
                while _count_without_journal(file, copy) < 3:
                    await database.write(_added)
                    async with database.reading() as connection:
                        assert (await connection.exec_driver_sql("SELECT count(*) FROM numbers")).scalar_one() > 0
        finally:
            await database.close()

    asyncio.run(run())


def test_work_that_raises__is_undone(tmp_path: Path) -> None:
    file = tmp_path / "views.sqlite"

    def failing(connection: Connection) -> None:
        _added(connection)
        raise KeyError("no")

    async def run() -> None:
        database = Database(sqlite_url(file))
        try:
            await database.write(_created)
            await database.write(_added)
            with pytest.raises(KeyError):
                await database.write(failing)
        finally:
            await database.close()

    asyncio.run(run())
    assert _count(file) == 1
