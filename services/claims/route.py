"""What siblings hear of covers and claims."""

from collections.abc import Sequence
from typing import Literal

from schemas.adjudication import OpenCase, ReduceCase, WithdrawCase
from schemas.assessors import NoteHolding
from schemas.claims import (
    ClaimAllocated,
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimReduced,
    ClaimWithdrawn,
    CoverRegistered,
)
from schemas.envelope import Message
from schemas.ids import assessor_key, case_key, parent, payout_key, pool_key
from schemas.payouts import RequestPayout
from schemas.pools import ClaimExposure
from services.claims.cover import case_of
from services.kernel.decider import Decided, Send

_Exposing = ClaimFiled | ClaimReduced | ClaimApproved | ClaimWithdrawn | ClaimDenied | ClaimDrawn


def route(decided: Decided) -> Sequence[Send]:
    """Tell siblings what concerns them.

    Adjudication hears of a case to rule on and of what changes it, payouts of what to transfer, the pool that carries
    a cover of what it may owe, and an account that it holds a cover.
    """
    sends: Sequence[Send]
    match decided.event:
        case ClaimFiled() as filed:
            sends = (_to_case(filed.claim, _opening(filed)), *_exposure(filed, "undecided", filed.amount_minor))
        case ClaimReduced(claim=claim, amount_minor=amount_minor) as reduced:
            reduce = ReduceCase(case=case_of(claim), amount_minor=amount_minor)
            sends = (_to_case(claim, reduce), *_exposure(reduced, "undecided", amount_minor))
        case ClaimWithdrawn(claim=claim) as withdrawn:
            sends = (_to_case(claim, WithdrawCase(case=case_of(claim))), *_exposure(withdrawn, "closed", 0))
        case ClaimDenied() | ClaimDrawn() as ended:
            sends = _exposure(ended, "closed", 0)
        case ClaimApproved() as approved:
            sends = _request(approved) or _exposure(approved, "approved", approved.amount_minor)
        case ClaimAllocated() as allocated:
            sends = _request(allocated)
        case CoverRegistered() as registered:
            sends = (_holding(registered),)
        case _:
            sends = ()
    return sends


def _to_case(claim: str, content: Message) -> Send:
    return Send("adjudication", case_key(case_of(claim)), content)


def _opening(filed: ClaimFiled) -> OpenCase:
    return OpenCase(
        case=case_of(filed.claim),
        subject="claim",
        rulebook=filed.rulebook,
        claimant=filed.claimant,
        amount_minor=filed.amount_minor,
        product=filed.product,
        incident=filed.incident,
        pool=filed.pool,
    )


def _exposure(
    event: _Exposing, status: Literal["undecided", "approved", "closed"], amount_minor: int
) -> tuple[Send, ...]:
    if event.pool is None:
        return ()
    content = ClaimExposure(
        pool=event.pool,
        claim=event.claim,
        cover=parent(event.claim),
        incident=event.incident,
        amount_minor=amount_minor,
        status=status,
    )
    return (Send("pools", pool_key(event.pool), content),)


def _request(owed: ClaimApproved | ClaimAllocated) -> tuple[Send, ...]:
    """Ask for a payout, where the event names one: a pool allocates first."""
    if owed.payout is None:
        return ()
    content = RequestPayout(
        payout=owed.payout,
        claim=owed.claim,
        cover=owed.cover,
        pool=owed.pool,
        asset=owed.asset,
        recipient=owed.recipient,
        amount_minor=owed.amount_minor,
        arithmetic=owed.arithmetic,
        terms=owed.payout_terms,
    )
    return (Send("payouts", payout_key(owed.payout), content),)


def _holding(registered: CoverRegistered) -> Send:
    content = NoteHolding(
        account=registered.holder,
        cover=registered.cover,
        product=registered.product,
        until=registered.claimable_until,
    )
    return Send("assessors", assessor_key(registered.holder), content)
