"""The engine on a real broker, beside what others reach on the same one: all in one run, all as processes.

One broker with a JVM as in production. Inputs are loaded first; then a process is started, and its rate is taken over
the last part of what it decides. In a space whose streams are owned inputs need no proof; in a second one each filing
has a voucher of its own.
"""

import asyncio
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]

from schemas.envelope import Outgoing, Record
from schemas.instants import DAY
from schemas.topics import OWNED
from services.cli.data import DataDirectory
from services.kernel.engine import Engine
from services.kernel.kafka import clients
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.proofs import vouch
from services.kernel.space import Space
from services.registry import decision_service, new_space
from tests.bench import rivals
from tests.bench.asking import CoverWatch, latency_rows
from tests.bench.meter import Meter, tidy
from tests.bench.rows import Aim, Group, Row, Spread
from tests.bench.sizes import Sizes
from tests.bench.workload import BOTS, GATEWAY, assessors, given, key_of, records, report
from tests.chaos.fleet import Fleet, Member, until
from tests.support.command import adjudex
from tools.broker import STEADY_JVM, Cluster

PARTITIONS = 4
_POLL_S = 0.05
_PER_SECOND = 50
_WARM = 0.4
_FATES = re.compile(r'^adjudex_inputs_total\{fate="(?!deadline)[^}]*\} ([0-9.e+]+)$', re.MULTILINE)


class Rate(NamedTuple):
    """Inputs a second over a window, and the processor time of the deciding processes for each."""

    per_second: float
    cpu_us: float


class Market:
    """One space on the broker, its processes, and a store to feed and read it."""

    def __init__(self, space: Space, bootstrap: str, folder: Path) -> None:
        self.space = space
        self.settings = KafkaSettings(bootstrap)
        self.data = DataDirectory(folder / space.name, bootstrap)
        self.fleet = Fleet(self.data.path, bootstrap, folder / f"{space.name}-logs")
        self.store = KafkaStore(space.name, PARTITIONS, self.settings)

    async def open(self, staked: int, now: int) -> None:
        """Create it, and let governance, assessors and bots say what every decision needs."""
        self.data.describe(self.space)
        made = await asyncio.to_thread(
            adjudex, "topics", "apply", "--data", self.data.path, "--kafka", self.settings.bootstrap
        )
        assert made.returncode == 0, made.stdout + made.stderr
        for name in ("governance", "assessors", "incidents", "adjudication", "claims"):
            self.fleet.start(name, f"{name}-0")
        await self.feed(records(self.space, given(), "given"))
        for name in ("assessors", "incidents", "adjudication", "claims"):
            await self._facts(name, 1 + len(BOTS), b"principal.registered")
        await self.feed(records(self.space, assessors(range(staked)), "stake"))
        # One profile when an account registers, one with its stake.
        await self._facts("adjudication", 2 * staked, b"assessor.profiled")
        for bot in BOTS:
            await self.feed(records(self.space, [report("seen", now - 5 * DAY)], bot, bot))
        await self._facts("claims", 1, b"incident.decided")
        await self.leave("adjudication", "assessors", "claims")

    async def _facts(self, service: str, count: int, wanted: bytes = b"") -> None:
        """Wait until each partition of a service has heard so many facts."""

        async def known() -> bool:
            told = [0] * PARTITIONS
            for number in range(PARTITIONS):
                async for batch in self.store.read(f"{service}.events", number):
                    told[number] += sum(_is_fact(record, wanted) for record in batch)
            return min(told) >= count

        await until(f"{count} facts at {service}", known, patience_s=120, poll_s=0.5)

    async def feed(self, inputs: Iterable[Outgoing]) -> None:
        """Append inputs in big batches."""
        await rivals.load(self.settings.bootstrap, f"{self.space.name}.", inputs)

    async def leave(self, *services: str) -> None:
        """Let the processes of some services end in order."""
        members = [member for name in services for member in self.fleet.of(name)]
        await asyncio.gather(*(member.leave() for member in members))
        for member in members:
            self.fleet.gone(member)

    async def measure(self, service: str, inputs: int) -> Rate:
        """Start a process on what was loaded for it, and take the rate of the last part."""
        return await self._rate(service, [self.fleet.start(service, f"{service}-0")], inputs)

    async def measure_two(self, service: str, inputs: Sequence[Outgoing]) -> Rate:
        """Start two processes, load inputs once they share the partitions, and take the rate of the last part.

        Had one of them begun before, nobody would count what it decided of the partitions that it gave up.
        """
        members = [self.fleet.start(service, f"{service}-{number}") for number in range(2)]
        await self.fleet.shared(members, PARTITIONS)
        await self.feed(inputs)
        return await self._rate(service, members, len(inputs))

    async def _rate(self, service: str, members: Sequence[Member], inputs: int) -> Rate:
        samples: list[tuple[float, float, float]] = []

        async def done() -> bool:
            said = [await asyncio.to_thread(_decided, member) for member in members]
            spent = sum(sum(psutil.Process(member.process.pid).cpu_times()[:2]) for member in members)
            samples.append((time.perf_counter(), sum(said), spent))
            return sum(said) >= inputs

        await until(f"{inputs} inputs at {service}", done, patience_s=600, poll_s=_POLL_S)
        first = next(sample for sample in samples if sample[1] >= inputs * _WARM)
        last = next(sample for sample in samples if sample[1] >= inputs)
        await self.leave(service)
        count = last[1] - first[1]
        return Rate(count / (last[0] - first[0]), (last[2] - first[2]) / count * 1e6)

    async def replay(self, service: str) -> tuple[int, float]:
        """Read the whole logs of a service cold, one partition after the other: events, and seconds."""
        declared = decision_service(service)
        events, seconds = 0, 0.0
        for number in range(PARTITIONS):
            store = KafkaStore(self.space.name, PARTITIONS, self.settings)
            engine = Engine(self.space, declared, store, number)
            await store.claim(declared.log, number)
            tidy()
            started = time.perf_counter()
            await engine.recover()
            engine.partition.memory.find(b"", b"", store.now())  # type: ignore[arg-type]
            seconds += time.perf_counter() - started
            events += engine.recovered_events
            await store.close()
        return events, seconds

    async def close(self) -> None:
        """End everything."""
        self.fleet.kill()
        await self.store.close()


