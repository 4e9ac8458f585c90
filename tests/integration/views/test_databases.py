"""The same logs say the same to the last byte: in SQLite and PostgreSQL, built once and built again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from services.portal.app import create_app
from services.views import database
from services.views.database import Database, DatabaseError
from services.views.kinds import KINDS
from services.views.projector import Projector
from services.views.running import Rebuild, Views
from services.views.urls import sqlite_url
from tests.support.postgres import PostgresServer, postgres
from tests.unit.views.reading import digest
from tests.unit.views.story import SPACE, Logs, product, sell, whole_story


def _sqlite(folder: Path) -> str:
    return sqlite_url(folder / "views.sqlite")


def _postgres(_: Path) -> str:
    return postgres().new_database()


@pytest.fixture(params=[_sqlite, _postgres], ids=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    make: Callable[[Path], str] = request.param
    return make(tmp_path)


async def _logs() -> Logs:
    """The story, and names that languages and bytes order differently."""
    logs = await whole_story(Logs())
    for name in ("Zeta", "alpha", "a-b", "ab", "a.c", "_".join("Ab"), "a_b"):
        await logs.write("governance", "scope/main", product(name))
    for number in (10, 9, 2):
        await sell(logs, number)
    return logs


def test_the_same_bytes__on_sqlite_and_postgres(tmp_path: Path) -> None:
    async def run() -> None:
        logs, digests, answers = await _logs(), [], []
        for url in (_sqlite(tmp_path), _postgres(tmp_path)):
            database = Database(url)
            try:
                views = await Views.open(database, SPACE, logs.store)
                await views.catch_up()
                digests.append(await digest(views))
                answers.append(await _answers(views))
            finally:
                await database.close()
        assert digests[0] == digests[1]
        assert answers[0] == answers[1]

    asyncio.run(run())


async def _answers(views: Views) -> list[bytes]:
    """Ask for every list in both orders, page by page, and for every row."""
    transport = httpx.ASGITransport(create_app(views.model))
    found = []
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        for kind in KINDS:
            for order in ("newest", "oldest"):
                path = f"/v1/{kind.name}?order={order}&limit=4"
                while path:
                    answer = await client.get(path)
                    assert answer.status_code == 200, answer.text
                    found.append(answer.content)
                    path = answer.json()["next"]
                    if order == "oldest":
                        for item in answer.json()["items"]:
                            one = await client.get(f"/v1/{kind.name}/{item['id']}")
                            assert one.status_code == 200, one.text
                            found.append(one.content)
    return found


def test_rebuilt__the_same_bytes(url: str) -> None:
    async def run() -> None:
        logs, database = await _logs(), Database(url)
        try:
            views = await Views.open(database, SPACE, logs.store)
            await views.catch_up()
            before, answers = await digest(views), await _answers(views)
            rebuild = Rebuild(SPACE, views.model, logs.store)
            await rebuild.build()
            assert await rebuild.compare() is None
            await rebuild.switch()
            assert await digest(views) == before
            assert await _answers(views) == answers
            await sell(logs, 77)
            await views.catch_up()
            assert await digest(views) != before
            again = Rebuild(SPACE, views.model, logs.store)
            await again.build()
            assert await again.compare() is None
        finally:
            await database.close()

    asyncio.run(run())


def test_rivals__fold_each_record_once(url: str) -> None:
    async def run() -> None:
        logs, one, other = await _logs(), Database(url), Database(url)
        try:
            views = await Views.open(one, SPACE, logs.store)
            rivals = await Views.open(other, SPACE, logs.store)
            slow = Views(
                rivals.model, [Projector(SPACE, rivals.model, logs.store, part, fetch_max=3) for part in range(4)]
            )
            while any(await asyncio.gather(views.projectors[0].step(), slow.step())):
                pass
            await views.catch_up()
            rebuild = Rebuild(SPACE, views.model, logs.store)
            await rebuild.build()
            assert await rebuild.compare() is None
        finally:
            await one.close()
            await other.close()

    asyncio.run(run())


def test_a_reader_sees_one_moment__while_rows_are_written(url: str) -> None:
    async def run() -> None:
        logs, database = Logs(), Database(url)
        await sell(logs, 1)
        try:
            views = await Views.open(database, SPACE, logs.store)
            await views.catch_up()
            async with database.reading() as connection:
                tables = await views.model.current(connection)
                before = await views.model.digest(connection, tables)
                await sell(logs, 2)
                await views.catch_up()
                assert await views.model.digest(connection, tables) == before
            assert await digest(views) != before
        finally:
            await database.close()

    asyncio.run(run())


def test_a_projector_that_stands_still_while_it_writes__does_not_hold_up_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        logs, url = Logs(), postgres().new_database()
        other = Database(url)
        # The one that goes on keeps the usual time: a busy machine takes longer than this between two statements.
        monkeypatch.setattr(database, "_POSTGRES", {"idle_in_transaction_session_timeout": "2s"})
        still = Database(url)
        try:
            views = await Views.open(other, SPACE, logs.store)
            await views.catch_up()
            await sell(logs)
            folded: list[int] = []
            with pytest.raises(DatabaseError):
                await _hold_until_folded(views, still, folded)
            assert folded[0] > 0
            rebuild = Rebuild(SPACE, views.model, logs.store)
            await rebuild.build()
            assert await rebuild.compare() is None
        finally:
            await still.close()
            await other.close()

    asyncio.run(run())


async def _hold_until_folded(views: Views, still: Database, folded: list[int]) -> None:
    """Hold every row of the progress until somebody else has folded; then there is no session to commit any more."""
    async with still.writing() as connection:
        tables = await views.model.current(connection)
        await connection.execute(tables.progress.update().values(at=0))
        folded.append(await views.catch_up())


def test_a_database_that_is_gone__is_said_and_asked_again() -> None:
    async def run() -> None:
        server, logs = PostgresServer(), Logs()
        database = Database(server.new_database())
        try:
            views = await Views.open(database, SPACE, logs.store)
            await views.catch_up()
            server.stop()
            await sell(logs)
            with pytest.raises(DatabaseError):
                await views.catch_up()
            transport = httpx.ASGITransport(create_app(views.model))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
                answer = await client.get("/ready")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["detail"] == "the database of the read model does not answer"
        finally:
            await database.close()
            server.stop()

    asyncio.run(run())
