"""`adjudex simulate`: runs scenario files and says which expectations were met."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from services.cli.console import FINDINGS, FINE, Console, OperationRefusedError, complain
from services.cli.data import DataDirectory
from services.cli.scenario.model import ScenarioError, read_scenario
from services.cli.scenario.run import Simulation
from services.cli.scenario.show import Lines, Show, Timeline
from services.kernel.engine import PartitionStoppedError

WRONG_FILE = 2
"""Exit code where a file is no scenario: like wrong usage."""


def simulate(files: Sequence[Path], console: Console, data: DataDirectory | None = None) -> int:
    """Run files one after the other; `data` keeps the log of one. Returns the exit code.

    0: every expectation was met; 1: one was not, or a service stopped; 2: a file is wrong. Every file is looked at,
    whatever became of those before it.
    """
    if data is not None:
        _check(files, data)
    # One show for all, so that an empty line stands between two.
    show = Lines(console) if console.as_json else Timeline(console)
    return max([asyncio.run(_simulate(path, console, show, data)) for path in files], default=FINE)


def _check(files: Sequence[Path], data: DataDirectory) -> None:
    if len(files) > 1:
        raise OperationRefusedError("a directory keeps the log of one scenario", "name one file, or no --data")
    if data.file.exists() or data.description.exists():
        raise OperationRefusedError(f"{data.path} has a space", "name another directory with --data, or none")
    data.path.mkdir(parents=True, exist_ok=True)


async def _simulate(path: Path, console: Console, show: Show, data: DataDirectory | None) -> int:
    try:
        simulation = Simulation(read_scenario(path), path, show, None if data is None else data.file)
        try:
            result = await simulation.run()
        finally:
            await simulation.close()
    except ScenarioError as error:
        for problem in error.problems:
            complain(problem, "docs/scenarios.md explains the format", as_json=console.as_json)
        return WRONG_FILE
    except PartitionStoppedError as error:
        complain(f"{path}: {error}", "report this bug, with the scenario", as_json=console.as_json)
        return FINDINGS
    return FINDINGS if result.failures else FINE
