"""`adjudex simulate`: runs scenario files and says which expectations were met."""

import asyncio
from collections.abc import Mapping, Sequence
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
    codes = {path: asyncio.run(_simulate(path, console, show, data)) for path in files}
    if len(codes) > 1:
        _sum_up(codes, console)
    return max(codes.values(), default=FINE)


def _sum_up(codes: Mapping[Path, int], console: Console) -> None:
    """Say of several files which failed: what each has to say of itself stands far above."""
    failed = [str(path) for path, code in codes.items() if code == FINDINGS]
    wrong = [str(path) for path, code in codes.items() if code == WRONG_FILE]
    fine = len(codes) - len(failed) - len(wrong)
    lines = [f"{fine} of {len(codes)} scenarios are as expected"]
    lines += [f"  failed  {path}" for path in failed] + [f"  wrong   {path}" for path in wrong]
    console.put({"kind": "summary", "scenarios": len(codes), "failed": failed, "wrong": wrong}, "", *lines)


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
