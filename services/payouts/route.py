"""What siblings hear of payouts."""

from collections.abc import Sequence

from schemas.ids import assessor_key, cover_key, pool_key
from schemas.payouts import PayoutConfirmed
from services.kernel.decider import Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Tell those it concerns that a transfer happened; a failed one changes nothing of theirs."""
    confirmed = decided.event
    if not isinstance(confirmed, PayoutConfirmed):
        return ()
    concerned = []
    if confirmed.cover is not None:
        concerned.append(("claims", cover_key(confirmed.cover)))
    if confirmed.pool is not None:
        concerned.append(("pools", pool_key(confirmed.pool)))
    if confirmed.assessor is not None:
        concerned.append(("assessors", assessor_key(confirmed.assessor)))
    return tuple(Send(receiver, key, confirmed) for receiver, key in concerned)
