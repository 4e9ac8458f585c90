"""What services decide in every scenario, folded: rows agree with the services' own state, and with their classes."""

import asyncio
from pathlib import Path

import pytest

from services.cli.console import Console
from services.cli.scenario.model import read_scenario
from services.cli.scenario.run import Simulation
from services.cli.scenario.show import Timeline
from services.views.database import Database
from services.views.projector import Projector
from services.views.running import Views
from services.views.urls import sqlite_url
from tests.support.agreement import check_agreement, posted, read_rows

FOLDER = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_rows_agree_with_the_services(path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        simulation = Simulation(read_scenario(path), path, Timeline(Console(as_json=False)))
        database = Database(sqlite_url(tmp_path / "views.sqlite"))
        try:
            await simulation.run()
            views = await Views.open(database, simulation.space, simulation.store)
            few = [
                Projector(simulation.space, views.model, simulation.store, number, fetch_max=20)
                for number in range(simulation.space.partitions)
            ]
            await Views(views.model, few).catch_up()
            inputs = posted(simulation.store.records)  # type: ignore[union-attr]
            assert inputs
            partitions = {place: engine.partition for place, engine in simulation.embedded.engines.items()}
            check_agreement(await read_rows(views), simulation.space, partitions, inputs)
        finally:
            await simulation.close()
            await database.close()

    asyncio.run(run())
