"""The state of a cover: its terms, what was paid and is owed, and its claims."""

from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.claims import (
    ClaimAllocated,
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    ClaimReduced,
    ClaimShareHeld,
    ClaimWithdrawn,
    CoverRegistered,
    EvidenceAdded,
)
from schemas.envelope import Event
from schemas.outcomes import NextStep
from services.claims import payments
from services.claims.payments import NOTHING, Payments
from services.kernel.persistent import PersistentMap

Status = Literal["filed", "approved", "denied", "drawn", "withdrawn", "partly-paid", "paid"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What was sold, by `pool` or elsewhere; `rulebook` is pinned for ever. Instants are milliseconds."""

    product: str
    holder: str
    amount_minor: int
    asset: str
    starts_at: int
    expires_at: int
    rulebook: str
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: `amount_minor` is what is claimed now, or what was approved; `evidence` the documents' SHA-256.

    `ruled_by` is the instant of `ruling`, in milliseconds. It is partly paid when some of the payouts for it are
    confirmed, and paid when they make up the amount.
    """

    incident: str
    claimant: str
    amount_minor: int
    status: Status
    evidence: tuple[str, ...]
    ruled_by: int | None
    payments: Payments = NOTHING


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover and its claims by id.

    `owed_minor` is approved and not yet paid; `open` is the claim that is filed and not ruled on; `settled` says
    which claim was approved for an incident.
    """

    terms: Terms | None = None
    paid_minor: int = 0
    owed_minor: int = 0
    claims: PersistentMap[str, Claim] = field(default_factory=PersistentMap)
    open: str | None = None
    settled: PersistentMap[str, str] = field(default_factory=PersistentMap)


def claimable_minor(cover: Cover, terms: Terms) -> int:
    """Return what can still be approved under a cover: its amount less what is paid and what is owed."""
    return terms.amount_minor - cover.paid_minor - cover.owed_minor


def case_of(claim: str) -> str:
    """Name the case of a claim."""
    return f"claim/{claim}"


def ruling(claim: str, ruled_by: int | None) -> NextStep:
    """Say what happens next to an open claim."""
    step = f"the ruling of case {case_of(claim)}, at the latest unless an outage or a halt delays the end of a stage"
    return NextStep(step=step, due_at=ruled_by)


def evolve(cover: Cover, event: Event) -> Cover:
    """Fold one event."""
    match event:
        case CoverRegistered():
            after = Cover(_terms(event))
        case ClaimFiled():
            claims = cover.claims.set(event.claim, _claim(event))
            # Most of a log are covers and claims, and replace() takes twice as long.
            after = Cover(cover.terms, cover.paid_minor, cover.owed_minor, claims, event.claim, cover.settled)
        case EvidenceAdded():
            claim = cover.claims[event.claim]
            evidence = claim.evidence + tuple(document.sha256 for document in event.evidence)
            after = _with(cover, event.claim, replace(claim, evidence=evidence))
        case ClaimReduced():
            after = _reduced(cover, event)
        case ClaimWithdrawn():
            after = _closed(cover, event.claim, "withdrawn")
        case ClaimDenied():
            after = _closed(cover, event.claim, "denied")
        case ClaimDrawn():
            after = _closed(cover, event.claim, "drawn")
        case ClaimApproved():
            after = _approved(cover, event)
        case ClaimShareHeld():
            claim = cover.claims[event.claim]
            after = _with(cover, event.claim, replace(claim, payments=payments.hold(claim.payments, event)))
        case ClaimAllocated():
            claim = cover.claims[event.claim]
            after = _with(cover, event.claim, replace(claim, payments=payments.allocate(claim.payments, event)))
        case ClaimPaid():
            after = _paid(cover, event)
        case _:
            after = cover
    return after


def _terms(event: CoverRegistered) -> Terms:
    return Terms(
        product=event.product,
        holder=event.holder,
        amount_minor=event.amount_minor,
        asset=event.asset,
        starts_at=event.starts_at,
        expires_at=event.expires_at,
        rulebook=event.rulebook,
        pool=event.pool,
    )


def _claim(event: ClaimFiled) -> Claim:
    return Claim(
        incident=event.incident,
        claimant=event.claimant,
        amount_minor=event.amount_minor,
        status="filed",
        evidence=tuple(document.sha256 for document in event.evidence),
        ruled_by=event.next.due_at if event.next else None,
    )


def _with(cover: Cover, name: str, claim: Claim) -> Cover:
    return replace(cover, claims=cover.claims.set(name, claim))


def _reduced(cover: Cover, event: ClaimReduced) -> Cover:
    claim = cover.claims[event.claim]
    held = replace(claim.payments, held_minor=event.held_minor)
    return _with(cover, event.claim, replace(claim, amount_minor=event.amount_minor, payments=held))


def _closed(cover: Cover, name: str, status: Status) -> Cover:
    return replace(_with(cover, name, replace(cover.claims[name], status=status, payments=NOTHING)), open=None)


def _approved(cover: Cover, event: ClaimApproved) -> Cover:
    claim = replace(cover.claims[event.claim], status="approved", amount_minor=event.amount_minor)
    if event.payout is not None:
        claim = replace(claim, payments=payments.ask(claim.payments, event.payout, event.amount_minor))
    return replace(
        _with(cover, event.claim, claim),
        owed_minor=cover.owed_minor + event.amount_minor,
        open=None,
        settled=cover.settled.set(claim.incident, event.claim),
    )


def _paid(cover: Cover, event: ClaimPaid) -> Cover:
    claim = cover.claims[event.claim]
    status: Status = "partly-paid" if event.unpaid_minor else "paid"
    claim = replace(claim, status=status, payments=payments.confirm(claim.payments, event))
    return replace(
        _with(cover, event.claim, claim),
        paid_minor=cover.paid_minor + event.amount_minor,
        owed_minor=cover.owed_minor - event.amount_minor,
    )
