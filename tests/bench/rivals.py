"""Two rivals on the same topics: Kafka Streams (exactly once, RocksDB) and a stock Faust agent with tables.

Each reads the records that our services read, with the same checks, and writes one event per input:

1. `create_topics`, of its inputs and its `events`, then `load` with `covers_and_claims` or `votes`.
2. `kafka_streams` or `faust`: starts it, watches how many inputs it has decided, and ends it. Of Streams, by the
   offsets it commits with its events; of Faust, by its events.
3. `tally`: what it wrote, by type.

What rivals do as we do: read headers and content, check both, check that the input is of this partition, find repeats
by stream, key, sender and id, apply the rules in their order to the state of one aggregate, and write an event with a
derived id and the aggregate's sequence, or a refusal that names its rule.

What they do not do: prove who sent an input (they believe `ce_source`), learn facts from siblings (they have them from
a file), tell siblings, keep indexes over their own events, chain or digest records, name the input's position and
digest in the event, watch deadlines, let windows stand still in halts, close a ballot early, let assessors step back,
settle votes, clear ids away after their window, forward misplaced inputs, or look afresh at the other topic before a
refusal. Streams takes the older of two topics' next records as far as it knows them; Faust takes topics in
turn, so that it may refuse a filing whose cover it has yet to read.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil  # type: ignore[import-untyped]
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from schemas.envelope import Input, Outgoing
from schemas.instants import DAY, format_instant
from schemas.rulebook import Ballot, Cooldown
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.kernel.partitioner import partition_of
from services.kernel.space import Space
from services.kernel.wire import input_record
from tests.bench.faust_rival import Settings
from tests.bench.workload import (
    ASSET,
    GATEWAY,
    INCIDENT,
    PRODUCT,
    RULEBOOK,
    STAKE_MINOR,
    Holding,
    account,
    filing,
    holdings,
    registration,
    vote,
)
from tools.broker import java

Mode = Literal["claims", "votes"]

ROOT = Path(__file__).resolve().parents[2]
JARS = ROOT / "build" / "bench" / "kafka_streams"
ASSESSORS = 1_000
"""How many assessors vote in each case."""
_TURN = 2_000
"""So many covers are registered, then as many claims filed."""
_BATCH_BYTES = 900_000
_POLL_S = 0.05
_STOP_S = 30
_STALLED_S = 120
_SOURCE = f"/{GATEWAY}"


class Measured(NamedTuple):
    """How fast a rival was in the window: the last part of its inputs.

    `cpu_us` is the processor time of its process for an input, also in the window; `memory_bytes` its most in all.
    """

    per_second: float
    cpu_us: float
    memory_bytes: int
    inputs: int
    seconds: float


class Task(NamedTuple):
    """What a rival has to do: which inputs are loaded where, and what it knows of them (`facts`).

    `name` tells rivals on the same topics apart; `folder` gets its log and state, and must be of this run.
    """

    bootstrap: str
    prefix: str
    mode: Mode
    inputs: int
    known: dict[str, Any]
    folder: Path
    name: str

    @property
    def application(self) -> str:
        """Its group, and what the names of its own topics begin with."""
        return f"{self.prefix}{self.name}"

    @property
    def events(self) -> str:
        """The topic it writes."""
        return f"{self.application}.events"

    @property
    def state(self) -> Path:
        """Where it keeps files."""
        return self.folder / "state"


class _Sample(NamedTuple):
    at: float
    decided: int
    cpu_s: float


# ---------------------------------------------------------------------------------------------------- inputs, facts


def covers_and_claims(space: Space, count: int, now: int) -> Iterator[Outgoing]:
    """Make so many inputs: covers that began 60 days before `now`, and a filing under each, in turns."""
    shift = {"starts_at": now - 60 * DAY, "expires_at": now + 300 * DAY}
    for first in range(0, count // 2, _TURN):
        turn = holdings(1 + first, min(_TURN, count // 2 - first))
        for holding in turn:
            content = registration(holding).model_copy(update=shift)
            yield _record(space, "cover.registrations", content, f"register-{holding.cover}")
        for holding in turn:
            yield _record(space, "claim.filings", filing(holding), f"file-{holding.cover}")


def votes(space: Space, count: int) -> Iterator[Outgoing]:
    """Make so many votes, one of each assessor in each of the `cases`; neighbours are in different cases."""
    named = cases(count)
    for number in range(count):
        voter, case = divmod(number, len(named))
        yield _record(space, "assessor.votes", vote(named[case], voter), f"vote-{number}")


def cases(count: int) -> list[str]:
    """Name the cases that so many votes are in."""
    return [f"claim/{holding.cover}/1" for holding in _voted_on(count)]


def _voted_on(count: int) -> list[Holding]:
    return holdings(1, -(-count // ASSESSORS))


def _record(space: Space, stream: str, content: Input, name: str) -> Outgoing:
    """Make the record of an input on a stream whose owner writes it: it needs no voucher."""
    key = content.key()
    partition = partition_of(key, space.partitions)
    return input_record(stream, partition, key, id=name, source=_SOURCE, wire=content.wire, value=content.to_bytes())


def facts(space: Space, mode: Mode, count: int, now: int) -> dict[str, Any]:
    """Say what a service would know from its siblings: an incident of five days before `now`, rounds opened then."""
    rulebook = parse_rulebook(read_shipped("house"))
    intake, [ballot, cooldown] = rulebook.claim.intake, rulebook.claim.procedure
    assert isinstance(ballot, Ballot)
    assert isinstance(cooldown, Cooldown)
    known: dict[str, Any] = {
        "space": space.name,
        "partitions": space.partitions,
        "products": {PRODUCT: {"asset": ASSET, "rulebook": RULEBOOK, "pool": None}},
        "rulebooks": {
            rulebook.id: {
                "waiting_period": intake.waiting_period,
                "not_before": intake.not_before,
                "grace": intake.grace,
                "expiry_inclusive": intake.expiry_inclusive,
                "grace_inclusive": intake.grace_inclusive,
                "evidence_max": intake.evidence_max,
                "procedure": ballot.window + cooldown.length,
            }
        },
        "incidents": {
            INCIDENT: {"product": PRODUCT, "occurred_at": format_instant(now - 5 * DAY), "status": "confirmed"}
        },
        "stakes": {},
        "ballots": {},
    }
    if mode == "votes":
        stakes_minor = {account("assessor", number): STAKE_MINOR + number for number in range(ASSESSORS)}
        round_ = {
            "round": 1,
            "closes_at": format_instant(now + ballot.window),
            "cap_minor": str(sum(stakes_minor.values()) * (ballot.weight.cap_bps or 10_000) // 10_000),
            "replaces": ballot.revote == "replaces",
            "clause_required": ballot.clause_required,
        }
        known["stakes"] = {assessor: str(stake_minor) for assessor, stake_minor in stakes_minor.items()}
        known["ballots"] = {
            f"claim/{holding.cover}/1": {**round_, "excluded": {holding.holder: "is the claimant"}}
            for holding in _voted_on(count)
        }
    return known


# ------------------------------------------------------------------------------------------------- topics, loading


async def create_topics(bootstrap: str, names: Iterable[str], partitions: int) -> None:
    """Create topics as a space has them: the broker stamps what it appends; return when they have leaders."""
    names = list(names)
    config = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topics = [NewTopic(name, partitions, 1, topic_configs=config) for name in names]
        response = await admin.create_topics(topics)
        errors = [(topic, code, text) for topic, code, text in response.topic_errors if code]
        assert not errors, errors
    finally:
        await admin.close()
    places = [TopicPartition(name, partition) for name in names for partition in range(partitions)]
    async with _consumer(bootstrap) as consumer:
        await consumer.end_offsets(places)


async def load(bootstrap: str, prefix: str, inputs: Iterable[Outgoing]) -> int:
    """Append inputs in big batches and return how many; a topic waits until those before it in another are there."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=_BATCH_BYTES, linger_ms=0)
    await producer.start()
    loaded = 0
    try:
        for topic, group in groupby(inputs, key=lambda record: record.topic):
            loaded += await _load(producer, prefix + topic, group)
            # Else the next topic's first record could have the same millisecond.
            await asyncio.sleep(0.002)
    finally:
        await producer.stop()
    return loaded


