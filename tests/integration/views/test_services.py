"""What services decide in every scenario, folded: rows agree with the services' own state, and with their classes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import INPUTS
from services.cli.console import Console
from services.cli.scenario.model import read_scenario
from services.cli.scenario.run import Simulation
from services.cli.scenario.show import Timeline
from services.kernel.partitioner import partition_of
from services.views.database import Database, sqlite_url
from services.views.projector import Projector
from services.views.running import Views
from tests.support.agreement import check_agreement, read_rows

FOLDER = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_rows_agree_with_the_services(path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        simulation = Simulation(read_scenario(path), path, Timeline(Console(as_json=False)))
        database = Database(sqlite_url(tmp_path / "views.sqlite"))

        def state(service: str, key: str) -> Any:  # noqa: ANN401 - each kind of aggregate its own
            number = partition_of(key, simulation.space.partitions)
            return simulation.embedded.partition(service, number).state(key)

        try:
            await simulation.run()
            views = await Views.open(database, simulation.space, simulation.store)
            few = [
                Projector(simulation.space, views.model, simulation.store, number, fetch_max=20)
                for number in range(simulation.space.partitions)
            ]
            await Views(views.model, few).catch_up()
            streams = {stream.name for stream in INPUTS}
            posted = [
                record.position
                for (topic, _), records in simulation.store.records.items()  # type: ignore[union-attr]
                for record in records[1:]
                if topic in streams
            ]
            assert posted
            check_agreement(await read_rows(views), state, posted)
        finally:
            await simulation.close()
            await database.close()

    asyncio.run(run())
