"""Running seeds: one, or many in several processes."""

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import structlog

from tests.simulation.laws.law import LawBroken
from tests.simulation.simulation import Simulation, Summary
from tests.simulation.twins import demand_same, in_any_order, story


class RunFailed(AssertionError):
    """A run went wrong; the message says with which seed, and how to see it again."""


def run(seed: int, trace: Callable[[str], None] | None = None) -> Summary:
    """Run a seed, and a calm one also without faults; raises RunFailed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with tempfile.TemporaryDirectory() as folder:
            simulation = Simulation(seed, Path(folder) / "faults", trace=trace)
            summary = simulation.run()
            if simulation.plan.calm:
                twin = Simulation(seed, Path(folder) / "none", faultless=True)
                twin.run()
                if in_any_order(simulation.world) or in_any_order(twin.world):
                    summary.counts["run: calm, and left to chance"] += 1
                else:
                    demand_same(
                        story(simulation.world, simulation.witness.published), story(twin.world, twin.witness.published)
                    )
                    summary.counts["run: calm, and the same without faults"] += 1
    except Exception as error:
        what = str(error) if isinstance(error, LawBroken) else f"{type(error).__name__}: {error}"
        text = f"seed {seed}: {what}\nrepeat it with: python -m tests.simulation --seed {seed} --trace"
        raise RunFailed(text) from error
    return summary


def _attempt(seed: int) -> tuple[int, Summary | str]:
    try:
        return seed, run(seed)
    except RunFailed as failed:
        return seed, str(failed)


def run_many(seeds: Iterable[int], workers: int) -> Iterator[tuple[int, Summary | str]]:
    """Run seeds in several processes; of one that fails, yield what went wrong."""
    if workers == 1:
        yield from map(_attempt, seeds)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_attempt, seeds, chunksize=4)
