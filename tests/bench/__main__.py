"""`python -m tests.bench`: run the benchmark, or one section of it under the profiler."""

import asyncio
import json
import os
import platform
import sqlite3
import time
from collections.abc import Callable, Coroutine
from enum import Enum
from importlib.metadata import version
from typing import Annotated, Any

import typer

from tests.bench.durable import durable
from tests.bench.footprint import footprint
from tests.bench.growth import growth
from tests.bench.kafka import kafka
from tests.bench.meter import Meter, loops_per_second
from tests.bench.reach import reach
from tests.bench.rows import Group, as_json, table
from tests.bench.sizes import FULL, QUICK, Sizes
from tests.bench.speed import speed
from tests.bench.views import views


class Groups(Enum):
    """What is measured together."""

    DURABLE = "durable"
    SPEED = "speed"
    GROWTH = "growth"
    SIZE = "size"
    VIEWS = "views"
    REACH = "reach"
    KAFKA = "kafka"


_MEASURES: dict[Groups, Callable[[Meter, Sizes], Coroutine[None, None, Group]]] = {
    Groups.DURABLE: durable,
    Groups.SPEED: speed,
    Groups.GROWTH: growth,
    Groups.SIZE: footprint,
    Groups.VIEWS: views,
    Groups.REACH: reach,
    Groups.KAFKA: kafka,
}
_SECTIONS = {
    Groups.DURABLE: ("rival.save", "rival.save-batch", "durable.append", "durable.decided", "durable.single"),
    Groups.SPEED: tuple(
        f"{kind}.{name}" for name in ("claims", "votes") for kind in ("decide", "replay", "sqlite", "snapshot")
    ),
    Groups.GROWTH: ("growth.votes", "growth.reports", "growth.sales", "growth.assessors"),
    Groups.VIEWS: ("views.sqlite", "views.pg"),
    Groups.REACH: ("reach.payout",),
}
"""What can be profiled."""
_ALL_SECTIONS = [section for sections in _SECTIONS.values() for section in sections]


def main(
    groups: Annotated[list[Groups] | None, typer.Argument(help="Measure only these.", show_default="all")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
    in_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    profile: Annotated[
        str | None,
        typer.Option(metavar="SECTION", help=f"Profile one section instead: {', '.join(_ALL_SECTIONS)}."),
    ] = None,
) -> None:
    """Measure decisions, replay, growth, memory, the read side and Apache Kafka, in one run."""
    sizes = QUICK if quick else FULL
    if profile is not None:
        typer.echo(_profiled(profile, sizes))
        return
    started = time.perf_counter()
    results = []
    if not in_json:
        typer.echo(_opening(sizes))
    for name in groups or list(Groups):
        group = asyncio.run(_MEASURES[name](Meter(), sizes))
        results.append(group)
        if not in_json:
            typer.echo(table(group))
    if in_json:
        typer.echo(json.dumps({"machine": _machine(), "quick": quick, "groups": list(map(as_json, results))}, indent=2))
    else:
        typer.echo(_closing(results, time.perf_counter() - started))


def _profiled(section: str, sizes: Sizes) -> str:
    group = next((group for group, sections in _SECTIONS.items() if section in sections), None)
    if group is None:
        raise typer.BadParameter(
            f"{section} is no section; there are: {', '.join(_ALL_SECTIONS)}", param_hint="--profile"
        )
    meter = Meter(section)
    asyncio.run(_MEASURES[group](meter, sizes))
    return meter.hottest()


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "eventsourcing": version("eventsourcing"),
        "additions_per_second": round(loops_per_second()),
    }


def _opening(sizes: Sizes) -> str:
    machine = _machine()
    small = "\nSmall sizes: these numbers say that it works, not how fast it is." if sizes is QUICK else ""
    return (
        "Adjudex benchmark. Medians, with least and most in brackets. Rates are this machine's; ratios travel.\n"
        f"{machine['system']}, {machine['cores']} cores, {machine['python']}, SQLite {machine['sqlite']}, "
        f"eventsourcing {machine['eventsourcing']}\n"
        f"A plain loop adds {machine['additions_per_second'] / 1e6:.0f} million numbers a second here.{small}\n"
    )


def _closing(results: list[Group], seconds: float) -> str:
    aimed = [row for group in results for row in group.rows if row.met is not None]
    missed = [row.name for row in aimed if not row.met]
    verdict = f"not met: {', '.join(missed)}" if missed else "all met"
    return f"{len(aimed)} aims, {verdict}. {seconds:.0f} s. What limits each: docs/benchmarks.md"


typer.run(main)
