"""Durable decisions: ours on SQLite beside pyeventsourcing on its SQLite recorder, round by round."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.envelope import Outgoing
from services.kernel.sqlite_store import SqliteStore
from tests.bench.meter import Meter, Watch, tidy
from tests.bench.rival import Claims
from tests.bench.rows import Aim, Group, Row, Spread
from tests.bench.sizes import Sizes
from tests.bench.workload import BATCH, REFUSED_EVERY, START, Holding, batches, filing, holdings, records, registration
from tests.bench.world import SPACE, World

_SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
_WARM_UP = 100
_COMMITS = 200
_AIM = Aim("ratio", "at least", 5)


class _Rates(NamedTuple):
    """Decisions a second of one round."""

    taken_in: float
    decided: float
    single: float
    rival: float
    rival_batch: float


class _Watches:
    """The time each side takes, in one round."""

    def __init__(self) -> None:
        self.append, self.decide, self.single, self.save, self.save_batch = (Watch() for _ in range(5))


class _Sides(NamedTuple):
    """Who is compared, each with a file of its own."""

    batch: World
    single: World
    rival: Claims
    rival_batch: Claims


async def durable(meter: Meter, sizes: Sizes) -> Group:
    """Measure round by round; all files grow from round to round."""
    with TemporaryDirectory(prefix="adjudex-bench-") as folder:
        place = Path(folder)
        sides = _Sides(
            World.on_disk(place / "batch"),
            World.on_disk(place / "single"),
            Claims(place / "rival"),
            Claims(place / "rival-batch"),
        )
        await sides.batch.prepare()
        await sides.single.prepare()
        sides.single.limit("claims", 1)
        await _round(Meter(), sides, holdings(0, _WARM_UP), _WARM_UP)
        count = sizes.batched_covers
        rounds = [
            await _round(meter, sides, holdings(_WARM_UP + number * count, count), sizes.single_covers)
            for number in range(sizes.rounds)
        ]
        ours, theirs = _pragmas(sides.batch.store), _spelled(*sides.rival.pragmas())
        commit_ms = _commit_s(place) * 1e3
        notes = [
            f"Adjudex: {ours}; pyeventsourcing, its defaults: {theirs}",
            f"{sizes.rounds} rounds, the sides in turn; on both sides, one filing in {REFUSED_EVERY} is refused.",
            f"A transaction of one small row, which waits for little but the disk, takes {commit_ms:.2f} ms here.",
        ]
        for closing in (sides.batch.store, sides.single.store, sides.rival, sides.rival_batch):
            closing.close()
    return Group("Durable decisions: covers registered and claims filed, on SQLite", notes, _rows(rounds))


async def _round(meter: Meter, sides: _Sides, given: Sequence[Holding], singles: int) -> _Rates:
    """Let the sides work in turn, a batch at a time, so that whatever else the machine does meets all of them."""
    watches = _Watches()
    for batch in batches(given, BATCH):
        await _ours(meter, watches, sides.batch, batch)
        _theirs(meter, watches, sides.rival, batch[:singles])
        await _ours_singly(meter, watches, sides.single, batch[:singles])
        _theirs_together(meter, watches, sides.rival_batch, batch)
    many, few = 2 * len(given), 2 * singles * -(-len(given) // BATCH)
    return _Rates(
        taken_in=many / (watches.append.seconds + watches.decide.seconds),
        decided=many / watches.decide.seconds,
        single=few / watches.single.seconds,
        rival=few / watches.save.seconds,
        rival_batch=many / watches.save_batch.seconds,
    )


async def _ours(meter: Meter, watches: _Watches, world: World, given: Sequence[Holding]) -> None:
    inputs = [_registrations(given), _filings(given)]
    tidy()
    for batch in inputs:
        with meter.wall("durable.append", watches.append):
            await world.feed(batch, BATCH)
        with meter.wall("durable.decided", watches.decide):
            assert await world.drain("claims") == len(batch)


async def _ours_singly(meter: Meter, watches: _Watches, world: World, given: Sequence[Holding]) -> None:
    inputs = [_registrations(given), _filings(given)]
    tidy()
    for batch in inputs:
        await world.feed(batch, BATCH)
        with meter.wall("durable.single", watches.single):
            assert await world.drain("claims") == len(batch)


def _theirs(meter: Meter, watches: _Watches, rival: Claims, given: Sequence[Holding]) -> None:
    """Do to the rival what its users do, one command after the other."""
    refused = rival.refused + sum(holding.is_refused for holding in given)
    tidy()
    with meter.wall("rival.save", watches.save):
        for holding in given:
            rival.register(holding)
        for holding in given:
            rival.file(holding, START)
    assert rival.refused == refused


def _theirs_together(meter: Meter, watches: _Watches, rival: Claims, given: Sequence[Holding]) -> None:
    """Do the same with as many aggregates in one save() as we have inputs in one transaction."""
    refused = rival.refused + sum(holding.is_refused for holding in given)
    tidy()
    with meter.wall("rival.save-batch", watches.save_batch):
        rival.register_together(given)
        rival.file_together(given, START)
    assert rival.refused == refused


def _registrations(given: Sequence[Holding]) -> list[Outgoing]:
    return records(SPACE, map(registration, given), f"register-{given[0].cover}")


def _filings(given: Sequence[Holding]) -> list[Outgoing]:
    return records(SPACE, map(filing, given), f"file-{given[0].cover}")


def _rows(rounds: Sequence[_Rates]) -> list[Row]:
    def row(name: str, what: str, field: str, beside: str = "", aim: Aim | None = None) -> Row:
        rates = [getattr(rates, field) for rates in rounds]
        others = [getattr(rates, _FIELDS[beside]) for rates in rounds] if beside else []
        ratio = Spread.of(ours / theirs for ours, theirs in zip(rates, others, strict=True)) if beside else None
        return Row(name, what, Spread.of(rates), "/s", ratio, beside, aim)

    return [
        row("rival.save", "pyeventsourcing, one save() a command", "rival"),
        row("rival.save-batch", f"pyeventsourcing, {BATCH} aggregates in one save()", "rival_batch"),
        row(
            "durable.decided",
            f"Adjudex, at most {BATCH} inputs in one transaction; the inputs are in the log already",
            "decided",
            "rival.save",
            _AIM,
        ),
        row(
            "durable.taken-in",
            f"the same, and the time to append the inputs, {BATCH} in one transaction, added",
            "taken_in",
            "rival.save",
        ),
        row("durable.batch", "durable.decided beside the rival in batches of that size", "decided", "rival.save-batch"),
        row(
            "durable.single", "Adjudex, one input in one transaction; it is in the log already", "single", "rival.save"
        ),
    ]


_FIELDS = {"rival.save": "rival", "rival.save-batch": "rival_batch"}


def _commit_s(folder: Path) -> float:
    """Return the seconds of a transaction of one small row, as durable as all others."""
    connection = sqlite3.connect(folder / "empty", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (number INTEGER)")
    started = time.perf_counter()
    for number in range(_COMMITS):
        connection.execute("INSERT INTO rows VALUES (?)", (number,))
    spent = time.perf_counter() - started
    connection.close()
    return spent / _COMMITS


def _pragmas(store: object) -> str:
    assert isinstance(store, SqliteStore)
    pragma = store._connection.execute
    return _spelled(pragma("PRAGMA journal_mode").fetchone()[0], pragma("PRAGMA synchronous").fetchone()[0])


def _spelled(journal_mode: str, synchronous: int) -> str:
    return f"journal_mode={journal_mode}, synchronous={_SYNCHRONOUS[synchronous]}"
