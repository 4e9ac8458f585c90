"""Whom governance tells what."""

from collections.abc import Mapping, Sequence

from schemas.envelope import Event
from schemas.governance import (
    AssessorProfiled,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductListed,
    RulebookPublished,
)
from services.kernel.decider import BROADCAST, Decided, Send

_RECEIVERS: Mapping[type[Event], tuple[str, ...]] = {
    RulebookPublished: ("incidents", "claims", "adjudication"),
    ProductListed: ("incidents", "claims"),
    PrincipalRegistered: ("incidents", "claims", "adjudication", "payouts"),
    PrincipalRevoked: ("incidents", "claims", "adjudication", "payouts"),
    AssessorProfiled: ("adjudication",),
}


def route(decided: Decided) -> Sequence[Send]:
    """Broadcast each event, as it is, to every service that reckons with it."""
    return [Send(receiver, BROADCAST, decided.event) for receiver in _RECEIVERS.get(type(decided.event), ())]
