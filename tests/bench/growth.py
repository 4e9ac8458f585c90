"""What an input costs in a large aggregate beside a small one."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.envelope import Input, Outgoing
from schemas.instants import SECOND
from tests.bench.meter import Meter, Watch, tidy
from tests.bench.rows import Aim, Group, Row, Spread
from tests.bench.sizes import Sizes
from tests.bench.workload import (
    BATCH,
    BOTS,
    BUSY,
    GATEWAY,
    OCCURRED_AT,
    busy_product,
    filing,
    holdings,
    profile,
    records,
    registration,
    report,
    vote,
)
from tests.bench.world import SPACE, World

_FLAT = Aim("ratio", "at most", 1.3)
_HOLDING = holdings(1, 1)[0]
_CASE = f"claim/{_HOLDING.cover}/1"


class _Kind(NamedTuple):
    """An aggregate that grows: which service decides it, and the input that adds its nth entry."""

    name: str
    what: str
    service: str
    entry: Callable[[int], Input]
    principal: str = GATEWAY

    def records(self, first: int, count: int) -> list[Outgoing]:
        """Make the inputs that add entries."""
        return records(SPACE, map(self.entry, range(first, first + count)), f"{self.name}-{first}", self.principal)


def _report(number: int) -> Input:
    """Of two reports the first opens an incident and the second joins it."""
    return report(f"seen-{number}", OCCURRED_AT + number // 2 * 2 * SECOND, BUSY)


_PROFILES = _Kind("profiles", "an assessor profiled, in the one scope of governance", "governance", profile)
_VOTES = _Kind("votes", "a vote counted, in one round", "adjudication", lambda number: vote(_CASE, number))
_REPORTS = _Kind("reports", "a report joined or an incident opened, of one product", "incidents", _report, BOTS[0])


async def growth(meter: Meter, sizes: Sizes) -> Group:
    """Grow aggregates of both sizes, then measure in turn what the next inputs cost."""
    with TemporaryDirectory(prefix="adjudex-bench-") as folder:
        few = await _voted(Path(folder) / "few", sizes.entries_few, sizes)
        many = await _voted(Path(folder) / "many", sizes.entries_many, sizes)
        votes = await _row(meter, sizes, _VOTES, few, many)
        # Only now, because reports have effects on adjudication, which nobody waits for here.
        await _add(few, _REPORTS, sizes.entries_few)
        await _add(many, _REPORTS, sizes.entries_many)
        reports = await _row(meter, sizes, _REPORTS, few, many)
        profiles = await _row(meter, sizes, _PROFILES, few, many)
        few.store.close()
        many.store.close()
    notes = [
        f"Processor time of an input where its aggregate has {sizes.entries_many:,} entries, on SQLite,",
        f"beside the same with {sizes.entries_few:,}; {sizes.samples} times {sizes.sample} inputs each, in turn.",
    ]
    return Group("Cost in large aggregates", notes, [votes, reports, profiles])


async def _voted(path: Path, entries: int, sizes: Sizes) -> World:
    """Create a space with a round of so many votes; the assessors whose votes are measured have profiles too."""
    world = World.on_disk(path)
    await world.prepare()
    await world.feed(records(SPACE, busy_product(), "busy"))
    await _add(world, _PROFILES, entries + sizes.sample * sizes.samples)
    await world.drain("incidents", "adjudication")
    await world.feed(records(SPACE, [registration(_HOLDING)], "register"))
    await world.feed(records(SPACE, [filing(_HOLDING)], "file"))
    await world.drain("claims")
    await world.drain("adjudication")
    await _add(world, _VOTES, entries)
    return world


async def _add(world: World, kind: _Kind, count: int) -> None:
    for first in range(0, count, BATCH):
        await world.feed(kind.records(first, min(BATCH, count - first)), BATCH)
        await world.drain(kind.service)


async def _row(meter: Meter, sizes: Sizes, kind: _Kind, few: World, many: World) -> Row:
    costs: list[tuple[float, float]] = []
    tidy()
    for number in range(sizes.samples):
        spent = [
            await _sample(
                meter, f"growth.{kind.name}{suffix}", kind, world, entries + number * sizes.sample, sizes.sample
            )
            for world, entries, suffix in ((few, sizes.entries_few, ".few"), (many, sizes.entries_many, ""))
        ]
        costs.append((spent[0], spent[1]))
    ratio = Spread.of(large / small for small, large in costs)
    value = Spread.of(large * 1e6 for _, large in costs)
    return Row(f"growth.{kind.name}", kind.what, value, "µs", ratio, f"{sizes.entries_few:,} entries", _FLAT)


async def _sample(meter: Meter, section: str, kind: _Kind, world: World, first: int, count: int) -> float:
    """Return the seconds one of the next inputs costs."""
    # Everybody who may vote has a profile; what is measured of profiles are new ones.
    first += count * 10_000 if kind is _PROFILES else 0
    await world.feed(kind.records(first, count), count)
    watch = Watch()
    with meter.cpu(section, watch):
        decided = await world.drain(kind.service)
    assert decided == count, (kind.name, decided)
    return watch.seconds / count
