"""What an input costs in a large aggregate, or among many, beside a small one."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.envelope import Input
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
    assessors,
    busy_product,
    deposit,
    filing,
    holdings,
    pooled_product,
    purchase,
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
    """What grows: the inputs that add entries by number, and which services decide them, one after the other."""

    name: str
    what: str
    services: tuple[str, ...]
    entries: Callable[[range], Iterable[Input]]
    principal: str = GATEWAY

    async def feed(self, world: World, first: int, count: int) -> None:
        """Append the inputs that add entries."""
        added = self.entries(range(first, first + count))
        await world.feed(records(SPACE, added, f"{self.name}-{first}", self.principal), BATCH)


def _reports(numbers: range) -> Iterator[Input]:
    """Of two reports the first opens an incident and the second joins it."""
    for number in numbers:
        yield report(f"seen-{number}", OCCURRED_AT + number // 2 * 2 * SECOND, BUSY)


_ASSESSORS = _Kind(
    "assessors", "an assessor registered with a stake, and known where votes count", ("assessors", "adjudication"),
    assessors,
)  # fmt: skip
_VOTES = _Kind(
    "votes", "a vote counted, in one round", ("adjudication",), lambda numbers: (vote(_CASE, n) for n in numbers)
)
_REPORTS = _Kind("reports", "a report joined or an incident opened, of one product", ("incidents",), _reports, BOTS[0])
_SALES = _Kind("sales", "a cover sold, by one pool", ("pools",), lambda numbers: map(purchase, numbers))


async def growth(meter: Meter, sizes: Sizes) -> Group:
    """Grow aggregates of both sizes, then measure in turn what the next inputs cost."""
    with TemporaryDirectory(prefix="adjudex-bench-") as folder:
        few = await _voted(Path(folder) / "few", sizes.entries_few, sizes)
        many = await _voted(Path(folder) / "many", sizes.entries_many, sizes)
        votes = await _row(meter, sizes, _VOTES, few, many)
        assessed = await _row(meter, sizes, _ASSESSORS, few, many)
        # Only now, because reports and sales have effects on siblings, which nobody waits for here.
        await _add(few, _REPORTS, sizes.entries_few)
        await _add(many, _REPORTS, sizes.entries_many)
        reports = await _row(meter, sizes, _REPORTS, few, many)
        await _sold(few, sizes.entries_few, sizes)
        await _sold(many, sizes.entries_many, sizes)
        sales = await _row(meter, sizes, _SALES, few, many)
        few.store.close()
        many.store.close()
    notes = [
        f"Processor time of an entry where there are {sizes.entries_many:,} of its kind, on SQLite,",
        f"beside the same with {sizes.entries_few:,}; {sizes.samples} times {sizes.sample} entries each, in turn.",
    ]
    return Group("Cost in large aggregates", notes, [votes, reports, sales, assessed])


async def _voted(path: Path, entries: int, sizes: Sizes) -> World:
    """Create a space with a round of so many votes; the assessors whose votes are measured are there too."""
    world = World.on_disk(path)
    await world.prepare()
    await world.feed(records(SPACE, busy_product(), "busy"))
    await world.drain("governance")
    await _add(world, _ASSESSORS, entries + sizes.sample * sizes.samples)
    await world.drain("incidents", "adjudication")
    await world.feed(records(SPACE, [registration(_HOLDING)], "register"))
    await world.feed(records(SPACE, [filing(_HOLDING)], "file"))
    await world.drain("claims")
    await world.drain("adjudication")
    await _add(world, _VOTES, entries)
    return world


async def _sold(world: World, entries: int, sizes: Sizes) -> None:
    """Let a pool sell so many covers; it has the capital for what is measured too."""
    await world.feed(records(SPACE, pooled_product(), "pooled"))
    await world.drain("governance")
    await world.drain("pools")
    await world.feed(records(SPACE, [deposit(entries + sizes.sample * sizes.samples)], "deposit"))
    await _add(world, _SALES, entries)


async def _add(world: World, kind: _Kind, count: int) -> None:
    for first in range(0, count, BATCH):
        await kind.feed(world, first, min(BATCH, count - first))
        await world.drain(*kind.services)


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
    """Return the seconds one of the next entries costs."""
    # Everybody who may vote is an assessor already; what is measured of assessors are new ones.
    first += count * 10_000 if kind is _ASSESSORS else 0
    refused = [world.engine(service).fates["refused"] for service in kind.services]
    await kind.feed(world, first, count)
    watch = Watch()
    with meter.cpu(section, watch):
        decided = await world.drain(*kind.services)
    assert decided >= count, (kind.name, decided)
    assert refused == [world.engine(service).fates["refused"] for service in kind.services], kind.name
    return watch.seconds / count
