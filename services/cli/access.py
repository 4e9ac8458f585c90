"""Who may do what on a cluster: the least that each service and each outsider needs, and nothing for anybody else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.topics import INPUTS, TELLS, TOPICS
from services.cli.console import OperationRefusedError
from services.kernel.kafka.admin import Acl
from services.kernel.space import Space
from services.registry import LOGS, RELAY, RUNNABLE, VIEWS, decision_services

_OUTPUTS = tuple(topic.name for topic in TOPICS if topic.kind == "output")


@dataclass(frozen=True, slots=True)
class Outsiders:
    """Users beside the services: who posts to which streams, who reads what is decided, who reads everything."""

    producers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    readers: Sequence[str] = ()
    auditors: Sequence[str] = ()


def outsiders(space: Space, producers: Sequence[str], readers: Sequence[str], auditors: Sequence[str]) -> Outsiders:
    """Read `NAME=STREAM[,STREAM...]` of each producer; raises OperationRefusedError."""
    found: dict[str, list[str]] = {}
    public = [stream.name for stream in INPUTS if stream.name not in space.owned]
    for spelled in producers:
        name, _, streams = spelled.partition("=")
        for stream in streams.split(","):
            if stream in space.owned:
                raise OperationRefusedError(
                    f"{stream} is written by {space.owned[stream]} alone: its inputs need no proof",
                    f"give User:{space.owned[stream]} to whoever is to write it",
                )
            if not name or stream not in public:
                raise OperationRefusedError(
                    f"{spelled} names no producer: {stream or '(nothing)'} is no stream that outsiders write",
                    f"NAME=STREAM[,STREAM...], with {', '.join(public)}",
                )
            found.setdefault(name, []).append(stream)
    for name in (*found, *readers, *auditors):
        if name in RUNNABLE:
            raise OperationRefusedError(f"{name} is a service of the space, and no outsider", "choose another name")
    return Outsiders(found, readers, auditors)


def rights(space: Space, others: Outsiders) -> list[Acl]:
    """List every right that is needed; Describe goes with each of them, and an idempotent producer needs no other."""
    return sorted({*_services(space), *_relay(space), *_views(space), *_others(space, others)})


def _topic(space: Space, user: str, topic: str, *operations: str) -> Iterator[Acl]:
    for operation in operations:
        yield Acl(f"User:{user}", operation, "topic", "literal", f"{space.name}.{topic}")


def _services(space: Space) -> Iterator[Acl]:
    for service in decision_services():
        user = f"User:{service.name}"
        yield Acl(user, "write", "transactional-id", "prefixed", f"{space.name}.{service.log}-")
        yield Acl(user, "read", "group", "literal", f"{space.name}.{service.name}")
        for topic in service.topics:
            yield from _topic(space, service.name, topic, "read")
        yield from _topic(space, service.name, service.log, "read", "write")
        # Its own inbox too: there it forwards what was sent to the wrong partition.
        for receiver in (service.name, *TELLS[service.name]):
            yield from _topic(space, service.name, f"{receiver}.inbox", "write")


def _relay(space: Space) -> Iterator[Acl]:
    yield Acl(f"User:{RELAY}", "read", "group", "literal", f"{space.name}.{RELAY}")
    for log in LOGS:
        yield from _topic(space, RELAY, log, "read")
    for output in _OUTPUTS:
        yield from _topic(space, RELAY, output, "read", "write")


def _views(space: Space) -> Iterator[Acl]:
    yield Acl(f"User:{VIEWS}", "read", "group", "literal", f"{space.name}.{VIEWS}")
    for log in LOGS:
        yield from _topic(space, VIEWS, log, "read")


def _others(space: Space, others: Outsiders) -> Iterator[Acl]:
    for stream, owner in space.owned.items():
        yield from _topic(space, owner, stream, "write")
    for user, streams in others.producers.items():
        for stream in streams:
            yield from _topic(space, user, stream, "write")
    for user in {*space.owned.values(), *others.producers}:
        # Whoever posts is answered there, and treasuries are instructed.
        for topic in _OUTPUTS:
            yield from _topic(space, user, topic, "read")
    for user in others.readers:
        for topic in (*LOGS, *_OUTPUTS):
            yield from _topic(space, user, topic, "read")
    for user in {*space.owned.values(), *others.producers, *others.readers}:
        # Groups of their own, for clients that share partitions out, such as Faust; none that begins like a service's.
        yield Acl(f"User:{user}", "read", "group", "literal", f"{space.name}.{user}")
        yield Acl(f"User:{user}", "read", "group", "prefixed", f"{space.name}.{user}.")
    for user in others.auditors:
        for held in TOPICS:
            yield from _topic(space, user, held.name, "read")


def writers(space: Space) -> dict[str, str]:
    """Return who alone may write what a service decides from or writes, by full topic name."""
    kept = {f"{space.name}.{service.log}": service.name for service in decision_services()}
    return kept | {f"{space.name}.{stream}": owner for stream, owner in space.owned.items()}
