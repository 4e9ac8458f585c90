"""What a ruling, a pool's allocation and a confirmed transfer make of a claim."""

from schemas.adjudication import CaseRuled
from schemas.claims import ClaimAllocated, ClaimApproved, ClaimDenied, ClaimDrawn, ClaimPaid, ClaimShareHeld
from schemas.ids import parent
from schemas.outcomes import ArithmeticStep
from schemas.payouts import PayoutConfirmed
from schemas.pools import AllocateClaim
from services.claims.cover import Claim, Cover, Terms, claimable_minor
from services.claims.facts import Facts
from services.claims.payments import share_of

Ruled = ClaimApproved | ClaimAllocated | ClaimDenied | ClaimDrawn
_OWED = frozenset(("approved", "partly-paid", "paid"))


def rule(cover: Cover, facts: Facts, ruling: CaseRuled) -> tuple[Ruled, ...]:
    """Apply a ruling to the open claim it is about; one that was withdrawn or ruled on already stays as it is.

    An approval lets go what a pool's allocations held for the claim.
    """
    name, terms = ruling.case.removeprefix("claim/"), cover.terms
    if terms is None or name != cover.open:
        return ()
    claim = cover.claims[name]
    match ruling.outcome:
        case "accept":
            approved = _approved(cover, terms, facts, name, ruling.amount_minor)
            return (approved, *_released(claim, approved))
        case "deny":
            return (ClaimDenied(claim=name, case=ruling.case, incident=claim.incident, pool=terms.pool),)
        case "draw":
            return (ClaimDrawn(claim=name, case=ruling.case, incident=claim.incident, pool=terms.pool),)


def _approved(cover: Cover, terms: Terms, facts: Facts, name: str, ruled_minor: int) -> ClaimApproved:
    """Approve what was ruled, at most what is claimed now: the claimant may have asked for less meanwhile."""
    claim = cover.claims[name]
    remaining_minor = claimable_minor(cover, terms)
    amount_minor = min(ruled_minor, claim.amount_minor)
    assert 0 < amount_minor <= remaining_minor, (name, amount_minor, remaining_minor)
    step = ArithmeticStep(
        rule="as-claimed: the smaller of what was ruled and what is claimed, within what remains of the cover",
        inputs={
            "ruled_minor": str(ruled_minor),
            "claimed_minor": str(claim.amount_minor),
            "remaining_minor": str(remaining_minor),
        },
        result_minor=str(amount_minor),
    )
    return ClaimApproved(
        claim=name,
        cover=parent(name),
        incident=claim.incident,
        pool=terms.pool,
        payout=_payout(name, claim) if terms.pool is None else None,
        recipient=claim.claimant,
        asset=terms.asset,
        amount_minor=amount_minor,
        rulebook=terms.rulebook,
        arithmetic=(step,),
        payout_terms=facts.rulebooks[terms.rulebook].payout,
    )


def _payout(name: str, claim: Claim) -> str:
    return f"{name}/{claim.payments.payouts + 1}"


def _released(claim: Claim, approved: ClaimApproved) -> tuple[ClaimAllocated, ...]:
    """Ask for what was held; what is held beyond the approved amount is the pool's to free."""
    held_minor = claim.payments.held_minor
    amount_minor = min(held_minor, approved.amount_minor)
    if approved.pool is None or not amount_minor:
        return ()
    step = ArithmeticStep(
        rule="held: what allocations held until the ruling, the one above and those after it, at most what is approved",
        inputs={"held_minor": str(held_minor), "approved_minor": str(approved.amount_minor)},
        result_minor=str(amount_minor),
    )
    allocated = ClaimAllocated(
        claim=approved.claim,
        cover=approved.cover,
        incident=approved.incident,
        pool=approved.pool,
        payout=_payout(approved.claim, claim),
        recipient=approved.recipient,
        asset=approved.asset,
        amount_minor=amount_minor,
        allocated_minor=amount_minor,
        deferred_minor=approved.amount_minor - amount_minor,
        arithmetic=(*claim.payments.held_by, step),
        payout_terms=approved.payout_terms,
    )
    return (allocated,)


