"""`adjudex topics`: what a space needs on a cluster, what is there, and bringing the one to the other."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from schemas.envelope import Outgoing
from schemas.topics import TOPICS, Topic, settings
from services.cli.access import Outsiders, outsiders, rights
from services.cli.console import FINDINGS, FINE, Console, OperationRefusedError, wrapped
from services.cli.data import DataDirectory, NewSpace, check_wanted
from services.kernel.kafka.admin import Acl, Administrator, TopicState
from services.kernel.markers import incarnation_of, marker
from services.kernel.space import Space
from services.kernel.store import StoreError
from services.registry import new_space

PARTITIONS_DEFAULT, REPLICATION_MAX = 12, 3
Status = Literal["create", "ok", "differs", "mark", "refused", "unknown"]
_WHY_NO_MORE = (
    "keys would belong to other partitions than those that decided about them. A space keeps the number it was created "
    "with; for another number, create another space"
)


class Asked(NamedTuple):
    """What the user says: of a new space, of new topics, and of who may do what where `acls` are asked for."""

    space: NewSpace
    replication: int | None = None
    acls: bool = False
    producers: Sequence[str] = ()
    readers: Sequence[str] = ()
    auditors: Sequence[str] = ()


class Difference(NamedTuple):
    """A setting that is not as it must be."""

    setting: str
    has: str
    must: str


@dataclass(slots=True)
class TopicPlan:
    """What one topic is, and what would be done to it; `marks` are partitions without a marker, `life` theirs."""

    topic: str
    status: Status
    partitions: int
    replication: int
    in_sync: int = 0
    differs: list[Difference] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    life: str = ""
    why: str = ""


class Rights(NamedTuple):
    """Rights that are needed, whether each is there, and what else is allowed; None where nobody checks rights."""

    needed: Mapping[Acl, bool]
    unknown: Sequence[Acl]


class Plan(NamedTuple):
    """Everything about a space on a cluster."""

    space: Space
    replication: int
    topics: Sequence[TopicPlan]
    rights: Rights | None

    @property
    def refused(self) -> list[TopicPlan]:
        """What stands in the way."""
        return [topic for topic in self.topics if topic.status == "refused"]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        done = all(topic.status in ("ok", "unknown") for topic in self.topics)
        return done and (self.rights is None or all(self.rights.needed.values()))


# --- planning


def space_meant(data: DataDirectory, wanted: NewSpace) -> tuple[Space, bool]:
    """Return the space of the directory, or the one that would be created; and whether it is described already."""
    if data.is_on_kafka:
        space = data.space()
        check_wanted(space, wanted, data.path)
        return space, True
    if data.file.exists():
        data.space()  # says that it is an embedded one
    if wanted.name is None:
        raise OperationRefusedError(
            f"{data.path} describes no space, and its name is not said",
            "--space NAME creates one, or names what is planned; --data names the directory of another",
        )
    return new_space(wanted.name, wanted.partitions or PARTITIONS_DEFAULT, wanted.root_key), False


async def plan_topics(cluster: Administrator, space: Space, replication: int) -> list[TopicPlan]:
    """Compare every topic of a space with what is on the cluster."""
    names = sorted({name for kind in ("input", "inbox", "log", "output") for name in settings(kind, 1)})
    found = await cluster.topics(f"{space.name}.", names)
    expected = {f"{space.name}.{topic.name}": topic for topic in TOPICS}
    fitting = {name: space.partitions for name in expected if _fits(found.get(name), space)}
    lives = await _lives(cluster, space, {name: expected[name].name for name in fitting})
    plans = [
        _plan(name, topic, found.get(name), lives.get(name), space, replication) for name, topic in expected.items()
    ]
    unknown = sorted(found.keys() - expected.keys())
    return plans + [TopicPlan(name, "unknown", found[name].partitions, found[name].replication) for name in unknown]


def _fits(state: TopicState | None, space: Space) -> bool:
    return state is not None and state.partitions == space.partitions


def _plan(
    name: str, topic: Topic, state: TopicState | None, marked: "_Marked | None", space: Space, replication: int
) -> TopicPlan:
    if state is None:
        every = list(range(space.partitions))
        return TopicPlan(name, "create", space.partitions, replication, marks=every)
    plan = TopicPlan(name, "ok", state.partitions, state.replication, state.in_sync)
    if marked is None:
        plan.status = "refused"
        plan.why = f"{state.partitions} partitions, must be {space.partitions}, and none can be added: {_WHY_NO_MORE}"
        return plan
    for setting, must in settings(topic.kind, state.replication).items():
        has = state.settings.get(setting, "(none)")
        if has != must:
            plan.differs.append(Difference(setting, has, must))
    plan.marks, plan.life, plan.why = marked.missing, marked.life, marked.wrong
    plan.status = "refused" if plan.why else "mark" if plan.marks else "differs" if plan.differs else "ok"
    return plan


class _Marked(NamedTuple):
    life: str
    missing: list[int]
    wrong: str


async def _lives(cluster: Administrator, space: Space, topics: Mapping[str, str]) -> dict[str, _Marked]:
    """Read the first record of every partition: which life each topic is in, and which partitions lack a marker."""
    bounds = await cluster.bounds(dict.fromkeys(topics, space.partitions))
    firsts = await cluster.records_at({place: 0 for place, held in bounds.items() if not held.begin and held.end})
    found = {}
    for name, topic in topics.items():
        lives: dict[int, str] = {}
        missing: list[int] = []
        wrong = ""
        for partition in range(space.partitions):
            begin, end, _ = bounds[name, partition]
            if begin:
                wrong = f"partition {partition} begins at {begin}: records were deleted. Restore the topic from a copy"
            elif not end:
                missing.append(partition)
            else:
                try:
                    lives[partition] = incarnation_of(firsts[name, partition], topic, partition)
                except (StoreError, ValueError):
                    wrong = (
                        f"partition {partition} begins with something else than its marker: somebody wrote it before "
                        f"`topics apply`. As nothing can have been decided from it, delete the topic, and apply again"
                    )
        used = any(bounds[name, partition].end > 1 for partition in lives)
        if len(set(lives.values())) > 1:
            wrong = (
                f"its partitions are of different lives: {', '.join(sorted(set(lives.values())))}. Restore the topic"
            )
        elif missing and used and not wrong:
            wrong = (
                f"partition {missing[0]} is empty while others hold records: was it lost? Then restore it from a copy. "
                f"If the space is new and nothing of it is needed, delete the topic, and apply again"
            )
        found[name] = _Marked(next(iter(lives.values()), ""), missing, wrong)
    return found


async def plan_rights(cluster: Administrator, space: Space, others: Outsiders) -> Rights:
    """Compare the rights that are needed with those that are granted; raises OperationRefusedError."""
    granted = await cluster.acls(f"{space.name}.")
    if granted is None:
        raise OperationRefusedError(
            "the cluster has no authorizer: everybody may do everything, whatever rights are listed",
            "set authorizer.class.name and let clients log in (docs/kafka.md), or leave --acls away",
        )
    needed = rights(space, others)
    return Rights({acl: acl in granted for acl in needed}, [acl for acl in granted if acl not in needed])


async def copies(cluster: Administrator, replication: int | None) -> int:
    """Return how many copies a new topic gets; raises OperationRefusedError."""
    brokers = await cluster.brokers()
    if replication is not None and replication > len(brokers):
        raise OperationRefusedError(
            f"{replication} copies need as many brokers; the cluster has {len(brokers)}",
            "ask for fewer, or add brokers",
        )
    return replication or min(REPLICATION_MAX, len(brokers))


# --- doing


async def create(cluster: Administrator, plan: Plan, given: Mapping[str, str] | None = None) -> list[str]:
    """Do what is planned about topics, and say what was done; `given` settings come before the catalogue's."""
    done = []
    kinds = {f"{plan.space.name}.{topic.name}": topic.kind for topic in TOPICS}
    new = [topic.topic for topic in plan.topics if topic.status == "create"]
    wanted = {name: {**settings(kinds[name], plan.replication), **(given or {})} for name in new}
    await cluster.create(wanted, plan.space.partitions, plan.replication)
    done += [f"created {name}" for name in new]
    for topic in plan.topics:
        if topic.differs:
            await cluster.set(topic.topic, {difference.setting: difference.must for difference in topic.differs})
            done += [f"set {topic.topic} {difference.setting}={difference.must}" for difference in topic.differs]
    return done


