"""Running the read model: all partitions beside an embedded space, one on Kafka, and building it anew."""

from collections.abc import Sequence
from typing import Self

from services.kernel.space import Space
from services.kernel.store import Store

from .database import Database
from .model import Difference, ReadModel
from .projector import Projector


class Views:
    """The read model of a space and a projector for each of its partitions, over one store.

    For a space that runs in one process: `step` it whenever logs may have grown. On Kafka, make a `Projector` with a
    store of its own for each partition that the process is given.
    """

    def __init__(self, model: ReadModel, projectors: Sequence[Projector]) -> None:
        self.model = model
        self.projectors = tuple(projectors)

    @classmethod
    async def open(cls, database: Database, space: Space, store: Store) -> Self:
        """Find or create the read model; raises ReadModelError where the database holds another space's."""
        model = ReadModel(database, space.name)
        await model.prepare()
        return cls(model, [Projector(space, model, store, partition) for partition in range(space.partitions)])

    async def step(self) -> int:
        """Fold what is there of every partition, once; return how many log records were read."""
        return sum([await projector.step() for projector in self.projectors])

    async def catch_up(self) -> int:
        """Fold until nothing new is there; return how many log records were read."""
        count = 0
        while read := await self.step():
            count += read
        return count

    async def close(self) -> None:
        """Close the database."""
        await self.model.database.close()


class Rebuild:
    """Builds the read model once more beside the one that is read, from the first log record on.

    The other goes on meanwhile. `build` until the new one has caught up, `compare`, then `switch`: whoever folds into
    the one that is read follows by itself.
    """

    def __init__(self, space: Space, model: ReadModel, store: Store) -> None:
        self.space = space
        self.model = model
        self.store = store

    async def build(self) -> int:
        """Create a generation and fold all logs into it; return how many records were read."""
        self.tables = await self.model.begin_rebuild()
        projectors = [
            Projector(self.space, self.model, self.store, partition, tables=self.tables)
            for partition in range(self.space.partitions)
        ]
        views = Views(self.model, projectors)
        return await views.catch_up()

    async def compare(self) -> Difference | None:
        """Return where the new one first differs from the one that is read, as far as both have read the logs."""
        async with self.model.database.reading() as connection:
            before = await self.model.current(connection)
        return await self.model.compare(before, self.tables)

    async def switch(self) -> None:
        """Read the new one from now on."""
        await self.model.switch(self.tables)
