"""What a claimant may do with an open claim: add evidence, ask for less, withdraw."""

from schemas.claims import (
    AddEvidence,
    ClaimReduced,
    ClaimWithdrawn,
    EvidenceAdded,
    ReduceClaim,
    WithdrawClaim,
)
from schemas.halts import NO_HALTS
from schemas.ids import parent
from schemas.outcomes import NextStep
from schemas.rulebook import ClaimRules
from services.claims.cover import Claim, Cover, Terms, ruling
from services.claims.documents import refuse_documents
from services.claims.facts import Facts
from services.claims.payments import held_of
from services.claims.periods import cut_off, grace_end, until
from services.kernel.decider import Refused

Action = AddEvidence | ReduceClaim | WithdrawClaim
Acted = EvidenceAdded | ClaimReduced | ClaimWithdrawn


def act(cover: Cover, facts: Facts, content: Action) -> Acted | Refused:
    """Decide what a claimant wants of a claim: an open one, under this cover, filed by the same account."""
    terms, claim = cover.terms, cover.claims.get(content.claim)
    if parent(content.claim) != content.cover:
        return _other_cover(content)
    if terms is None or claim is None:
        return _unknown(content)
    refused = _refuse(cover, claim, content)
    if refused is not None:
        return refused
    rules = facts.rulebooks[terms.rulebook]
    match content:
        case AddEvidence():
            return refuse_documents(claim.evidence, content.evidence, rules.intake.evidence_max) or EvidenceAdded(
                claim=content.claim, evidence=content.evidence, next=ruling(content.claim, claim.ruled_by)
            )
        case ReduceClaim():
            return _reduced(terms, claim, content)
        case WithdrawClaim():
            return _withdrawn(terms, claim, _refilable(facts, terms, claim, rules), content)


def _other_cover(content: Action) -> Refused:
    return Refused(
        rule="claim.other-cover",
        value=f"claim {content.claim} with cover {content.cover}",
        accepted=f"claim {content.claim} with cover {parent(content.claim)}",
    )


def _unknown(content: Action) -> Refused:
    return Refused(
        rule="claim.unknown",
        value=f"claim {content.claim}",
        accepted=f"a claim that was filed under cover {content.cover}",
        unknown=True,
    )


def _refuse(cover: Cover, claim: Claim, content: Action) -> Refused | None:
    if content.claimant != claim.claimant:
        return Refused(
            rule="claim.not-claimant",
            value=f"claimant {content.claimant}",
            accepted=f"{claim.claimant}, who filed claim {content.claim}",
        )
    if claim.status != "filed":
        return Refused(
            rule="claim.not-open",
            value=f"claim {content.claim}, {claim.status}",
            accepted=f"an open claim: {cover.open or 'none is open under this cover'}",
        )
    return None


def _reduced(terms: Terms, claim: Claim, content: ReduceClaim) -> ClaimReduced | Refused:
    if content.amount_minor >= claim.amount_minor:
        return Refused(
            rule="claim.not-less",
            value=f"{content.amount_minor} instead of {claim.amount_minor}",
            accepted=f"less than {claim.amount_minor}",
        )
    step = ruling(content.claim, claim.ruled_by)
    return ClaimReduced(
        claim=content.claim,
        amount_minor=content.amount_minor,
        incident=claim.incident,
        pool=terms.pool,
        held_minor=held_of(claim.payments, content.amount_minor),
        next=step,
    )


def _refilable(facts: Facts, terms: Terms, claim: Claim, rules: ClaimRules) -> NextStep:
    """Say until when the holder of a cover may claim again."""
    halts = facts.halts.get(terms.product, NO_HALTS)
    step, due_at = (
        f"{terms.holder} may file another until the grace ends",
        grace_end(terms.expires_at, rules.intake, halts),
    )
    if terms.pool is not None and rules.settlement is not None:
        end = cut_off(facts.incidents[claim.incident].decided_at, rules.settlement, halts)
        step += f", and for incident {claim.incident} {until(end, inclusive=False)}"
    return NextStep(step=step, due_at=due_at)


def _withdrawn(terms: Terms, claim: Claim, refilable: NextStep, content: WithdrawClaim) -> ClaimWithdrawn:
    return ClaimWithdrawn(
        claim=content.claim,
        incident=claim.incident,
        pool=terms.pool,
        next=NextStep(step=f"claim {content.claim} is closed; {refilable.step}", due_at=refilable.due_at),
    )