def allocate(cover: Cover, facts: Facts, content: AllocateClaim) -> tuple[ClaimAllocated | ClaimShareHeld, ...]:
    """Take a claim's line of a pool's allocation, once: held while the claim is undecided, else a payout.

    The pool may not have heard yet that less is claimed or approved than it reckoned with. What the claim was allocated
    in all then counts at its share of less, as it will for the pool when it hears, which frees the rest. A closed claim
    takes nothing, for the same reason.
    """
    terms, claim = cover.terms, cover.claims.get(content.claim)
    if terms is None or terms.pool is None or claim is None or content.allocation in claim.payments.allocations:
        return ()
    if claim.status != "filed" and claim.status not in _OWED:
        return ()
    given_minor = claim.payments.held_minor + claim.payments.asked_minor
    room_minor = claim.amount_minor - given_minor
    reckoned_minor = content.allocated_minor + content.deferred_minor
    amount_minor = min(content.amount_minor, room_minor)
    if claim.amount_minor < reckoned_minor:
        share_minor = share_of(content.allocated_minor, claim.amount_minor, reckoned_minor)
        amount_minor = min(max(0, share_minor - given_minor), room_minor)
    arithmetic = content.arithmetic
    if amount_minor < content.amount_minor:
        arithmetic += (_less(content, claim.amount_minor, given_minor, amount_minor),)
    if claim.status == "filed" or not amount_minor:
        held = ClaimShareHeld(
            claim=content.claim,
            allocation=content.allocation,
            amount_minor=amount_minor,
            held_minor=claim.payments.held_minor + amount_minor,
            line_minor=content.allocated_minor,
            line_of_minor=reckoned_minor,
            arithmetic=arithmetic,
        )
        return (held,)
    allocated = ClaimAllocated(
        claim=content.claim,
        cover=parent(content.claim),
        incident=claim.incident,
        pool=terms.pool,
        allocation=content.allocation,
        payout=_payout(content.claim, claim),
        recipient=claim.claimant,
        asset=terms.asset,
        amount_minor=amount_minor,
        allocated_minor=given_minor + amount_minor,
        deferred_minor=room_minor - amount_minor,
        line_minor=content.allocated_minor,
        line_of_minor=reckoned_minor,
        arithmetic=arithmetic,
        payout_terms=facts.rulebooks[terms.rulebook].payout,
    )
    return (allocated,)


def _less(content: AllocateClaim, amount_minor: int, given_minor: int, taken_minor: int) -> ArithmeticStep:
    return ArithmeticStep(
        rule="less is claimed or approved than the pool reckoned with: the same share of that, less what was allocated "
        "before",
        inputs={
            "line_minor": str(content.amount_minor),
            "reckoned_minor": str(content.allocated_minor + content.deferred_minor),
            "amount_minor": str(amount_minor),
            "allocated_before_minor": str(given_minor),
        },
        result_minor=str(taken_minor),
    )


def pay(cover: Cover, confirmed: PayoutConfirmed) -> tuple[ClaimPaid, ...]:
    """Record that a transfer happened, once per payout."""
    name = confirmed.claim
    claim = None if name is None else cover.claims.get(name)
    if cover.terms is None or name is None or claim is None or confirmed.payout not in claim.payments.under_way:
        return ()
    asked_minor = claim.payments.under_way[confirmed.payout]
    assert confirmed.amount_minor == asked_minor, (confirmed, asked_minor)
    return (
        ClaimPaid(
            claim=name,
            payout=confirmed.payout,
            amount_minor=confirmed.amount_minor,
            remaining_minor=cover.terms.amount_minor - cover.paid_minor - confirmed.amount_minor,
            unpaid_minor=claim.amount_minor - claim.payments.paid_minor - confirmed.amount_minor,
        ),
    )
