"""Covers and claims."""

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
    Evidence,
    EvidenceAdded,
)
from schemas.envelope import Event
from schemas.instants import Instant
from schemas.money import AmountMinor
from schemas.outcomes import ArithmeticStep
from services.views.kind import Joined, Kind, Meta, Row, base, by, by_subject, change

LOGS = ("claims.events",)


class CoverRow(Row):
    """A cover; `remaining_minor` is its amount less all that was paid on it."""

    product: str
    pool: str | None
    holder: str
    asset: str
    amount_minor: AmountMinor
    remaining_minor: AmountMinor
    premium_minor: AmountMinor
    starts_at: Instant
    expires_at: Instant
    claimable_until: Instant
    rulebook: str
    registered_at: Instant
    claims_count: int = 0


def _cover(row: CoverRow | None, event: Event, meta: Meta) -> CoverRow | None:
    match event:
        case CoverRegistered():
            return CoverRow(
                **base(meta),
                product=event.product,
                pool=event.pool,
                holder=event.holder,
                asset=event.asset,
                amount_minor=event.amount_minor,
                remaining_minor=event.amount_minor,
                premium_minor=event.premium_minor,
                starts_at=event.starts_at,
                expires_at=event.expires_at,
                claimable_until=event.claimable_until,
                rulebook=event.rulebook,
                registered_at=meta.at,
            )
        case ClaimFiled() if row:
            return change(row, meta, claims_count=row.claims_count + 1)
        case ClaimPaid() if row:
            return change(row, meta, remaining_minor=event.remaining_minor)
        case _:
            return row


ClaimStatus = Literal["undecided", "approved", "partly-paid", "paid", "denied", "drawn", "withdrawn"]


class ClaimRow(Row):
    """A claim. Amounts are sums over its life.

    `approved_minor` is what the ruling granted, with its arithmetic; `allocated_minor` what a pool gave so far,
    `deferred_minor` what it still owes, `held_minor` what waits for the ruling; `paid_minor` what was transferred.
    """

    status: ClaimStatus
    cover: str
    incident: str
    product: str
    pool: str | None
    claimant: str
    rulebook: str
    case: str
    filed_at: Instant
    amount_minor: AmountMinor
    approved_minor: AmountMinor | None = None
    held_minor: AmountMinor = 0
    allocated_minor: AmountMinor = 0
    deferred_minor: AmountMinor = 0
    paid_minor: AmountMinor = 0
    unpaid_minor: AmountMinor | None = None
    decided_at: Instant | None = None
    arithmetic: tuple[ArithmeticStep, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def _claim(row: ClaimRow | None, event: Event, meta: Meta) -> ClaimRow | None:
    match event:
        case ClaimFiled():
            return ClaimRow(
                **base(meta),
                status="undecided",
                cover=event.cover,
                incident=event.incident,
                product=event.product,
                pool=event.pool,
                claimant=event.claimant,
                rulebook=event.rulebook,
                case=f"claim/{event.claim}",
                filed_at=meta.at,
                amount_minor=event.amount_minor,
                evidence=event.evidence,
            )
        case EvidenceAdded() if row:
            return change(row, meta, evidence=(*row.evidence, *event.evidence))
        case ClaimReduced() if row:
            return change(row, meta, amount_minor=event.amount_minor, held_minor=event.held_minor)
        case ClaimWithdrawn() if row:
            return change(row, meta, status="withdrawn", decided_at=meta.at, held_minor=0)
        case ClaimApproved() if row:
            return change(
                row,
                meta,
                status="approved",
                approved_minor=event.amount_minor,
                unpaid_minor=event.amount_minor,
                decided_at=meta.at,
                arithmetic=event.arithmetic,
            )
        case ClaimDenied() if row:
            return change(row, meta, status="denied", decided_at=meta.at, held_minor=0)
        case ClaimDrawn() if row:
            return change(row, meta, status="drawn", decided_at=meta.at, held_minor=0)
        case ClaimShareHeld() if row:
            return change(row, meta, held_minor=event.held_minor)
        case ClaimAllocated() if row:
            return change(
                row,
                meta,
                held_minor=0,
                allocated_minor=event.allocated_minor,
                deferred_minor=event.deferred_minor,
            )
        case ClaimPaid() if row:
            # Without what is unpaid (an event from before there was any) the approved amount is paid at once.
            status = "partly-paid" if event.unpaid_minor else "paid"
            paid_minor = row.paid_minor + event.amount_minor
            return change(row, meta, status=status, paid_minor=paid_minor, unpaid_minor=event.unpaid_minor)
        case _:
            return row


KINDS = (
    Kind(
        "claims",
        ClaimRow,
        LOGS,
        dict.fromkeys(
            (
                ClaimFiled,
                EvidenceAdded,
                ClaimReduced,
                ClaimWithdrawn,
                ClaimApproved,
                ClaimDenied,
                ClaimDrawn,
                ClaimShareHeld,
                ClaimAllocated,
                ClaimPaid,
            ),
            by("claim"),
        ),
        _claim,
        ("status", "cover", "incident", "product", "pool", "claimant"),
        (Joined("payouts", "payouts", "claim"), Joined("lines", "settlement-lines", "claim")),
    ),
    Kind(
        "covers",
        CoverRow,
        LOGS,
        {CoverRegistered: by("cover"), ClaimFiled: by("cover"), ClaimPaid: by_subject},
        _cover,
        ("product", "pool", "holder"),
        (Joined("claims", "claims", "cover"),),
    ),
)
