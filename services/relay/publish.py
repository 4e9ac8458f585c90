"""What the relay publishes: pure functions from the log records of one input to outsiders' records."""

from collections.abc import Sequence

from schemas.envelope import Message, Outgoing, Position, Record, decode
from schemas.instants import parse_instant
from schemas.outcomes import InputOutcome, NextStep, PayoutInstruction, Refusal
from schemas.payouts import PayoutInstructed, PayoutRetried
from schemas.topics import INPUTS, INSTRUCTIONS, OUTCOMES
from services.kernel.records import InputsPassed, Refused, SetAside
from services.kernel.space import Space
from services.kernel.wire import message_record, stable_id
from services.registry import LOGS

_PUBLIC = {topic.name for topic in INPUTS}


def _content(record: Record) -> Message:
    return decode(dict(record.headers)["ce_type"].decode(), record.value or b"")


def _record(space: Space, topic: str, cause: Record, key: str, number: int, content: Message) -> Outgoing:
    headers = dict(cause.headers)
    event_id = headers["ce_id"].decode()
    return message_record(
        topic,
        cause.partition,
        key,
        stable_id(event_id, topic, number),
        content.wire,
        content.to_bytes(),
        f"/{space.name}/relay",
        event_id,
        headers.get("ce_correlationid", headers["ce_id"]).decode(),
        parse_instant(headers["ce_time"].decode()),
    )


def publish_instructions(space: Space, group: Sequence[Record]) -> list[Outgoing]:
    """Publish an instruction for each attempt that payouts instructed."""
    published = []
    for number, record in enumerate(group):
        content = _content(record)
        if isinstance(content, (PayoutInstructed, PayoutRetried)):
            instruction = PayoutInstruction(
                reference=content.payout,
                attempt=content.attempt,
                claim=content.claim,
                cover=content.cover,
                pool=content.pool,
                assessor=content.assessor,
                asset=content.asset,
                recipient=content.recipient,
                amount_minor=content.amount_minor,
                arithmetic=content.arithmetic,
            )
            key = f"payout/{content.payout}"
            published.append(_record(space, INSTRUCTIONS, record, key, number, instruction))
    return published


def publish_outcomes(space: Space, group: Sequence[Record]) -> list[Outgoing]:
    """Publish what became of each public input: one outcome for an input with events, one for each that was passed."""
    headers = dict(group[0].headers)
    first = _content(group[0])
    if isinstance(first, InputsPassed):
        return _passed(space, group[0], first)
    position = headers.get("ce_input", b"").decode()
    topic = position.partition("@")[0]
    if topic not in _PUBLIC and "ce_stream" not in headers:
        return []
    key = (headers.get("ce_inputkey") or group[0].key or b"").decode()
    outcome = InputOutcome(
        input_id=headers["ce_causationid"].decode(),
        position=position,
        log_position=group[0].position,
        fate="refused" if isinstance(first, Refused) else "set-aside" if isinstance(first, SetAside) else "decided",
        at=parse_instant(headers["ce_time"].decode()),
        key=key,
        events=tuple(dict(record.headers)["ce_type"].decode() for record in group),
        refusal=_refusal(first),
        reason=f"{first.cause}: {first.reason}" if isinstance(first, SetAside) else None,
        next=_next_step([_content(record) for record in group]),
    )
    return [_record(space, OUTCOMES, group[0], key, 0, outcome)]


def _refusal(content: Message) -> Refusal | None:
    if not isinstance(content, Refused):
        return None
    return Refusal(
        rule=content.rule,
        value=content.value,
        accepted=content.accepted,
        not_before=content.not_before,
        unknown=content.unknown,
    )


def _next_step(contents: Sequence[Message]) -> NextStep | None:
    """Return the last step that an event of the input announces."""
    steps = [step for content in contents if isinstance(step := getattr(content, "next", None), NextStep)]
    return steps[-1] if steps else None


def _passed(space: Space, record: Record, content: InputsPassed) -> list[Outgoing]:
    published = []
    number = 0
    for topic_range in content.ranges:
        for passed in topic_range.inputs:
            number += 1
            if topic_range.topic not in _PUBLIC and passed.stream is None:
                continue
            position = Position(topic_range.topic, topic_range.incarnation, record.partition, passed.offset)
            outcome = InputOutcome(
                input_id=passed.id or "",
                position=str(position),
                log_position=record.position,
                fate=passed.fate,
                at=passed.at,
                key=passed.key or "",
                of=passed.of,
                reason=None if passed.to_partition is None else f"forwarded to partition {passed.to_partition}",
            )
            published.append(_record(space, OUTCOMES, record, outcome.key or "-", number, outcome))
    return published


PUBLISHES = {OUTCOMES: publish_outcomes, INSTRUCTIONS: publish_instructions}
"""Outsiders' topics and what is published to each."""
READS = {OUTCOMES: LOGS, INSTRUCTIONS: ("payouts.events",)}
"""Which logs say what is published there: a log that never says any of it is not read."""
