"""Whom assessors tell what."""

from collections.abc import Sequence

from schemas.assessors import AssessorProfiled, StakeWithdrawalAnnounced, StakeWithdrawn
from schemas.ids import payout_key
from schemas.payouts import RequestPayout
from services.kernel.decider import BROADCAST, Decided, Send, each


def route(decided: Decided) -> Sequence[Send]:
    """Tell everybody who counts votes what an assessor weighs and what leaves, and have paid what is free."""
    match decided.event:
        case AssessorProfiled() as profiled:
            return (Send("adjudication", BROADCAST, profiled),)
        case StakeWithdrawalAnnounced() as announced:
            # Into the facts first: no vote weighs what leaves by the time a partition says what holds it.
            return (Send("adjudication", BROADCAST, announced), Send("adjudication", each("locks"), announced))
        case StakeWithdrawn(payout=str() as payout) as withdrawn:
            return (_payout(withdrawn, payout),)
        case _:
            return ()


def _payout(withdrawn: StakeWithdrawn, payout: str) -> Send:
    request = RequestPayout(
        payout=payout,
        assessor=withdrawn.assessor,
        asset=withdrawn.asset,
        recipient=withdrawn.assessor,
        amount_minor=withdrawn.amount_minor,
        arithmetic=withdrawn.arithmetic,
        terms=withdrawn.payout_terms,
    )
    return Send("payouts", payout_key(payout), request)
