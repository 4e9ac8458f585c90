"""How much memory an open claim takes, measured in processes of their own."""

import asyncio
import gc
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]

from tests.bench.meter import Meter
from tests.bench.rows import Aim, Group, Row, Spread
from tests.bench.sizes import Sizes
from tests.bench.workload import BATCH, filing, holdings, records, registration
from tests.bench.world import SPACE, World

_WARM_UP = 1_000
_AIM = Aim("value", "at most", 3_000)


async def footprint(_: Meter, sizes: Sizes) -> Group:
    """Let one process open claims, and another one replay what it left."""
    with TemporaryDirectory(prefix="adjudex-bench-") as folder:
        path = Path(folder) / "log"
        grown, restarted = _child("grow", path, sizes.open_claims), _child("restart", path, sizes.open_claims)
    notes = [
        f"Resident memory that {sizes.open_claims:,} open claims add to a process, divided by their number.",
        "Counted: cover and claim in claims; case, open ballot and deadline in adjudication; what its holder holds",
        "in assessors; 4 entries of duplicate memory (registration, filing, messages to the case and to the holder);",
        "keys, tables, caches. The log is on disk.",
    ]
    rows = [
        Row("size.grown", "in the process that decided them", Spread.of([grown]), "bytes", aim=_AIM),
        Row(
            "size.restarted",
            "in a process that replayed them, with what replaying left unused",
            Spread.of([restarted]),
            "bytes",
        ),
    ]
    return Group("Memory of an open claim", notes, rows)


def _child(what: str, path: Path, claims: int) -> float:
    command = [sys.executable, "-m", "tests.bench.footprint", what, str(path), str(claims)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


async def _grow(path: Path, claims: int) -> float:
    """Open claims, after some that make everything warm; return the bytes each takes."""
    world = World.on_disk(path)
    await world.prepare()
    await _open(world, 0, _WARM_UP)
    before, opened = _resident(), 0
    for first in range(_WARM_UP, _WARM_UP + claims, _WARM_UP):
        opened += await _open(world, first, _WARM_UP)
    after = _resident()
    assert len(world.engine("adjudication").partition.states) >= opened
    return (after - before) / opened


async def _restart(path: Path, claims: int) -> float:
    """Replay what `_grow` left and decide one more; return the bytes each claim takes."""
    world = World.on_disk(path)
    before = _resident()
    await _open(world, _WARM_UP + claims, 2)
    after = _resident()
    return (after - before) / len(world.engine("claims").partition.states)


async def _open(world: World, first: int, count: int) -> int:
    """Register covers and file claims; return how many claims are opened, for some ask for too much."""
    given = holdings(first, count)
    await world.feed(records(SPACE, map(registration, given), f"register-{first}"), BATCH)
    await world.feed(records(SPACE, map(filing, given), f"file-{first}"), BATCH)
    await world.drain("claims")
    await world.drain("adjudication", "assessors")
    return sum(not holding.is_refused for holding in given)


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    measure = {"grow": _grow, "restart": _restart}[sys.argv[1]]
    print(asyncio.run(measure(Path(sys.argv[2]), int(sys.argv[3]))))
