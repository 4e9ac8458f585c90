"""`adjudex simulate`: runs scenario files and says which expectations were met."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from services.cli.console import FINDINGS, FINE, Console, complain
from services.cli.scenario.model import ScenarioError, read_scenario
from services.cli.scenario.run import Simulation
from services.cli.scenario.show import Lines, Timeline
from services.kernel.engine import PartitionStoppedError

WRONG_FILE = 2
"""Exit code where a file is no scenario: like wrong usage."""


def simulate(files: Sequence[Path], console: Console) -> int:
    """Run files one after the other; returns the exit code.

    0: every expectation was met; 1: one was not, or a service stopped; 2: a file is wrong. Every file is looked at,
    whatever became of those before it.
    """
    return max([asyncio.run(_simulate(path, console)) for path in files], default=FINE)


async def _simulate(path: Path, console: Console) -> int:
    show = Lines(console) if console.as_json else Timeline(console)
    try:
        simulation = Simulation(read_scenario(path), path, show)
        result = await simulation.run()
    except ScenarioError as error:
        for problem in error.problems:
            complain(problem, "docs/scenarios.md explains the format", as_json=console.as_json)
        return WRONG_FILE
    except PartitionStoppedError as error:
        complain(f"{path}: {error}", "report this bug, with the scenario", as_json=console.as_json)
        return FINDINGS
    return FINDINGS if result.failures else FINE
