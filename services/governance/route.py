"""Whom governance tells what."""

from collections.abc import Mapping, Sequence

from schemas.envelope import Event
from schemas.governance import (
    IncidentFound,
    PoolListed,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductHalted,
    ProductListed,
    ProductOpened,
    RulebookPublished,
    StakeTermsSet,
)
from schemas.ids import parent, pool_key, product_key
from services.kernel.decider import BROADCAST, Decided, Send

_PROVERS = ("assessors", "incidents", "claims", "adjudication", "pools", "payouts")
"""Services that prove senders."""
_HALTED = ("claims", "adjudication", "pools")
"""Services in which time stands still while a product is halted."""
_RECEIVERS: Mapping[type[Event], tuple[str, ...]] = {
    RulebookPublished: ("incidents", "claims", "adjudication", "pools"),
    ProductListed: ("incidents", "claims", "pools"),
    StakeTermsSet: ("assessors",),
    ProductHalted: _HALTED,
    ProductOpened: _HALTED,
    PrincipalRegistered: _PROVERS,
    PrincipalRevoked: _PROVERS,
}


def route(decided: Decided) -> Sequence[Send]:
    """Broadcast each event, as it is, to every service that reckons with it; tell a pool or a product's incidents."""
    match decided.event:
        case PoolListed() as event:
            return (Send("pools", pool_key(event.pool), event),)
        case IncidentFound() as event:
            return (Send("incidents", product_key(parent(event.incident)), event),)
        case event:
            return tuple(Send(receiver, BROADCAST, event) for receiver in _RECEIVERS.get(type(event), ()))
