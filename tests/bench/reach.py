"""How long things take from one end to the other: an input until it can be read, a filing until its instruction."""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.claims import FileClaim, RegisterCover
from schemas.envelope import Input, Outgoing
from schemas.governance import PublishRulebook
from schemas.instants import DAY
from schemas.topics import INSTRUCTIONS
from services.kernel.clock import WallClock
from tests.bench.asking import CoverWatch, command, free_port, latency_rows
from tests.bench.meter import Meter, Watch, tidy
from tests.bench.rows import Group
from tests.bench.sizes import Sizes
from tests.bench.workload import (
    BOTS,
    POOL,
    POOLED,
    SOLD_MINOR,
    account,
    assessors,
    brisk_rulebook,
    deposit,
    given,
    holdings,
    pooled_product,
    purchase,
    records,
    registration,
    report,
    stream_of,
    vote,
)
from tests.bench.world import SPACE, World

_PER_SECOND = 50
_VOTERS = 3
_WARM_UP = 5
_INCIDENT = f"{POOLED}/1"


async def reach(meter: Meter, sizes: Sizes) -> Group:
    """Measure a running `up` with its API, then claims on a clock that need not wait."""
    with TemporaryDirectory(prefix="adjudex-bench-") as name:
        seen = await _visible(Path(name) / "up", sizes.steady_s)
        paid = await _paid(meter, Path(name) / "paid", sizes.paid_claims)
    notes = [
        f"`adjudex up --serve`, 4 partitions in one process: {_PER_SECOND} covers a second are registered, while",
        "the API is asked for the newest ones every 10 ms.",
        f"A filing passes claims, adjudication with {_VOTERS} votes, pools, payouts and the relay; one partition,",
        "SQLite; the clock is set on to what falls due, so that windows take no time.",
    ]
    rows = [
        *latency_rows("visible", "input sent to its row in the API", seen),
        *latency_rows("payout", "filing sent to its payout instruction", paid),
    ]
    return Group("From end to end", notes, rows)


# ------------------------------------------------------------------------------------------------------- visible


async def _visible(data: Path, seconds: int) -> list[float]:
    """Return the milliseconds from sending an input to a running `up` until the API shows its row, sorted."""
    shift = _today()
    covers = [registration(holding).model_copy(update=shift) for holding in holdings(1, (1 + seconds) * _PER_SECOND)]
    rules = data.with_suffix(".jsonl")
    rules.write_bytes(b"".join(_line(content, f"given-{number}") for number, content in enumerate(given()[:2])))
    async with command("up", rules, "--data", data, "--until-idle", pipe=subprocess.PIPE) as up:
        await up.communicate()
    with free_port() as port:
        watch, sent = CoverWatch(port), dict[str, float]()
        await _registered(data, port, covers, watch, sent)
    return watch.spread_ms(sent, _PER_SECOND)


async def _registered(
    data: Path, port: int, covers: Sequence[RegisterCover], watch: CoverWatch, sent: dict[str, float]
) -> None:
    """Send registrations one by one at a steady rate, and note when, until all have been seen."""
    arguments = ("up", "--data", data, "--json", "--serve", f"127.0.0.1:{port}")
    async with command(*arguments, pipe=subprocess.PIPE) as up:
        assert up.stdin is not None
        assert up.stdout is not None
        assert await up.stdout.readline(), "it ended"
        reading = asyncio.create_task(_read(up.stdout))
        async with watch.watching():
            began = time.perf_counter()
            for number, content in enumerate(covers):
                await asyncio.sleep(max(0.0, began + number / _PER_SECOND - time.perf_counter()))
                sent[content.cover] = time.perf_counter()
                up.stdin.write(_line(content, content.cover))
            await watch.all_seen(sent)
        up.terminate()
        await reading


def _today() -> dict[str, int]:
    now = WallClock().now()
    return {"starts_at": now - 60 * DAY, "expires_at": now + 300 * DAY}


def _line(content: Input, identifier: str) -> bytes:
    """Spell an input of an owned stream as `up` takes it in."""
    value = json.loads(content.to_bytes())
    line = {"stream": stream_of(content), "type": content.wire, "content": value, "id": identifier}
    return json.dumps(line).encode() + b"\n"


async def _read(said: asyncio.StreamReader) -> None:
    """Read what a process says, so that it never waits for a reader."""
    while await said.readline():
        continue


# ------------------------------------------------------------------------------------------------------- payouts


async def _paid(meter: Meter, path: Path, claims: int) -> list[float]:
    """Return the milliseconds from each filing to its instruction."""
    world = await _sold(path, claims + _WARM_UP)
    inputs = [_claim(number) for number in range(claims + _WARM_UP)]
    found = []
    tidy()
    for filed, votes in inputs:
        watch = Watch()
        with meter.wall("reach.payout", watch):
            await _instructed(world, filed, votes)
        found.append(watch.seconds * 1_000)
    world.store.close()
    return found[_WARM_UP:]


async def _sold(path: Path, covers: int) -> World:
    """Create a space with a pool that sold covers, and an incident that can be claimed for."""
    world = World.on_disk(path)
    await world.prepare()
    rulebook = brisk_rulebook()
    await _decided(world, [PublishRulebook(rulebook=rulebook), *pooled_product(rulebook.id)], "pooled")
    await _decided(world, list(assessors(range(_VOTERS))), "stake")
    await _decided(world, [deposit(covers)], "deposit")
    await _decided(world, [purchase(number) for number in range(covers)], "purchase")
    occurred_at = world.clock.now() + 4 * DAY
    await world.embedded.run_to(world.clock, occurred_at)
    for bot in BOTS:
        await world.feed(records(SPACE, [report("seen", occurred_at, POOLED)], bot + "-pooled", bot))
    await world.embedded.run_to(world.clock, occurred_at + 4 * DAY)
    return world


async def _decided(world: World, contents: Sequence[Input], prefix: str) -> None:
    await world.feed(records(SPACE, contents, prefix))
    await world.embedded.settle()


def _claim(number: int) -> tuple[list[Outgoing], list[Outgoing]]:
    """Make the filing under a cover, and everybody's vote for it."""
    cover = f"{POOL}.{number + 1}"
    claim = FileClaim(cover=cover, claimant=account("holder", number), incident=_INCIDENT, amount_minor=SOLD_MINOR)
    votes = [vote(f"claim/{cover}/1", voter).model_copy(update={"choice": "accept"}) for voter in range(_VOTERS)]
    return records(SPACE, [claim], f"file-{number}"), records(SPACE, votes, f"vote-{number}")


async def _instructed(world: World, filed: Sequence[Outgoing], votes: Sequence[Outgoing]) -> None:
    """File a claim, vote once its case is open, and go on until its payout is instructed."""
    before = await _instructions(world)
    await world.feed(filed)
    await world.embedded.settle()
    await world.feed(votes, _VOTERS)
    while await _instructions(world) == before:
        moved, held, due = await world.embedded.round()
        if not moved and not held:
            assert due is not None
            assert due < world.clock.now() + DAY, "nothing is left to do, and nothing was instructed"
            world.clock.advance_to(due)


async def _instructions(world: World) -> int:
    ends: Mapping[str, int] = await world.store.end_offsets(0, [INSTRUCTIONS], committed=True)
    return ends[INSTRUCTIONS]
