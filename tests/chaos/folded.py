"""How far the read model is, while its processes are killed and stopped; and in the end what it says."""

import asyncio
import contextlib
import sqlite3
import sys
from collections import defaultdict
from pathlib import Path

from services.cli.data import DataDirectory
from services.kernel import collector
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.space import Space
from services.kernel.store import StoreError
from services.views.database import Database
from services.views.model import ReadModel
from services.views.running import Rebuild, Views
from services.views.urls import sqlite_url
from tests.chaos.watch import Fresh, Place, Shadows
from tests.support.agreement import check_agreement, read_rows

_LOOK_S = 0.25


class Folded:
    """Looks at the read model in its database, as a portal does; `times` are the instants at which a part had grown."""

    def __init__(self, space: Space, database: Path) -> None:
        self.space = space
        self.times: dict[int, list[int]] = defaultdict(list)
        self._file = database
        self._database = Database(sqlite_url(database))
        self._model = ReadModel(self._database, space.name)
        self._reached: dict[int, int] = {}

    async def run(self, shadows: Shadows) -> None:
        """Look until cancelled."""
        while True:
            with contextlib.suppress(StoreError):
                self._note(await self.progress(), shadows.store.now())
            await asyncio.sleep(_LOOK_S)

    def _note(self, progress: dict[Place, int], now: int) -> None:
        for part in range(self.space.partitions):
            reached = sum(offset for (_, number), offset in progress.items() if number == part)
            if reached > self._reached.get(part, 0):
                self._reached[part] = reached
                self.times[part].append(now)

    async def progress(self) -> dict[Place, int]:
        """Return the next offset to fold of every log partition."""
        async with self._database.reading() as connection:
            return await self._model.progress(connection, await self._model.current(connection))

    async def is_free(self) -> bool:
        """Tell whether nobody is writing to the database."""

        def ask() -> bool:
            with contextlib.closing(sqlite3.connect(self._file, timeout=0.1, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    return False
                connection.execute("ROLLBACK")
                return True

        return await asyncio.to_thread(ask)

    def fresh(self) -> Fresh:
        """Return what says which partitions were folded further since now."""
        counts = {part: len(self.times[part]) for part in range(self.space.partitions)}

        async def ask() -> set[int]:
            return {part for part, count in counts.items() if len(self.times[part]) > count}

        return ask

    async def left(self, shadows: Shadows) -> list[str]:
        """Say which logs are not folded to their end, as shadows have read them."""
        progress = await self.progress()
        return [
            f"{shadow.service.log}/{shadow.index}: folded to {reached} of {shadow.position}"
            for held in shadows.all.values()
            for shadow in held
            if (reached := progress.get((shadow.service.log, shadow.index), 0)) < shadow.position
        ]

    async def agree(self, shadows: Shadows, inputs: set[str]) -> int:
        """Hold the rows against what services know; return how many there are."""
        partitions = {
            (service, shadow.index): await shadow.core() for service, held in shadows.all.items() for shadow in held
        }
        rows = await read_rows(Views(self._model, ()))
        check_agreement(rows, self.space, partitions, inputs)
        return sum(map(len, rows.values()))

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()


async def rebuilt(bootstrap: str, data: Path) -> str:
    """Build the read model of a space once more from its logs on a cluster, and compare."""
    directory = DataDirectory(data)
    space, database = directory.space(), Database(sqlite_url(directory.views))
    store = KafkaStore(space.name, space.partitions, KafkaSettings(bootstrap))
    try:
        rebuild = Rebuild(space, ReadModel(database, space.name), store)
        count = await rebuild.build()
        difference = await rebuild.compare()
    finally:
        await store.close()
        await database.close()
    assert difference is None, f"the read model is not what its logs give: {difference}"
    return f"{count:,} records folded again, and it is the same"


if __name__ == "__main__":
    # A process of its own: the other checks keep this one's core busy.
    with collector.paused():
        print(asyncio.run(rebuilt(sys.argv[1], Path(sys.argv[2]))))
