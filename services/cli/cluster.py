"""What `adjudex doctor` examines of a space on Kafka. It only reads, and says what it cannot see."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from shlex import quote
from typing import Any

from schemas.instants import format_instant
from schemas.topics import OUTCOMES
from services.cli.access import Outsiders, rights, writers
from services.cli.backlog import Backlog, read_backlog
from services.cli.checks import Check, Status, some, span
from services.cli.data import DataDirectory, SpaceStore, open_kafka
from services.cli.set_aside import pass_advice
from services.cli.topics import TopicPlan, plan_topics
from services.kernel.decider import DecisionService
from services.kernel.kafka.admin import Administrator, Bounds
from services.kernel.kafka.clients import AuthorizationError
from services.kernel.space import Space
from services.kernel.store import StoreError
from services.registry import RELAY, RUNNABLE, VIEWS, decision_services

_TRANSACTION_MAX_MS, _SESSION_MS = 15_000, 6_000
_BROKER = (
    "transaction.max.timeout.ms", "auto.create.topics.enable", "group.min.session.timeout.ms",
    "offsets.topic.replication.factor", "transaction.state.log.replication.factor",
)  # fmt: skip
_LOSING = {"cleanup.policy", "retention.ms", "retention.bytes", "message.timestamp.type"}
"""Settings that cost records, or the truth about when they came."""
_NEEDED = {RELAY: f"publishes {OUTCOMES} and more", VIEWS: "keeps the read model; nothing is decided by it"}
"""What a service that does not decide is run for."""
_AT_ONCE = 8
_BEHIND = 60_000
_Ends = Mapping[tuple[str, int], Bounds]


async def examine_cluster(data: DataDirectory) -> AsyncIterator[Check]:
    """Run every check that can be run."""
    space = data.space()
    yield Check("data", "ok", f"{data.description}: {space.name}, {space.partitions} partitions")
    cluster = data.cluster()
    try:
        await cluster.__aenter__()
    except StoreError as error:
        yield Check("cluster", "fail", str(error), "start it, or name another with --kafka or ADJUDEX_KAFKA")
        return
    try:
        async for check in _reachable(data, space, cluster):
            yield check
    finally:
        await cluster.__aexit__()


async def _reachable(data: DataDirectory, space: Space, cluster: Administrator) -> AsyncIterator[Check]:
    brokers = await cluster.brokers()
    count = "1 broker" if len(brokers) == 1 else f"{len(brokers)} brokers"
    yield Check("cluster", "ok", f"{await cluster.release()}, {count}: {', '.join(brokers.values())}")
    yield await _guarded("brokers", _brokers(cluster, len(brokers)))
    yield await _guarded("rights", _rights(space, cluster))
    yield await _guarded("clock", _clock(space, cluster))
    planned = await plan_topics(cluster, space, 1)
    for check in _topics(data, space, planned):
        yield check
    for check in (_unknown(planned), _copies(planned)):
        yield check
    markers = _markers(data, space, planned)
    yield markers
    if markers.status == "ok":
        async for check in _running(data, space, cluster, planned):
            yield check


async def _guarded(name: str, checking: Any) -> Check:  # noqa: ANN401 - what gives a Check
    """Say that something cannot be seen, instead of ending there: it is asked of an operator with few rights too."""
    try:
        found: Check = await checking
    except AuthorizationError as error:
        return Check(
            name, "warn", f"it cannot be asked: {error}", "run the doctor as a user who may describe the cluster"
        )
    return found


async def _brokers(cluster: Administrator, brokers: int) -> Check:
    copies = min(3, brokers)
    wrong: list[str] = []
    held = await cluster.broker_settings(_BROKER)
    for number, found in held.items():
        if int(found.get("transaction.max.timeout.ms", 0)) > _TRANSACTION_MAX_MS:
            longest = span(int(found["transaction.max.timeout.ms"]))
            wrong.append(
                f"broker {number} lets a transaction stay open for {longest}: for so long one that is left open, by "
                f"whomever, keeps everybody from reading on (transaction.max.timeout.ms, at most {_TRANSACTION_MAX_MS})"
            )
        if found.get("auto.create.topics.enable") == "true":
            wrong.append(
                f"broker {number} makes a topic of every misspelt name, with other settings and without markers "
                f"(auto.create.topics.enable)"
            )
        if int(found.get("group.min.session.timeout.ms", 0)) > _SESSION_MS:
            wrong.append(
                f"broker {number} refuses members that are missed after {_SESSION_MS} ms (group.min.session.timeout.ms)"
            )
        wrong += [
            f"broker {number} keeps {found[name]} copies, {copies} are possible ({name})"
            for name in ("offsets.topic.replication.factor", "transaction.state.log.replication.factor")
            if int(found.get(name, copies)) < copies
        ]
    if not wrong:
        return Check("brokers", "ok", f"settings of {len(held)} fit; open transactions end within 15 s")
    return Check("brokers", "warn", "; ".join(wrong), "change these settings of the brokers (docs/kafka.md)")


async def _rights(space: Space, cluster: Administrator) -> Check:
    granted = await cluster.acls(f"{space.name}.")
    if granted is None:
        return Check(
            "rights",
            "warn",
            "the cluster has no authorizer: everybody may write every log, and what comes in unsigned",
            "let clients log in and `adjudex topics apply --acls` grant each what it needs (docs/kafka.md)",
        )
    alone = writers(space)
    foreign = [
        f"{acl.principal} may {acl.operation} {topic}"
        for acl in granted
        if acl.kind == "topic" and acl.operation in ("all", "write")
        for topic, owner in alone.items()
        if acl.principal != f"User:{owner}"
        and acl.concerns(topic)
        and (acl.pattern == "prefixed" or acl.name in (topic, "*"))
    ]
    if foreign:
        return Check("rights", "fail", some(foreign), "take these rights away: nobody but its owner writes there")
    missing = [acl for acl in rights(space, Outsiders()) if acl not in granted]
    if missing:
        what = some([f"{acl.principal} may not {acl.operation} {acl.kind} {acl.name}" for acl in missing])
        return Check("rights", "warn", what, "`adjudex topics apply --acls` grants what each service needs")
    return Check("rights", "ok", "each log and each owned stream has one writer")


async def _clock(space: Space, cluster: Administrator) -> Check:
    theirs, before, after = await cluster.clock()
    ahead, doubt = theirs - (before + after) // 2, (after - before + 1) // 2
    what = f"the controller's is {abs(ahead)} ms {'ahead of' if ahead >= 0 else 'behind'} ours, give or take {doubt} ms"
    if abs(ahead) > space.skew + doubt:
        todo = (
            f"set the clocks right (NTP): up to {space.skew} ms are reckoned with. Other brokers' cannot be asked for"
        )
        return Check("clock", "fail", what, todo)
    return Check("clock", "ok", f"{what}; other brokers' cannot be asked for")


def _topics(data: DataDirectory, space: Space, planned: Sequence[TopicPlan]) -> Iterator[Check]:
    command = f"adjudex topics apply --data {quote(str(data.path))}"
    ours = [topic for topic in planned if topic.status != "unknown"]
    missing = [topic.topic for topic in ours if topic.status == "create"]
    if missing:
        yield Check("topics", "fail", f"missing: {some(missing)}", "create them", command)
    for topic in ours:
        if topic.status == "refused":
            yield Check("topics", "fail", f"{topic.topic}: {topic.why}", "see docs/kafka.md")
        for difference in topic.differs:
            status: Status = "fail" if difference.setting in _LOSING else "warn"
            what = f"{topic.topic}: {difference.setting} is {difference.has}, must be {difference.must}"
            yield Check("topics", status, what, "set it", command)
    if all(topic.status in ("ok", "mark") and not topic.differs for topic in ours):
        yield Check("topics", "ok", f"{len(ours)} with {space.partitions} partitions each, set as they must be")


def _unknown(planned: Sequence[TopicPlan]) -> Check:
    unknown = [topic.topic for topic in planned if topic.status == "unknown"]
    if not unknown:
        return Check("unknown", "ok", "no other topics with the space's prefix")
    todo = "find out who made them; if nobody needs them, delete them"
    return Check("unknown", "warn", f"nothing of this release uses {some(unknown)}", todo)


def _copies(planned: Sequence[TopicPlan]) -> Check:
    there = [topic for topic in planned if topic.status not in ("unknown", "create")]
    least = min((topic.replication for topic in there), default=0)
    behind = [topic.topic for topic in there if topic.in_sync < topic.replication]
    stuck = [topic.topic for topic in there if topic.in_sync < min(2, topic.replication)]
    if stuck:
        todo = "bring the missing brokers back: until then nothing can be written there"
        return Check("copies", "fail", f"too few copies follow: {some(stuck)}", todo)
    if behind:
        return Check("copies", "warn", f"not all copies follow: {some(behind)}", "bring the missing brokers back")
    if least < 2:  # noqa: PLR2004 - one is none
        todo = "keep three copies of each topic on a cluster of three brokers or more, unless this is for trying out"
        return Check("copies", "warn", f"{least} of each record: what its broker loses is lost", todo)
    return Check("copies", "ok", f"at least {least} of each record, all of them follow")


def _markers(data: DataDirectory, space: Space, planned: Sequence[TopicPlan]) -> Check:
    ours = [topic for topic in planned if topic.status != "unknown"]
    unmarked = [topic.topic for topic in ours if topic.marks]
    if unmarked:
        command = f"adjudex topics apply --data {quote(str(data.path))}"
        return Check("markers", "fail", f"missing in {some(unmarked)}", "write them", command)
    if any(topic.status == "refused" for topic in ours):
        return Check("markers", "fail", "not every topic can be used", "see the lines above")
    return Check("markers", "ok", f"{len(ours)} topics, {space.partitions} partitions each, every topic in one life")


async def _running(
    data: DataDirectory, space: Space, cluster: Administrator, planned: Sequence[TopicPlan]
) -> AsyncIterator[Check]:
    counts = {topic.topic: topic.partitions for topic in planned if topic.status != "unknown"}
    before = await cluster.bounds(counts)
    members = await cluster.members(f"{space.name}.{name}" for name in RUNNABLE)
    running = {name: held for name in RUNNABLE if (held := members[f"{space.name}.{name}"])}
    store = open_kafka(space, data.settings())
    try:
        gate = asyncio.Semaphore(_AT_ONCE)
        backlogs = await asyncio.gather(
            *(
                _backlog(gate, space, store, service, partition)
                for service in decision_services()
                for partition in range(space.partitions)
            )
        )
        yield await _stamps(space, cluster, before, store.now())
        after = await cluster.bounds(counts)
        yield _open(before, after)
        for check in _undecided(backlogs, running, store.now()):
            yield check
        for check in _stopped(data, backlogs):
            yield check
    finally:
        await store.close()
    for check in _services(RUNNABLE, running):
        yield check


async def _backlog(
    gate: asyncio.Semaphore, space: Space, store: SpaceStore, service: DecisionService[Any], partition: int
) -> tuple[str, Backlog]:
    async with gate:
        return service.name, await read_backlog(space, store, service, partition)


async def _stamps(space: Space, cluster: Administrator, ends: _Ends, now: int) -> Check:
    """Look for records from our future: so a broker's clock shows that is ahead. One that is behind shows nowhere."""
    found = await cluster.stamped_from(ends, now + space.skew)
    if found is None:
        return Check("stamps", "ok", "no record is of later than now; of a broker whose clock is behind nothing tells")
    what = f"a record is of {format_instant(found)}, {span(found - now)} ahead of our clock"
    return Check("stamps", "fail", what, "set the clocks of brokers and services right (NTP)")


