"""Whom governance tells what."""

from collections.abc import Mapping, Sequence

from schemas.envelope import Event
from schemas.governance import (
    PrincipalRegistered,
    PrincipalRevoked,
    ProductListed,
    RulebookPublished,
)
from services.kernel.decider import BROADCAST, Decided, Send

_PROVERS = ("assessors", "incidents", "claims", "adjudication", "pools", "payouts")
"""Services that prove senders."""
_RECEIVERS: Mapping[type[Event], tuple[str, ...]] = {
    RulebookPublished: ("incidents", "claims", "adjudication", "pools"),
    ProductListed: ("incidents", "claims", "pools"),
    PrincipalRegistered: _PROVERS,
    PrincipalRevoked: _PROVERS,
}


def route(decided: Decided) -> Sequence[Send]:
    """Broadcast each event, as it is, to every service that reckons with it."""
    return [Send(receiver, BROADCAST, decided.event) for receiver in _RECEIVERS.get(type(decided.event), ())]
