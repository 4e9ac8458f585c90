"""The read side beside an embedded space, or alone: the read model kept up to date, the API and the console served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from services.cli.console import FINE, OperationRefusedError
from services.cli.signals import until_signal
from services.kernel import collector
from services.kernel.space import Space
from services.kernel.store import Store
from services.portal.app import Serving, create_app, listen
from services.views.database import Database
from services.views.model import ReadModel, ReadModelError
from services.views.running import Views


class ReadSide:
    """Views of a space that runs in this process, and the portal over them; `address` is where it is served."""

    def __init__(self, views: Views, address: str) -> None:
        self._views = views
        self.address = address

    @classmethod
    @asynccontextmanager
    async def of(cls, space: Space, store: Store, url: str, web: str) -> AsyncIterator[Self]:
        """Catch up and serve at `HOST:PORT`; raises OperationRefusedError where that is not possible."""
        database = Database(url)
        try:
            views = await Views.open(database, space, store)
            await views.catch_up()
            async with _served(views.model, web) as address:
                yield cls(views, address)
        except ReadModelError as error:
            raise OperationRefusedError(str(error), "delete the read model: it is made again from the logs") from None
        finally:
            await database.close()

    async def step(self) -> int:
        """Fold what was decided since; return how many log records were read."""
        return await self._views.step()


def check_address(web: str) -> None:
    """Raise OperationRefusedError where nothing can be served at `HOST:PORT` now."""
    host, _, port = web.rpartition(":")
    try:
        listen(host, int(port)).close()
    except OSError as error:
        raise _unusable(web, error) from None


def _unusable(web: str, error: OSError) -> OperationRefusedError:
    return OperationRefusedError(f"cannot serve at {web}: {error.strerror or error}", "choose another HOST:PORT")


@asynccontextmanager
async def _served(model: ReadModel, web: str) -> AsyncIterator[str]:
    host, _, port = web.rpartition(":")
    serving = Serving(create_app(model), host, int(port))
    try:
        address = await serving.start()
    except OSError as error:
        raise _unusable(web, error) from None
    collector.keep()
    try:
        yield address
    finally:
        await serving.stop()


async def serve_alone(space: Space, url: str, web: str) -> int:
    """Serve a read model that another process keeps, until SIGINT or SIGTERM; returns the exit code."""
    database = Database(url)
    try:
        async with _served(ReadModel(database, space.name), web):
            await until_signal().wait()
    finally:
        await database.close()
    return FINE