def _open(before: _Ends, after: _Ends) -> Check:
    stuck = [
        f"{topic}/{partition} at {held.stable} of {held.end}"
        for (topic, partition), held in after.items()
        if held.stable < before[topic, partition].end and held.stable == before[topic, partition].stable
    ]
    if not stuck:
        return Check("open", "ok", "no transaction keeps readers waiting")
    todo = (
        "a moment of this is normal. If it stays, its owner died, or somebody else writes in transactions: it ends "
        "after transaction.max.timeout.ms at the latest. Nobody but services needs the right to a transactional id"
    )
    return Check("open", "warn", f"a transaction is open: {some(stuck)}", todo)


def _undecided(
    backlogs: Sequence[tuple[str, Backlog]], running: Mapping[str, Sequence[str]], now: int
) -> Iterator[Check]:
    waiting = [(name, topic, held) for name, backlog in backlogs for topic, held in backlog.undecided.items()]
    if not waiting:
        yield Check("undecided", "ok", "every input is decided")
    for name, topic, held in waiting:
        age = max(now - held.oldest_at, 0)
        what = f"{topic}: {held.inputs:,} undecided, the oldest of {format_instant(held.oldest_at)}, {span(age)} ago"
        if name not in running:
            yield Check("undecided", "warn", what, f"`adjudex run {name}` decides them")
        elif age > _BEHIND:
            yield Check("undecided", "warn", what, f"{name} is behind, or stopped: see the next lines")
        else:
            yield Check("undecided", "ok", what)


def _stopped(data: DataDirectory, backlogs: Sequence[tuple[str, Backlog]]) -> Iterator[Check]:
    stopped = [backlog.stopped for _, backlog in backlogs if backlog.stopped is not None]
    if not stopped:
        yield Check("stopped", "ok", f"none of {len(backlogs)} partitions")
    for error in stopped:
        advice = pass_advice(data, error.position)
        yield Check("stopped", "fail", str(error), advice.text, advice.command)


def _services(names: Sequence[str], running: Mapping[str, Sequence[str]]) -> Iterator[Check]:
    for name in names:
        held = running.get(name, ())
        if held:
            yield Check("services", "ok", f"{name}: {len(held)} running: {some(held)}")
        else:
            needed = _NEEDED.get(name, "decides its inputs")
            yield Check("services", "warn", f"{name}: nobody runs it", f"`adjudex run {name}` {needed}")
