"""Topic markers: the first record of every topic partition says which life of the topic this is."""

from schemas.envelope import Outgoing, Record, decode

from .records import TopicStarted
from .store import StoreError
from .wire import stable_id


def marker(space: str, topic: str, partition: int, incarnation: str) -> Outgoing:
    """Build the first record of a topic partition."""
    event = TopicStarted(topic=topic, incarnation=incarnation)
    headers = (
        ("ce_id", stable_id(space, topic, partition, incarnation).encode()),
        ("ce_source", f"/{space}".encode()),
        ("ce_specversion", b"1.0"),
        ("ce_type", event.wire.encode()),
        ("content-type", b"application/json"),
    )
    return Outgoing(topic, partition, f"partition/{partition}".encode(), event.to_bytes(), headers)


def incarnation_of(record: Record | None, topic: str, partition: int) -> str:
    """Read a marker; raises StoreError when the first record of the partition is not this topic's marker."""
    headers = dict(record.headers) if record else {}
    if record is not None and record.value is not None and headers.get("ce_type") == TopicStarted.wire.encode():
        event = decode(TopicStarted.wire, record.value)
        if isinstance(event, TopicStarted) and event.topic == topic:
            return event.incarnation
    text = f"{topic}/{partition} does not begin with its marker: the topic was not created by `topics apply`"
    raise StoreError(text)
