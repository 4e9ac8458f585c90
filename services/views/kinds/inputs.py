"""What became of each public input: its fate, the events it caused, or why it was refused."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Literal

from schemas.envelope import Event, Message, Position
from schemas.instants import Instant
from schemas.outcomes import NextStep, Refusal
from schemas.topics import INPUTS, SERVICES
from services.kernel.records import InputsPassed, PassedInput, Refused, SetAside
from services.views.kind import Kind, Meta, Row, base, change

LOGS = tuple(f"{service}.events" for service in SERVICES)
_PUBLIC = frozenset(topic.name for topic in INPUTS)
_PUBLIC_BYTES = frozenset(name.encode() for name in _PUBLIC)
EVENTS_MAX = 100
"""How many events of one input its row names; `events_count` counts all."""


class InputRow(Row):
    """A public input, by its position `<stream>@<incarnation>/<partition>/<offset>`.

    `input_id` is the sender's own. A misplaced record has two rows: where it was sent (`forwarded`), and where its
    owner decided it. `of` is the position of the earlier input that a duplicate repeats.
    """

    input_id: str
    stream: str
    key: str
    sender: str | None
    fate: Literal["decided", "refused", "set-aside", "duplicate", "forwarded", "no-effect"]
    at: Instant
    log_position: str
    events: tuple[str, ...] = ()
    events_count: int = 0
    refusal: Refusal | None = None
    reason: str | None = None
    of: str | None = None
    next: NextStep | None = None


def _decided(_: object, meta: Meta) -> Iterable[str]:
    """Name the public input that caused a record, if one did."""
    position = meta.headers.get("ce_input", b"")
    if position.partition(b"@")[0] in _PUBLIC_BYTES or "ce_stream" in meta.headers:
        return (position.decode(),)
    return ()


def _passed(event: InputsPassed, meta: Meta) -> Iterable[str]:
    """Name the positions of public ones among inputs that were passed."""
    for held in event.ranges:
        for passed in held.inputs:
            if held.topic in _PUBLIC or passed.stream is not None:
                yield str(Position(held.topic, held.incarnation, meta.partition, passed.offset))


def _input(row: InputRow | None, event: Event, meta: Meta) -> InputRow | None:
    if isinstance(event, InputsPassed):
        return row or _of_passed(event, meta)
    held = row or _new(event, meta)
    following = getattr(event, "next", None)
    return change(
        held,
        meta,
        events=(*held.events, event.wire) if len(held.events) < EVENTS_MAX else held.events,
        events_count=held.events_count + 1,
        next=following if isinstance(following, NextStep) else held.next,
    )


def _new(event: Event, meta: Meta) -> InputRow:
    headers = meta.headers
    topic = meta.id.partition("@")[0]
    sender = headers.get("ce_sender")
    refusal = None
    if isinstance(event, Refused):
        refusal = Refusal(
            rule=event.rule,
            value=event.value,
            accepted=event.accepted,
            not_before=event.not_before,
            unknown=event.unknown,
        )
    return InputRow(
        **base(meta),
        input_id=headers["ce_causationid"].decode(),
        stream=headers["ce_stream"].decode() if "ce_stream" in headers else topic,
        key=headers["ce_inputkey"].decode() if "ce_inputkey" in headers else meta.key,
        sender=None if sender is None else sender.decode(),
        fate="refused" if refusal else "set-aside" if isinstance(event, SetAside) else "decided",
        at=meta.at,
        log_position=meta.position,
        refusal=refusal,
        reason=f"{event.cause}: {event.reason}" if isinstance(event, SetAside) else None,
    )


def _of_passed(event: InputsPassed, meta: Meta) -> InputRow | None:
    wanted = Position.parse(meta.id)
    for held in event.ranges:
        if (held.topic, held.incarnation) != wanted[:2]:
            continue
        number = bisect_left(held.inputs, wanted.offset, key=lambda passed: passed.offset)
        if number < len(held.inputs) and held.inputs[number].offset == wanted.offset:
            return _row_of_passed(held.inputs[number], held.topic, meta)
    return None


def _row_of_passed(passed: PassedInput, topic: str, meta: Meta) -> InputRow:
    return InputRow(
        **base(meta),
        input_id=passed.id or "",
        stream=passed.stream or topic,
        key=passed.key or "",
        sender=passed.sender,
        fate=passed.fate,
        at=passed.at,
        log_position=meta.position,
        reason=None if passed.to_partition is None else f"forwarded to partition {passed.to_partition}",
        of=passed.of,
    )


KINDS = (
    Kind(
        "inputs",
        InputRow,
        LOGS,
        {Message: _decided, InputsPassed: _passed},
        _input,
        ("input_id", "stream", "fate", "key", "sender"),
    ),
)