async def mark(cluster: Administrator, plan: Plan) -> list[str]:
    """Write the markers that are missing, and say where."""
    done = []
    records: list[Outgoing] = []
    for topic in plan.topics:
        life = topic.life or secrets.token_hex(8)
        short = topic.topic.removeprefix(f"{plan.space.name}.")
        markers = (marker(plan.space.name, short, partition, life) for partition in topic.marks)
        records += [record._replace(topic=topic.topic) for record in markers]
        if topic.marks:
            done.append(f"marked {topic.topic}, {len(topic.marks)} partitions, life {life}")
    if records:
        now = time.time_ns() // 1_000_000
        async with cluster.writer() as writer:
            await writer.write((record, now) for record in records)
    return done


async def plan(data: DataDirectory, asked: Asked, console: Console) -> int:
    """Say what `apply` would do; returns the exit code."""
    space, described = space_meant(data, asked.space)
    async with data.cluster() as cluster:
        planned = await _planned(cluster, space, asked)
    creates = () if described else (f"{'create':<9}{data.description}",)
    console.put(_json(planned, data, described=described), *creates, *_text(planned))
    return FINDINGS if planned.refused else FINE


async def apply(data: DataDirectory, asked: Asked, console: Console) -> int:
    """Bring the cluster to what the space needs; returns the exit code."""
    space, described = space_meant(data, asked.space)
    async with data.cluster() as cluster:
        planned = await _planned(cluster, space, asked)
        if planned.refused:
            console.put(_json(planned, data, described=described), *_text(planned))
            return FINDINGS
        done = []
        if not described:
            _refuse_other(planned, data)
            data.describe(space)
            done.append(f"described {space.name} in {data.description}")
        done += await create(cluster, planned)
        done += await mark(cluster, planned)
        if planned.rights is not None:
            missing = [acl for acl, granted in planned.rights.needed.items() if not granted]
            await cluster.allow(missing)
            done += [f"allowed {_right(acl)}" for acl in missing]
        # Read again what is there now: somebody else may have been at it too.
        after = await plan_topics(cluster, space, planned.replication) if done else planned.topics
    left = [topic for topic in after if topic.status not in ("ok", "unknown")]
    shown = {"space": space.name, "data": str(data.path), "done": done, "left": [_spelled(topic) for topic in left]}
    lines = done or ["nothing to do"]
    console.put(shown, *lines, *(line for topic in left for line in _topic_lines(topic)))
    return FINDINGS if left else FINE


