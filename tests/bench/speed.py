"""What one partition computes: decisions in memory, and the replay of what they left, cold and from a snapshot."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.envelope import Outgoing
from services.kernel.engine import Engine
from tests.bench.meter import Meter, Watch, tidy
from tests.bench.rows import Aim, Group, Row, Spread
from tests.bench.sizes import Sizes
from tests.bench.workload import BATCH, assessors, filing, holdings, records, registration, vote
from tests.bench.world import SPACE, World

_REPLAYED = Aim("value", "at least", 100_000)


class _Subject(NamedTuple):
    """A service, what is measured of it, and what its log is full of."""

    name: str
    service: str
    decided: str
    log: str


_SUBJECTS = (
    _Subject("claims", "claims", "covers registered and claims filed", "covers and claims"),
    _Subject("votes", "adjudication", "votes counted in one round of a case", "assessors' profiles, cases, votes"),
)


async def speed(meter: Meter, sizes: Sizes) -> Group:
    """Decide in rounds; after each, rebuild the state from the whole log so far."""
    rates: dict[str, list[float]] = {}
    with TemporaryDirectory(prefix="adjudex-bench-") as folder:
        world, disk = World.in_memory(), World.on_disk(Path(folder) / "log")
        await world.prepare()
        await world.feed(records(SPACE, assessors(range(sizes.votes)), "stake"))
        await world.drain("assessors", "adjudication")
        for number in range(sizes.memory_rounds):
            inputs = await _inputs(world, sizes, number)
            for subject in _SUBJECTS:
                measured = await _round(meter, world, disk, subject, inputs[subject.name], Path(folder))
                for row, rate in measured.items():
                    rates.setdefault(row, []).append(rate)
                # Else votes would have to wait for the cases of claims just filed.
                await world.drain("adjudication")
        disk.store.close()
    notes = [
        "One partition on one core, time on the processor. Every input has an instant of its own.",
        f"{sizes.memory_rounds} rounds; each decides more, then rebuilds all so far from its log: events a second.",
    ]
    return Group("Deciding and replaying", notes, [row for subject in _SUBJECTS for row in _rows(subject, rates)])


async def _inputs(world: World, sizes: Sizes, number: int) -> dict[str, list[Outgoing]]:
    """Make a round's inputs; its votes are in the case of a claim that is filed now."""
    first, *others = holdings(1 + number * (sizes.memory_covers + 1), sizes.memory_covers + 1)
    await world.feed(records(SPACE, [registration(first)], f"register-{first.cover}"))
    await world.feed(records(SPACE, [filing(first)], f"file-{first.cover}"))
    await world.drain("claims")
    await world.drain("adjudication")
    return {
        "claims": [
            *records(SPACE, map(registration, others), f"register-{number}"),
            *records(SPACE, map(filing, others), f"file-{number}"),
        ],
        "votes": records(
            SPACE, (vote(f"claim/{first.cover}/1", voter) for voter in range(sizes.votes)), f"vote-{number}"
        ),
    }


async def _round(
    meter: Meter, world: World, disk: World, subject: _Subject, inputs: list[Outgoing], folder: Path
) -> dict[str, float]:
    name, engine = subject.name, world.engine(subject.service)
    watch = Watch()
    await world.feed(inputs)
    tidy()
    with meter.cpu(f"decide.{name}", watch):
        assert await world.drain(subject.service) == len(inputs)
    engine.snapshots = folder / f"{subject.service}.jsonl"
    engine.snapshot()
    snapshot = await _recover(meter, f"snapshot.{name}", engine)
    engine.snapshots = None
    replay = await _recover(meter, f"replay.{name}", engine)
    events = engine.recovered_events
    await _copy(world, disk, engine.service.log)
    sqlite = await _recover(meter, f"sqlite.{name}", disk.engine(subject.service))
    assert disk.engine(subject.service).partition.chain == engine.partition.chain
    return {
        f"decide.{name}": len(inputs) / watch.seconds,
        f"replay.{name}": events / replay,
        f"sqlite.{name}": events / sqlite,
        f"snapshot.{name}": events / snapshot,
    }


async def _recover(meter: Meter, section: str, engine: Engine) -> float:
    watch = Watch()
    engine.drop()
    tidy()
    with meter.cpu(section, watch):
        await engine.recover()
        # The duplicate memory is filled when first asked: that belongs to what a restart costs.
        engine.partition.memory.find(b"", "", engine.store.now())
    return watch.seconds


async def _copy(world: World, disk: World, log: str) -> None:
    """Bring the log on disk up to that in memory."""
    start = (await disk.store.end_offsets(0, [log], committed=True))[log]
    missing = world.store.records[log, 0][start:]
    for first in range(0, len(missing), BATCH):
        await disk.store.append([Outgoing(log, 0, *record[4:]) for record in missing[first : first + BATCH]])


def _rows(subject: _Subject, rates: dict[str, list[float]]) -> list[Row]:
    def row(kind: str, what: str, beside: str = "", aim: Aim | None = None) -> Row:
        values, others = rates[f"{kind}.{subject.name}"], rates.get(f"{beside}.{subject.name}", [])
        ratio = Spread.of(value / other for value, other in zip(values, others, strict=True)) if beside else None
        name = f"{beside}.{subject.name}" if beside else ""
        return Row(f"{kind}.{subject.name}", what, Spread.of(values), "/s", ratio, name, aim)

    return [
        row("decide", f"decisions in memory: {subject.decided}"),
        row("replay", f"cold, the log in memory: {subject.log}", "decide", _REPLAYED),
        row("sqlite", "cold, the same log in an SQLite file", "decide", _REPLAYED),
        row("snapshot", "the same from a snapshot, which spares the log", "replay"),
    ]
