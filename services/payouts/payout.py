"""The state of a payout: what was instructed, and how its attempts stand."""

from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.envelope import Event
from schemas.payouts import (
    PayoutConfirmed,
    PayoutFailed,
    PayoutInstructed,
    PayoutRetried,
    PayoutSubmitted,
    PayoutSuspended,
    ReceiptFlagged,
)
from services.kernel.persistent import PersistentMap

Status = Literal["instructed", "waiting", "suspended", "confirmed"]


@dataclass(frozen=True, slots=True)
class Payout:
    """One obligation to transfer.

    `instruction` is the first one, None before it. `status` is instructed (a receipt is due at `due_at`), waiting
    (the attempt failed, the next is instructed at `due_at`), suspended or confirmed. `failed` says that the current
    attempt can no longer succeed, `submitted` is its transaction, `confirmed` the transaction that happened;
    `flagged` has the attempts of flagged receipts by input id.
    """

    instruction: PayoutInstructed | None = None
    attempt: int = 0
    status: Status = "instructed"
    due_at: int | None = None
    failed: bool = False
    submitted: str | None = None
    confirmed: str | None = None
    flagged: PersistentMap[str, int] = field(default_factory=PersistentMap)


def evolve(payout: Payout, event: Event) -> Payout:
    """Fold one event."""
    match event:
        case PayoutInstructed():
            after = Payout(instruction=event, attempt=event.attempt, due_at=event.receipt_due_at)
        case PayoutSubmitted():
            after = replace(payout, submitted=event.transaction)
        case PayoutFailed(retry_at=None):
            after = replace(payout, failed=True)
        case PayoutFailed():
            after = replace(payout, failed=True, status="waiting", due_at=event.retry_at)
        case PayoutRetried():
            after = replace(
                payout,
                attempt=event.attempt,
                status="instructed",
                due_at=event.receipt_due_at,
                failed=False,
                submitted=None,
            )
        case PayoutSuspended():
            after = replace(payout, status="suspended", due_at=None)
        case PayoutConfirmed():
            after = replace(payout, status="confirmed", due_at=None, confirmed=event.transaction)
        case ReceiptFlagged():
            after = replace(payout, flagged=payout.flagged.set(event.input_id, event.attempt))
        case _:
            after = payout
    return after
