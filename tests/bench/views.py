"""The read side: how fast it catches up with the logs, and how fast the query API answers, on both databases."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.claims import WithdrawClaim
from schemas.instants import format_instant
from services.views.database import Database
from services.views.running import Views
from services.views.urls import sqlite_url
from tests.bench.asking import latency_rows, path_of, portal
from tests.bench.meter import Meter, Watch, tidy
from tests.bench.rows import Group, Row, Spread
from tests.bench.sizes import Sizes
from tests.bench.workload import BATCH, Holding, filing, holdings, records, registration
from tests.bench.world import SPACE, World
from tests.support.postgres import PostgresMissingError, postgres

_WITHDRAWN_EVERY = 50
_WARM_UP = 10


class _Subject(NamedTuple):
    """What is folded and asked for; `half` is an instant at which half of the claims were there."""

    world: World
    folder: Path
    held: Sequence[Holding]
    half: int
    questions: int


async def views(meter: Meter, sizes: Sizes) -> Group:
    """Fill logs, fold them into SQLite and PostgreSQL, and ask the same of both."""
    with TemporaryDirectory(prefix="adjudex-bench-") as name:
        folder = Path(name)
        world = World.on_disk(folder / "log")
        await world.prepare()
        half = await _claims(world, sizes.viewed_claims)
        held = [holding for holding in holdings(1, sizes.viewed_claims) if not holding.is_refused]
        subject = _Subject(world, folder, held, half, sizes.questions)
        rows = await _measured("sqlite", meter, subject, sqlite_url(folder / "views.sqlite"))
        without: list[str] = []
        try:
            url = postgres().new_database()
        except PostgresMissingError:
            without = ["No PostgreSQL here: its rows are missing."]
        else:
            rows += await _measured("pg", meter, subject, url, rows)
        world.store.close()
    notes = [
        f"{sizes.viewed_claims:,} claims with their covers, cases and holders; one projector, one partition.",
        f"Queries over HTTP to a portal process, one after the other, {sizes.questions} of each; pages of 50 rows.",
        "Neither database waits for the disk at a commit: what a power cut takes is read from the logs again.",
        *without,
    ]
    return Group("The read model", notes, rows)


async def _claims(world: World, count: int) -> int:
    """Let so many claims be filed, and some withdrawn; return an instant at which half of them were there."""
    half = 0
    for first in range(1, count + 1, BATCH):
        made = holdings(first, min(BATCH, count + 1 - first))
        await world.feed(records(SPACE, map(registration, made), f"register-{first}"), BATCH)
        await world.feed(records(SPACE, map(filing, made), f"file-{first}"), BATCH)
        withdrawn = [_withdrawal(holding) for holding in made[1::_WITHDRAWN_EVERY] if not holding.is_refused]
        await world.feed(records(SPACE, withdrawn, f"withdraw-{first}"), BATCH)
        await world.drain("claims")
        await world.drain("adjudication", "assessors")
        if first <= count // 2:
            half = world.clock.now()
    return half


def _withdrawal(holding: Holding) -> WithdrawClaim:
    return WithdrawClaim(cover=holding.cover, claimant=holding.holder, claim=f"{holding.cover}/1")


async def _measured(name: str, meter: Meter, subject: _Subject, url: str, beside: Sequence[Row] = ()) -> list[Row]:
    database, watch = Database(url), Watch()
    kept = await Views.open(database, SPACE, subject.world.store)
    tidy()
    with meter.wall(f"views.{name}", watch):
        read = await kept.catch_up()
    await kept.close()
    rate = Spread.of([read / watch.seconds])
    ratio = Spread.of([rate.median / beside[0].value.median]) if beside else None
    other = beside[0].name if beside else ""
    rows = [Row(f"{name}.catch-up", f"{_WHICH[name]}: {read:,} log records folded", rate, "/s", ratio, other)]
    async with portal(SPACE, url, subject.folder / f"portal-{name}") as asker:
        for number, (asked, what, paths) in enumerate(_questions(subject)):
            spread = await asyncio.to_thread(asker.timed_ms, paths)
            rows += latency_rows(f"{name}.{asked}", what, spread[_WARM_UP:], beside[1 + 2 * number : 3 + 2 * number])
    return rows


_WHICH = {"sqlite": "the read model in SQLite", "pg": "the same in PostgreSQL"}


def _questions(subject: _Subject) -> list[tuple[str, str, list[str]]]:
    """Say what is asked: a name, what it is, and paths."""
    held, count = subject.held, subject.questions + _WARM_UP
    claims = [f"{held[number * len(held) // count].cover}/1" for number in range(count)]
    withdrawn, undecided = (path_of("claims", status=status) for status in ("withdrawn", "undecided"))
    then = path_of("claims", as_of=format_instant(subject.half))
    return [
        ("page", "first page of claims", [path_of("claims")] * count),
        ("filter", f"first page of those withdrawn, one in {_WITHDRAWN_EVERY}", [withdrawn] * count),
        ("most", "first page of those undecided, nearly all", [undecided] * count),
        ("one", "one claim, with its payouts and lines", [path_of("claims", claim) for claim in claims]),
        ("as-of", "first page as of when half of them were there", [then] * count),
    ]