def _refuse_other(planned: Plan, data: DataDirectory) -> None:
    """Refuse to describe anew a space that is on the cluster already: nobody knows that it would be the same."""
    there = [topic.topic for topic in planned.topics if topic.status not in ("create", "unknown")]
    if there:
        raise OperationRefusedError(
            f"the space {planned.space.name} is on the cluster already ({there[0]}, …), and {data.path} does not "
            f"describe it",
            "copy space.json from where the space was created: what it says is part of every decision",
        )


async def _planned(cluster: Administrator, space: Space, asked: Asked) -> Plan:
    replication = await copies(cluster, asked.replication)
    outside = (asked.producers, asked.readers, asked.auditors)
    if not asked.acls and any(outside):
        raise OperationRefusedError("--producer, --reader and --auditor say who may do what", "add --acls")
    needed = await plan_rights(cluster, space, outsiders(space, *outside)) if asked.acls else None
    return Plan(space, replication, await plan_topics(cluster, space, replication), needed)


# --- saying


def _spelled(topic: TopicPlan) -> dict[str, Any]:
    return {
        "topic": topic.topic,
        "status": topic.status,
        "partitions": topic.partitions,
        "replication": topic.replication,
        "differs": [difference._asdict() for difference in topic.differs],
        "markers_missing": len(topic.marks),
        "incarnation": topic.life or None,
        "why": topic.why or None,
    }


def _json(planned: Plan, data: DataDirectory, *, described: bool) -> dict[str, Any]:
    spelled: dict[str, Any] = {
        "space": planned.space.name,
        "data": str(data.path),
        "described": described,
        "partitions": planned.space.partitions,
        "replication": planned.replication,
        "done": planned.is_done and described,
        "topics": [_spelled(topic) for topic in planned.topics],
    }
    if planned.rights is not None:
        needed = [{**acl._asdict(), "granted": granted} for acl, granted in planned.rights.needed.items()]
        spelled["acls"] = needed
        spelled["acls_unknown"] = [acl._asdict() for acl in planned.rights.unknown]
    return spelled


def _topic_lines(topic: TopicPlan) -> Iterator[str]:
    held = {
        "create": f"{topic.partitions} partitions, {topic.replication} copies of each",
        "mark": f"{len(topic.marks)} of {topic.partitions} partitions lack their marker",
        "unknown": "nothing of this release writes or reads it",
    }
    yield from wrapped(f"{topic.status:<9}{topic.topic}  ", topic.why or held.get(topic.status, ""))
    for difference in topic.differs:
        yield f"         {difference.setting} is {difference.has}, must be {difference.must}"


def _right(acl: Acl) -> str:
    named = f"{acl.name}*" if acl.pattern == "prefixed" else acl.name
    return f"{acl.principal} to {acl.operation} {acl.kind} {named}"


def _text(planned: Plan) -> Iterator[str]:
    for topic in planned.topics:
        yield from _topic_lines(topic)
    if planned.rights is not None:
        yield ""
        for acl, granted in planned.rights.needed.items():
            yield f"{'ok' if granted else 'allow':<9}{_right(acl)}"
        for acl in planned.rights.unknown:
            yield f"{'unknown':<9}{_right(acl)}"
