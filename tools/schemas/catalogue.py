"""What there is to describe: every message, what kind it is, and in which topics it travels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from schemas import topics
from schemas.assessors import LocksAnswered
from schemas.envelope import Event, Input, Message, registered
from schemas.outcomes import InputOutcome, PayoutInstruction
from services.kernel import records
from services.kernel.decider import BROADCAST, Decided
from services.registry import decision_service, decision_services
from tools.schemas.samples import variants

Role = Literal["input", "message", "event", "output"]
_OUTPUTS: Mapping[str, type[Message]] = {topics.OUTCOMES: InputOutcome, topics.INSTRUCTIONS: PayoutInstruction}
_STANDS_ELSEWHERE = {LocksAnswered: "adjudication"}
"""Events that are declared with those who receive them, and whose log they stand in."""
_SHARED = {"schemas.principals": "governance"}


class Told(NamedTuple):
    """A message from one service to another: the kind of the receiving aggregate, `facts` for a broadcast."""

    sender: str
    receiver: str
    kind: str
    message: type[Message]


def messages() -> dict[str, type[Message]]:
    """Return every message of a space by wire name; of the kernel's, its events."""
    ours = {
        wire: model for wire, model in registered().items() if model.__module__.startswith(("schemas.", "services."))
    }
    return dict(sorted(ours.items()))


def role(model: type[Message]) -> Role:
    """Return who writes it where: outsiders, a service to a sibling, a service in its log, the relay."""
    if issubclass(model, Input):
        return "input"
    if issubclass(model, Event):
        return "event"
    return "output" if model in _OUTPUTS.values() else "message"


def is_written(model: type[Message]) -> bool:
    """Whether services write it, and nobody else."""
    return role(model) != "input"


def logged(service: str) -> dict[str, type[Message]]:
    """Return what a service's log may hold."""
    return {wire: model for wire, model in messages().items() if role(model) == "event" and service in _homes(model)}


def _homes(model: type[Message]) -> tuple[str, ...]:
    if model.__module__ == records.__name__:
        return topics.SERVICES
    if model in _STANDS_ELSEWHERE:
        return (_STANDS_ELSEWHERE[model],)
    return (_SHARED.get(model.__module__, model.__module__.removeprefix("schemas.")),)


@lru_cache(maxsize=1)
def told() -> tuple[Told, ...]:
    """Return what services tell each other, found by asking their routes about samples of every event."""
    return tuple(sorted(set(_asked()), key=lambda told: (told.sender, told.receiver, told.kind, told.message.wire)))


def _asked() -> Iterator[Told]:
    for service in decision_services():
        keys = [f"{kind}/C-17" for kind in service.deciders]
        for model in logged(service.name).values():
            assert issubclass(model, Event)
            for event in variants(model):
                for key in keys:
                    assert isinstance(event, Event)
                    # Some samples are of what a decider never decides: a payout without anybody to pay, say.
                    with contextlib.suppress(AssertionError, ValueError, TypeError, AttributeError):
                        for send in service.route(Decided(key, 1, 0, event)):
                            kind = send.key.partition("/")[0]
                            if kind.startswith(BROADCAST):
                                kind = kind.removeprefix(BROADCAST) or "facts"
                            yield Told(service.name, send.receiver, kind, type(send.content))


def deciders(service: str) -> tuple[str, ...]:
    """Return the kinds of aggregates that a service decides."""
    return tuple(decision_service(service).deciders)


def streams(service: str) -> tuple[str, ...]:
    """Return the public streams that a service decides."""
    return tuple(stream.name for stream in decision_service(service).inputs)


def outputs() -> Mapping[str, type[Message]]:
    """Return what the relay publishes, by topic."""
    return _OUTPUTS
