"""A read model of some logs in a file of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from services.views.database import Database
from services.views.kinds import BY_NAME
from services.views.query import AsOf, Query
from services.views.running import Views
from services.views.urls import sqlite_url
from tests.unit.views.story import Logs


@asynccontextmanager
async def views_of(logs: Logs, folder: Path, *, name: str = "views") -> AsyncIterator[Views]:
    database = Database(sqlite_url(folder / f"{name}.sqlite"))
    try:
        yield await Views.open(database, logs.space, logs.store)
    finally:
        await database.close()


async def row(views: Views, kind: str, row_id: str, as_of: AsOf = None) -> Any:  # noqa: ANN401 - JSON
    async with views.model.database.reading() as connection:
        query = await Query.at(views.model, connection)
        body = await query.get(BY_NAME[kind], row_id, as_of)
        return None if body is None else orjson.loads(body)


async def ids(views: Views, kind: str, as_of: AsOf = None, **filters: str) -> list[str]:
    async with views.model.database.reading() as connection:
        query = await Query.at(views.model, connection)
        page = await query.page(BY_NAME[kind], filters, 100, oldest_first=True, as_of=as_of)
        return [orjson.loads(body)["id"] for body in page.bodies]


async def digest(views: Views) -> str:
    async with views.model.database.reading() as connection:
        return await views.model.digest(connection, await views.model.current(connection))