async def _load(producer: AIOKafkaProducer, topic: str, inputs: Iterable[Outgoing]) -> int:
    batches: dict[int, Any] = {}
    sent, loaded = [], 0
    for loaded, record in enumerate(inputs, 1):  # noqa: B007 - the count
        batch = batches.get(record.partition)
        fields = {"timestamp": None, "key": record.key, "value": record.value, "headers": [*record.headers]}
        if batch is None or batch.append(**fields) is None:
            if batch is not None:
                sent.append(await producer.send_batch(batch, topic, partition=record.partition))
            batch = batches[record.partition] = producer.create_batch()
            assert batch.append(**fields) is not None
    sent += [await producer.send_batch(batch, topic, partition=partition) for partition, batch in batches.items()]
    await asyncio.gather(*sent)
    return loaded


async def tally(bootstrap: str, topic: str, partitions: int) -> Counter[str]:
    """Count what is committed in a topic by type, with the inputs that have several events as `repeated`."""
    counted: Counter[str] = Counter()
    seen: set[bytes] = set()
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    async with _consumer(bootstrap) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                for record in batch:
                    headers = dict(record.headers)
                    counted[headers["ce_type"].decode()] += 1
                    cause = headers.get("ce_causationid", b"")
                    counted["repeated"] += cause in seen
                    seen.add(cause)
    return counted


