"""Payouts and their attempts."""

from typing import Literal

from schemas.envelope import Event, Message
from schemas.instants import Instant
from schemas.money import AmountMinor
from schemas.outcomes import ArithmeticStep
from schemas.payouts import (
    PayoutConfirmed,
    PayoutFailed,
    PayoutInstructed,
    PayoutResumed,
    PayoutRetried,
    PayoutSubmitted,
    PayoutSuspended,
    ReceiptFlagged,
)
from services.views.kind import Kind, Meta, Part, Row, base, by, change

LOGS = ("payouts.events",)


class AttemptRow(Part):
    """One attempt of a transfer."""

    attempt: int
    status: Literal["instructed", "submitted", "failed", "confirmed"]
    instructed_at: Instant
    receipt_due_at: Instant
    transaction: str | None = None
    reason: str | None = None
    ended_at: Instant | None = None


class PayoutRow(Row):
    """One obligation to transfer: of a claim, of a pool's capital, or of an assessor's stake."""

    status: Literal["instructed", "submitted", "failed", "suspended", "confirmed"]
    claim: str | None
    cover: str | None
    pool: str | None
    assessor: str | None
    asset: str
    recipient: str
    amount_minor: AmountMinor
    instructed_at: Instant
    retry_at: Instant | None = None
    confirmed_at: Instant | None = None
    suspended_reason: str | None = None
    flags_count: int = 0
    arithmetic: tuple[ArithmeticStep, ...]
    attempts: tuple[AttemptRow, ...]


def _attempt(event: PayoutInstructed | PayoutRetried, meta: Meta) -> AttemptRow:
    return AttemptRow(
        attempt=event.attempt, status="instructed", instructed_at=meta.at, receipt_due_at=event.receipt_due_at
    )


def _ended(row: PayoutRow, number: int, **fields: object) -> tuple[AttemptRow, ...]:
    return tuple(held.model_copy(update=fields) if held.attempt == number else held for held in row.attempts)


def _payout(row: PayoutRow | None, event: Event, meta: Meta) -> PayoutRow | None:
    if isinstance(event, PayoutInstructed):
        return PayoutRow(
            **base(meta),
            status="instructed",
            claim=event.claim,
            cover=event.cover,
            pool=event.pool,
            assessor=event.assessor,
            asset=event.asset,
            recipient=event.recipient,
            amount_minor=event.amount_minor,
            instructed_at=meta.at,
            arithmetic=event.arithmetic,
            attempts=(_attempt(event, meta),),
        )
    return row and _next_payout(row, event, meta)


def _next_payout(row: PayoutRow, event: Event, meta: Meta) -> PayoutRow:
    match event:
        case PayoutRetried():
            attempts = (*row.attempts, _attempt(event, meta))
            return change(row, meta, status="instructed", retry_at=None, attempts=attempts)
        case PayoutSubmitted():
            attempts = _ended(row, event.attempt, status="submitted", transaction=event.transaction)
            return change(row, meta, status="submitted", attempts=attempts)
        case PayoutFailed():
            attempts = _ended(row, event.attempt, status="failed", reason=event.reason, ended_at=meta.at)
            return change(row, meta, status="failed", retry_at=event.retry_at, attempts=attempts)
        case PayoutSuspended():
            return change(row, meta, status="suspended", retry_at=None, suspended_reason=event.reason)
        case PayoutResumed():
            return change(row, meta, suspended_reason=None)
        case PayoutConfirmed():
            attempts = _ended(row, event.attempt, status="confirmed", transaction=event.transaction, ended_at=meta.at)
            return change(
                row,
                meta,
                status="confirmed",
                retry_at=None,
                suspended_reason=None,
                confirmed_at=meta.at,
                attempts=attempts,
            )
        case ReceiptFlagged():
            return change(row, meta, flags_count=row.flags_count + 1)
        case _:
            return row


_EVENTS: tuple[type[Message], ...] = (
    PayoutInstructed,
    PayoutSubmitted,
    PayoutFailed,
    PayoutRetried,
    PayoutSuspended,
    PayoutResumed,
    PayoutConfirmed,
    ReceiptFlagged,
)

KINDS = (
    Kind(
        "payouts",
        PayoutRow,
        LOGS,
        dict.fromkeys(_EVENTS, by("payout")),
        _payout,
        ("status", "claim", "pool", "assessor", "recipient"),
    ),
)
