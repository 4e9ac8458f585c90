"""The read model of a run: projectors that fail, die and have rivals while the logs grow.

They only read, so that what they do changes nothing for anybody else: their chances are their own, and so are their
turns. A step runs to its end, as the database has threads of its own; what goes wrong in it goes wrong at its store
calls, before anything is written, or because a rival was quicker.
"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from services.kernel.engine import Engine
from services.kernel.space import Space
from services.views.database import Database
from services.views.model import ReadModel
from services.views.projector import Projector
from services.views.running import Rebuild, Views
from services.views.urls import sqlite_url
from tests.simulation.faults import Faults, Rates
from tests.simulation.handle import Crash, Handle, StoreFailure
from tests.simulation.laws.law import LawBroken
from tests.simulation.world import World
from tests.support.agreement import Partitions, check_agreement, posted, read_rows

EVERY = 0.01
"""How often a projector takes a step, in steps of a run."""
_RATES = Rates(crash=0.05, failure=0.05, rival=0.1)
Answer = TypeVar("Answer")


class ReadSide:
    """The read model of a space, and whoever folds its logs; more than one may believe that a partition is its own."""

    def __init__(self, space: Space, world: World, folder: Path, random: Random) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.space = space
        self.world = world
        self.faults = Faults(random, _RATES)
        self._random = random
        self._runner = asyncio.Runner()
        self._database = Database(sqlite_url(folder / "views.sqlite"))
        self._model = ReadModel(self._database, space.name)
        self._projectors: list[Projector] = []
        self._run(self._model.prepare())
        for partition in range(space.partitions):
            self._start(partition)

    def _run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        return self._runner.run(coroutine)

    def _start(self, partition: int) -> None:
        handle = Handle(self.world, self.faults, f"views/{partition}")
        fetch_max = self._random.choice((3, 20, 1_000))
        self._projectors.append(Projector(self.space, self._model, handle, partition, fetch_max=fetch_max))

    def turn(self) -> None:
        """Let a projector take a step now and then."""
        if self._random.random() >= EVERY:
            return
        projector = self._random.choice(self._projectors)
        if self.faults.strikes("rival"):
            self._start(projector.partition)
        try:
            self._run(projector.step())
        except StoreFailure:
            pass
        except Crash:
            self._projectors.remove(projector)
            self._start(projector.partition)

    def close(self) -> None:
        """Let go of the database."""
        self._run(self._database.close())
        self._runner.close()

    # --- the end

    def check(self, engines: list[Engine]) -> None:
        """Fold what is left, and hold the read model against a rebuild and against what the services know."""
        self.faults.heal()
        self._run(self._check({(engine.service.name, engine.index): engine.partition for engine in engines}))

    async def _check(self, partitions: Partitions) -> None:
        views = Views(self._model, self._projectors)
        await views.catch_up()
        await self._all_is_read()
        rebuild = Rebuild(self.space, self._model, self.world)
        await rebuild.build()
        difference = await rebuild.compare()
        if difference is not None:
            raise LawBroken(f"law 8: the read model is not what its logs give: {difference}")
        await rebuild.switch()
        try:
            check_agreement(await read_rows(views), self.space, partitions, posted(self.world.records))
        except AssertionError as error:
            raise LawBroken(f"law 8: rows do not say what the services know: {error}") from error

    async def _all_is_read(self) -> None:
        async with self._database.reading() as connection:
            told = await self._model.progress(connection, await self._model.current(connection))
        ends = {(log, part): len(self.world.records[log, part]) for log, part in told}
        if told != ends:
            raise LawBroken(f"the read model has read to {told}, and the logs end at {ends}")