def _is_fact(record: Record, wanted: bytes) -> bool:
    return ("ce_type", b"fact.noted.v1") in record.headers and wanted in (record.value or b"")


def _decided(member: Member) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{member.port}/metrics", timeout=5) as answer:
            return sum(float(count) for count in _FATES.findall(answer.read().decode()))
    except OSError:
        return 0.0


class Watcher:
    """Reads a log as it grows, and notes when each input's first event was there to be read."""

    def __init__(self, market: Market, log: str) -> None:
        self.seen: dict[str, float] = {}
        self._market = market
        self._log = log

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Read until the block ends."""
        reader = clients.consumer(self._market.settings)
        await reader.start()
        places = [clients.TopicPartition(self._market.store.full(self._log), number) for number in range(PARTITIONS)]
        ends = await reader.end_offsets(places)
        reader.assign(places)
        for place in places:
            reader.seek(place, ends[place])
        task = asyncio.create_task(self._read(reader))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await clients.close(reader)

    async def _read(self, reader: Any) -> None:  # noqa: ANN401 - the library's own
        while True:
            batches = await reader.getmany(timeout_ms=500)
            now = time.perf_counter()
            for batch in batches.values():
                for record in batch:
                    self.seen.setdefault(dict(record.headers).get("ce_causationid", b"").decode(), now)


async def _steady(market: Market, inputs: Sequence[Outgoing], sent: dict[str, float]) -> None:
    """Send inputs one by one at a steady rate, and note when."""
    began = time.perf_counter()
    for number, record in enumerate(inputs):
        await asyncio.sleep(max(0.0, began + number / _PER_SECOND - time.perf_counter()))
        sent[dict(record.headers)["ce_id"].decode()] = time.perf_counter()
        await market.store.append([record])


async def _latency(market: Market, inputs: Sequence[Outgoing]) -> list[float]:
    """Return the milliseconds from sending an input to its event being readable, sorted."""
    market.fleet.start("claims", "claims-0")
    await market.fleet.shared(market.fleet.of("claims"), PARTITIONS)
    watcher, sent = Watcher(market, "claims.events"), dict[str, float]()
    async with watcher.watching():
        await _steady(market, inputs, sent)
        await until("the last events", _all_seen(watcher, sent))
    warm = list(sent)[_PER_SECOND:]
    return sorted((watcher.seen[name] - sent[name]) * 1_000 for name in warm)


def _all_seen(watcher: Watcher, sent: dict[str, float]) -> Callable[[], Awaitable[bool]]:
    async def seen() -> bool:
        return sent.keys() <= watcher.seen.keys()

    return seen


async def _outage(market: Market, inputs: Sequence[Outgoing]) -> float:
    """Kill the process half-way, start it again at once, and return the seconds in which nothing was decided."""
    watcher, sent = Watcher(market, "claims.events"), dict[str, float]()
    async with watcher.watching():
        sending = asyncio.create_task(_steady(market, inputs, sent))
        await asyncio.sleep(len(inputs) / _PER_SECOND / 2)
        (member,) = market.fleet.of("claims")
        member.kill()
        killed = time.perf_counter()
        market.fleet.gone(member)
        market.fleet.start("claims", "claims-0")
        await sending
        await until("the last events", _all_seen(watcher, sent))
    return min(at for at in watcher.seen.values() if at > killed + _POLL_S) - killed


async def _visible(market: Market, inputs: Sequence[Outgoing]) -> list[float]:
    """Return the milliseconds from sending a registration to its cover in the API, sorted; claims runs already."""
    views, portal = (market.fleet.start(name, f"{name}-0") for name in ("views", "portal"))

    async def ready() -> bool:
        return bool((await views.status()).get("ready") and (await portal.status()).get("ready"))

    await until("the read model", ready, patience_s=900, poll_s=0.5)
    watch, sent = CoverWatch(portal.port), dict[str, float]()
    async with watch.watching():
        await _steady(market, inputs, sent)
        covers = {name.removeprefix("register-"): at for name, at in sent.items()}
        await watch.all_seen(covers)
    return watch.spread_ms(covers, _PER_SECOND)


async def kafka(_meter: Meter, sizes: Sizes) -> Group:
    """Measure everything on one broker."""
    rows: list[Row] = []
    now = time.time_ns() // 1_000_000
    rivals.build()
    with TemporaryDirectory(prefix="adjudex-bench-") as name:
        folder = Path(name)
        cluster = Cluster(folder=folder / "broker", jvm=STEADY_JVM)
        await asyncio.to_thread(cluster.start)
        try:
            owned = Space("bench", PARTITIONS, {**OWNED, "claim.filings": GATEWAY, "assessor.votes": GATEWAY})
            market = Market(owned, cluster.bootstrap, folder)
            try:
                await market.open(rivals.ASSESSORS, now)
                rows += await _ours(market, sizes, now)
            finally:
                await market.close()
            proven = Market(new_space("proven", PARTITIONS), cluster.bootstrap, folder)
            try:
                await proven.open(1, now)
                rows.append(await _proven(proven, sizes, now))
            finally:
                await proven.close()
            rows += await _rivals(cluster.bootstrap, owned, sizes, now, folder, rows)
        finally:
            await asyncio.to_thread(cluster.stop)
    notes = [
        "One real broker on the same cores as everything else; 4 partitions; services as processes, transactional.",
        "Rates over the last part of what was loaded before; latencies and outage at 50 inputs a second. The API is",
        "asked for the newest covers every 10 ms, over a read model in SQLite.",
        "Rivals do the same fold of the same records, with less to do: tests/bench/rivals.py says what they leave out.",
    ]
    return Group("On Apache Kafka", notes, rows)


def _row(name: str, what: str, value: float, unit: str, ratio: float | None = None, beside: str = "",
         aim: Aim | None = None) -> Row:  # fmt: skip
    return Row(name, what, Spread.of([value]), unit, None if ratio is None else Spread.of([ratio]), beside, aim)


async def _ours(market: Market, sizes: Sizes, now: int) -> list[Row]:
    space, count = market.space, sizes.kafka_inputs
    pool = rivals.covers_and_claims(space, 2 * count + 200 * _PER_SECOND, now)
    await market.feed(islice(pool, count))
    claims = await market.measure("claims", count)
    # What claims told adjudication is decided before votes can be.
    opened = await market.measure("adjudication", count // 2 - count // 2 // 20)
    await market.feed(rivals.votes(space, sizes.kafka_votes))
    votes = await market.measure("adjudication", sizes.kafka_votes)
    two = await market.measure_two("claims", list(islice(pool, count)))
    rows = [
        _row("kafka.claims", "covers registered and claims filed, one process", claims.per_second, "/s"),
        _row("kafka.claims-cpu", "processor time of that for an input", claims.cpu_us, "µs"),
        _row("kafka.cases", "cases opened by claims' messages, one process", opened.per_second, "/s"),
        _row("kafka.votes", "votes counted, one process", votes.per_second, "/s"),
        _row("kafka.votes-cpu", "processor time of that for an input", votes.cpu_us, "µs"),
        _row("kafka.two", "covers and claims, two processes on these cores", two.per_second, "/s",
             two.per_second / claims.per_second, "kafka.claims"),
    ]  # fmt: skip
    for service in ("claims", "adjudication"):
        events, seconds = await market.replay(service)
        rows.append(
            _row(f"kafka.replay-{service}", f"cold from the broker, {events:,} events of {service}", events / seconds,
                 "/s", aim=Aim("value", "at least", 100_000))
        )  # fmt: skip
    spread = await _latency(market, list(islice(pool, 15 * _PER_SECOND)))
    outage = await _outage(market, list(islice(pool, 12 * _PER_SECOND)))
    covers = (record for record in pool if record.topic == "cover.registrations")
    visible = await _visible(market, list(islice(covers, sizes.steady_s * _PER_SECOND + _PER_SECOND)))
    rows += [
        _row("kafka.p50", "input sent to its event readable, median", spread[len(spread) // 2], "ms"),
        _row(
            "kafka.p99", "the same, 99 of 100", spread[len(spread) * 99 // 100], "ms", aim=Aim("value", "at most", 40)
        ),
        _row("kafka.outage", "no decision after kill -9 and restart", outage, "s", aim=Aim("value", "at most", 2)),
        *latency_rows("kafka.visible", "input sent to its row in the API: claims, views and portal", visible),
    ]
    return rows


async def _proven(market: Market, sizes: Sizes, now: int) -> Row:
    count = sizes.kafka_inputs // 2
    made = list(rivals.covers_and_claims(market.space, count, now))
    covers = [record for record in made if record.topic == "cover.registrations"]
    key = key_of(GATEWAY)
    filings = [
        vouched
        for record in made
        if record.topic == "claim.filings"
        for vouched in vouch(key, GATEWAY, market.space.name, [record])
    ]
    await market.feed(covers)
    await market.measure("claims", len(covers))
    await market.feed(filings)
    rate = await market.measure("claims", len(filings))
    return _row("kafka.proven", "claims filed, each with a voucher of its own", rate.per_second, "/s")


async def _rivals(bootstrap: str, space: Space, sizes: Sizes, now: int, folder: Path, rows: Sequence[Row]) -> list[Row]:
    ours = {row.name: row.value.median for row in rows}
    found = []
    for mode, name in (("claims", "kafka.claims"), ("votes", "kafka.votes")):
        for rival, count, aim in (("streams", sizes.streams_inputs, 0.5), ("faust", sizes.faust_inputs, 10.0)):
            prefix = f"{rival}-{mode}."
            known = rivals.facts(space, mode, count, now)  # type: ignore[arg-type]
            made: list[Outgoing] = list(
                rivals.covers_and_claims(space, count, now) if mode == "claims" else rivals.votes(space, count)
            )
            then: list[Outgoing] = []
            if rival == "faust" and mode == "claims":
                then = [record for record in made if record.topic == "claim.filings"]
                made = [record for record in made if record.topic != "claim.filings"]
            task = rivals.Task(bootstrap, prefix, mode, len(made), known, folder / f"{rival}-{mode}", rival)  # type: ignore[arg-type]
            streams = {"claims": ("cover.registrations", "claim.filings"), "votes": ("assessor.votes",)}[mode]
            await rivals.create_topics(bootstrap, [task.events, *(prefix + held for held in streams)], PARTITIONS)
            await rivals.load(bootstrap, prefix, made)
            measured = await rivals.kafka_streams(task) if rival == "streams" else await rivals.faust(task, then=then)
            ratio = ours[name] / measured.per_second
            found.append(
                _row(f"{rival}.{mode}", f"{_WHO[rival]}; ratio: ours to it", measured.per_second, "/s", ratio, name,
                     Aim("ratio", "at least", aim))
            )  # fmt: skip
            found.append(_row(f"{rival}.{mode}-cpu", "processor time of that for an input", measured.cpu_us, "µs"))
    return found


_WHO = {
    "streams": "Kafka Streams, exactly once, one thread",
    "faust": "a stock Faust agent with a table, at least once",
}
