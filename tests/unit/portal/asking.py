"""The portal over a told story, asked without a socket."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
from fastapi import FastAPI

from services.portal.app import create_app
from services.views.database import Database
from services.views.model import ReadModel
from services.views.running import Views
from services.views.urls import sqlite_url
from tests.unit.views.reading import views_of
from tests.unit.views.story import Logs, whole_story


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as client:
        yield client


@asynccontextmanager
async def portal(folder: Path, logs: Logs) -> AsyncIterator[tuple[httpx.AsyncClient, Views]]:
    """A portal over logs that may grow."""
    async with views_of(logs, folder) as views:
        await views.catch_up()
        async with client_of(create_app(views.model)) as client:
            yield client, views


class Told:
    """A portal over the whole story, made once."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        asyncio.run(self._tell())
        self._database = Database(sqlite_url(Path(self._folder.name) / "views.sqlite"))
        self.app = create_app(ReadModel(self._database, "main"))

    async def _tell(self) -> None:
        async with views_of(await whole_story(Logs()), Path(self._folder.name)) as views:
            await views.catch_up()

    async def asked(self, question: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        try:
            async with client_of(self.app) as client:
                await question(client)
        finally:
            await self._database.close()


@cache
def told() -> Told:
    return Told()


def ask(question: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Ask something of a portal over the whole story."""
    asyncio.run(told().asked(question))
