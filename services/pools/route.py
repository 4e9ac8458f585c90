"""What siblings hear of pools."""

from collections.abc import Sequence

from schemas.assessors import NoteCapital
from schemas.ids import assessor_key, cover_key, parent, payout_key
from schemas.outcomes import ArithmeticStep
from schemas.payouts import RequestPayout
from schemas.pools import (
    AllocateClaim,
    CapitalDeposited,
    CapitalWithdrawn,
    CoverSold,
    IssueCover,
    Line,
    SettlementLines,
)
from services.kernel.decider import Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Tell claims of covers and of each claim's line, payouts of what to transfer, accounts of their share."""
    sends: Sequence[Send] = ()
    match decided.event:
        case CoverSold() as sold:
            sends = (Send("claims", cover_key(sold.cover), _issue(sold)),)
        case SettlementLines() as lines:
            sends = tuple(Send("claims", cover_key(parent(line.claim)), _allocate(lines, line)) for line in lines.lines)
        case CapitalDeposited() as deposited:
            sends = (_note(deposited),)
        case CapitalWithdrawn() as withdrawn:
            sends = (_note(withdrawn), *_request(withdrawn))
        case _:
            pass
    return sends


def _issue(sold: CoverSold) -> IssueCover:
    return IssueCover(
        cover=sold.cover,
        pool=sold.pool,
        product=sold.product,
        holder=sold.holder,
        amount_minor=sold.amount_minor,
        asset=sold.asset,
        starts_at=sold.starts_at,
        expires_at=sold.expires_at,
        rulebook=sold.rulebook,
        premium_minor=sold.premium_minor,
    )


def _allocate(lines: SettlementLines, line: Line) -> AllocateClaim:
    """Give a claim its line, with the arithmetic that anybody can repeat with the allocation's event."""
    down_minor = line.owed_minor * lines.distributed_minor // lines.owed_minor
    step = ArithmeticStep(
        rule=f"allocation {lines.allocation} of incident {lines.incident}: owed × distributed ÷ owed by all, rounded "
        "down, and one unit more within the cut of the largest remainders",
        inputs={
            "owed_minor": str(line.owed_minor),
            "distributed_minor": str(lines.distributed_minor),
            "owed_by_all_minor": str(lines.owed_minor),
            "unit_minor": str(line.amount_minor - down_minor),
        },
        result_minor=str(line.amount_minor),
    )
    return AllocateClaim(
        claim=line.claim,
        incident=lines.incident,
        allocation=lines.allocation,
        amount_minor=line.amount_minor,
        allocated_minor=line.allocated_minor,
        deferred_minor=line.deferred_minor,
        arithmetic=(step,),
    )


def _note(event: CapitalDeposited | CapitalWithdrawn) -> Send:
    content = NoteCapital(account=event.provider, pool=event.pool, share_bps=event.share_bps)
    return Send("assessors", assessor_key(event.provider), content)


def _request(withdrawn: CapitalWithdrawn) -> tuple[Send, ...]:
    if withdrawn.payout is None:
        return ()
    content = RequestPayout(
        payout=withdrawn.payout,
        pool=withdrawn.pool,
        asset=withdrawn.asset,
        recipient=withdrawn.provider,
        amount_minor=withdrawn.amount_minor,
        arithmetic=withdrawn.arithmetic,
        terms=withdrawn.payout_terms,
    )
    return (Send("payouts", payout_key(withdrawn.payout), content),)