@asynccontextmanager
async def _consumer(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


# ---------------------------------------------------------------------------------------------------------- rivals


def build(jars: Path = JARS) -> Path:
    """Build the program on Kafka Streams where that has to be done, and return where it is."""
    subprocess.run(["make", "--quiet", "build/bench/.streams"], cwd=ROOT, check=True)
    return jars


async def kafka_streams(task: Task, *, threads: int = 1, warm_up: float = 2 / 3, jars: Path = JARS) -> Measured:
    """Let Kafka Streams decide what is loaded, and measure from when the part `warm_up` of it is decided.

    A JVM needs some 300,000 records before it is as fast as it gets. Its heap is bounded, all else is as it comes.
    """
    command = [
        *(java(), "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
        *("-cp", f"{jars / 'rival.jar'}:{jars / 'lib' / '*'}", "adjudex.rival.Main"),
        *(
            task.bootstrap,
            task.prefix,
            task.mode,
            task.application,
            str(task.state),
            str(threads),
            str(_facts_of(task)),
        ),
    ]
    async with _group_offsets(task.bootstrap, task.application) as decided, _started(task, command) as rival:
        await rival.decide(task.inputs, decided)
        return rival.measured(warm_up)


async def faust(task: Task, *, then: Sequence[Outgoing] = (), warm_up: float = 1 / 2) -> Measured:
    """Let a Faust agent decide what is loaded, and measure from when the part `warm_up` of it is decided.

    `then` is loaded and measured once that is decided: for filings, whose covers it would else not know yet.
    """
    settings = Settings(task.bootstrap, task.prefix, task.mode, task.application, str(task.state), str(_facts_of(task)))
    command = [sys.executable, "-m", "tests.bench.faust_rival", json.dumps(asdict(settings))]
    async with (
        _end_offsets(task.bootstrap, task.events, task.known["partitions"]) as decided,
        _started(task, command) as rival,
    ):
        await rival.decide(task.inputs, decided)
        if not then:
            return rival.measured(warm_up)
        before = len(rival.samples)
        await load(task.bootstrap, task.prefix, then)
        await rival.decide(task.inputs + len(then), decided)
        return rival.measured_from(rival.samples[before])


def _facts_of(task: Task) -> Path:
    task.folder.mkdir(parents=True, exist_ok=True)
    path = task.folder / "facts.json"
    path.write_text(json.dumps(task.known), encoding="utf-8")
    return path


class _Rival:
    """A rival's process, watched; each sample is one commit, or several at once."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.samples = [_Sample(time.perf_counter(), 0, 0.0)]
        self._memory_bytes = 0
        self._process = process
        self._watched = psutil.Process(process.pid)
        self._log = log

    async def decide(self, inputs: int, decided: Callable[[], Awaitable[int]]) -> None:
        """Watch until so many inputs are decided, by the count `decided`."""
        while self.samples[-1].decided < inputs:
            await asyncio.sleep(_POLL_S)
            assert self._process.returncode is None, f"it ended: {self._said()}"
            assert time.perf_counter() - self.samples[-1].at < _STALLED_S, f"no progress: {self._said()}"
            count, now, times = await decided(), time.perf_counter(), self._watched.cpu_times()
            self._memory_bytes = max(self._memory_bytes, self._watched.memory_info().rss)
            if count != self.samples[-1].decided:
                self.samples.append(_Sample(now, count, times.user + times.system))

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:]

    def measured(self, warm_up: float) -> Measured:
        """Leave out the first part, up to the commit with all of it."""
        warm = warm_up * self.samples[-1].decided
        return self.measured_from(next(sample for sample in self.samples if sample.decided >= warm))

    def measured_from(self, first: _Sample) -> Measured:
        """Take what was decided after a commit."""
        last = self.samples[-1]
        assert first is not last, "all in one commit: measure more inputs"
        counted, seconds = last.decided - first.decided, last.at - first.at
        cpu_us = (last.cpu_s - first.cpu_s) / counted * 1e6
        return Measured(counted / seconds, cpu_us, self._memory_bytes, counted, seconds)


@asynccontextmanager
async def _started(task: Task, command: Sequence[str]) -> AsyncIterator[_Rival]:
    log = task.folder / "rival.log"
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield _Rival(process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _group_offsets(bootstrap: str, group: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Count the inputs that a group has committed: unlike offsets of its output, they have no gaps."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def decided() -> int:
        try:
            offsets = await admin.list_consumer_group_offsets(group)
        except KafkaError:  # not there yet
            return 0
        return sum(max(offset.offset, 0) for offset in offsets.values())

    try:
        yield decided
    finally:
        await admin.close()


@asynccontextmanager
async def _end_offsets(bootstrap: str, topic: str, partitions: int) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Count the records of a topic without transactions."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    async with _consumer(bootstrap) as consumer:

        async def decided() -> int:
            return sum((await consumer.end_offsets(places)).values())

        yield decided
