"""What a ruling and a confirmed transfer make of a claim."""

from schemas.adjudication import CaseRuled
from schemas.claims import ClaimApproved, ClaimDenied, ClaimDrawn, ClaimPaid
from schemas.ids import parent
from schemas.outcomes import ArithmeticStep
from schemas.payouts import PayoutConfirmed
from services.claims.cover import Cover, Terms, claimable_minor
from services.claims.facts import Facts

Ruled = ClaimApproved | ClaimDenied | ClaimDrawn


def rule(cover: Cover, facts: Facts, ruling: CaseRuled) -> tuple[Ruled, ...]:
    """Apply a ruling to the open claim it is about; one that was withdrawn or ruled on already stays as it is."""
    claim = ruling.case.removeprefix("claim/")
    if cover.terms is None or claim != cover.open:
        return ()
    incident = cover.claims[claim].incident
    match ruling.outcome:
        case "accept":
            return (_approved(cover, cover.terms, facts, claim, ruling.amount_minor),)
        case "deny":
            return (ClaimDenied(claim=claim, case=ruling.case, incident=incident, pool=cover.terms.pool),)
        case "draw":
            return (ClaimDrawn(claim=claim, case=ruling.case, incident=incident, pool=cover.terms.pool),)


def _approved(cover: Cover, terms: Terms, facts: Facts, claim: str, ruled_minor: int) -> ClaimApproved:
    """Approve what was ruled, at most what is claimed now: the claimant may have asked for less meanwhile."""
    claimed_minor = cover.claims[claim].amount_minor
    remaining_minor = claimable_minor(cover, terms)
    amount_minor = min(ruled_minor, claimed_minor)
    assert 0 < amount_minor <= remaining_minor, (claim, amount_minor, remaining_minor)
    step = ArithmeticStep(
        rule="as-claimed: the smaller of what was ruled and what is claimed, within what remains of the cover",
        inputs={
            "ruled_minor": str(ruled_minor),
            "claimed_minor": str(claimed_minor),
            "remaining_minor": str(remaining_minor),
        },
        result_minor=str(amount_minor),
    )
    return ClaimApproved(
        claim=claim,
        cover=parent(claim),
        incident=cover.claims[claim].incident,
        pool=terms.pool,
        payout=f"{claim}/1",
        recipient=cover.claims[claim].claimant,
        asset=terms.asset,
        amount_minor=amount_minor,
        rulebook=terms.rulebook,
        arithmetic=(step,),
        payout_terms=facts.rulebooks[terms.rulebook].payout,
    )


def pay(cover: Cover, confirmed: PayoutConfirmed) -> tuple[ClaimPaid, ...]:
    """Record that a transfer happened, once per claim."""
    claim = cover.claims.get(confirmed.claim)
    if cover.terms is None or claim is None or claim.status != "approved":
        return ()
    assert confirmed.amount_minor == claim.amount_minor, (confirmed, claim.amount_minor)
    return (
        ClaimPaid(
            claim=confirmed.claim,
            payout=confirmed.payout,
            amount_minor=confirmed.amount_minor,
            remaining_minor=cover.terms.amount_minor - cover.paid_minor - confirmed.amount_minor,
        ),
    )
