"""The portal over a told story, asked without a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from services.portal.app import create_app
from services.views.running import Views
from tests.unit.views.reading import views_of
from tests.unit.views.story import Logs, whole_story


class Asked(NamedTuple):
    client: httpx.AsyncClient
    views: Views
    logs: Logs


@asynccontextmanager
async def portal(folder: Path, logs: Logs) -> AsyncIterator[Asked]:
    async with views_of(logs, folder) as views:
        await views.catch_up()
        transport = httpx.ASGITransport(create_app(views.model))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
            yield Asked(client, views, logs)


def ask(folder: Path, question: Callable[[Asked], Awaitable[None]]) -> None:
    """Ask something of a portal over the whole story."""

    async def run() -> None:
        async with portal(folder, await whole_story(Logs())) as asked:
            await question(asked)

    asyncio.run(run())
