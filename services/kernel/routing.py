"""From an event to the messages that a service sends its siblings because of it."""

from typing import Any

from schemas.envelope import Outgoing

from .decider import BROADCAST, Decided, DecisionService
from .partitioner import partition_of
from .space import Space
from .wire import message_record, stable_id


def messages(
    space: Space, service: DecisionService[Any], decided: Decided, event_id: str, correlation: str
) -> list[Outgoing]:
    """Make what an event sends: the same bytes, ids included, whenever it is asked.

    `correlation` is the id of the public input that began it all.
    """
    source, made = f"/{space.name}/{service.name}", []
    for receiver, to_key, content in service.route(decided):
        topic, value = f"{receiver}.inbox", content.to_bytes()
        for partition, key in _targets(to_key, space.partitions):
            identifier = stable_id(event_id, receiver, partition, key, content.wire)
            made.append(
                message_record(
                    topic,
                    partition,
                    key,
                    identifier,
                    content.wire,
                    value,
                    source,
                    event_id,
                    correlation,
                    decided.since,
                )
            )
    return made


def _targets(key: str, partitions: int) -> list[tuple[int, str]]:
    """List where a message goes: to its aggregate, or to one in every partition."""
    if not key.startswith(BROADCAST):
        return [(partition_of(key, partitions), key)]
    kind = key.removeprefix(BROADCAST) or "facts"
    return [(number, f"{kind}/{number}") for number in range(partitions)]
