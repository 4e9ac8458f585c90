"""Why a receipt, or an operator's word, is refused."""

from schemas.instants import format_instant
from schemas.payouts import ReceiptInput, ReceiptSubmitted
from services.kernel.decider import Refused
from services.payouts.payout import Payout


def unknown(receipt: ReceiptInput) -> Refused:
    """Refuse a receipt for a payout that was never instructed."""
    return Refused(
        rule="receipt.payout-unknown",
        value=f"payout {receipt.payout}",
        accepted="a payout that was instructed",
        unknown=True,
    )


def unless_undecided(payout: Payout, receipt: ReceiptInput) -> Refused | None:
    """Refuse a receipt unless it is for the current attempt, and that may still succeed."""
    return unless_unconfirmed(payout) or unless_current(payout, receipt) or _unless_open(payout)


def unless_unconfirmed(payout: Payout) -> Refused | None:
    """Refuse a receipt for a payout whose transfer happened."""
    if payout.confirmed is None:
        return None
    return Refused(
        rule="receipt.already-confirmed",
        value=f"a payout that transaction {payout.confirmed} confirmed",
        accepted="no further receipt",
    )


def unless_current(payout: Payout, receipt: ReceiptInput) -> Refused | None:
    """Refuse a receipt for another attempt than the current one; one not instructed yet is unknown."""
    if receipt.attempt == payout.attempt:
        return None
    return Refused(
        rule="receipt.other-attempt",
        value=f"attempt {receipt.attempt}",
        accepted=f"attempt {payout.attempt}, the current one",
        unknown=receipt.attempt > payout.attempt,
    )


def unless_instructed(payout: Payout, receipt: ReceiptInput) -> Refused | None:
    """Refuse a confirmation of an attempt that is not instructed yet; an earlier one did happen."""
    return unless_current(payout, receipt) if receipt.attempt > payout.attempt else None


def unless_first(payout: Payout, receipt: ReceiptSubmitted) -> Refused | None:
    """Refuse a second submission of an attempt: which transaction it became is for the confirmation to say."""
    if payout.submitted is None:
        return None
    return Refused(
        rule="receipt.already-submitted",
        value=f"attempt {receipt.attempt}, submitted as transaction {payout.submitted}",
        accepted="a receipt that it is confirmed or failed",
    )


def unless_suspended(payout: Payout) -> Refused | None:
    """Refuse to resume what is not suspended."""
    if payout.status == "suspended":
        return None
    due = f" until {format_instant(payout.due_at)}" if payout.due_at is not None else ""
    return Refused(
        rule="payout.not-suspended",
        value=f"a payout that is {payout.status}{due}, attempt {payout.attempt}",
        accepted="a suspended payout",
    )


def _unless_open(payout: Payout) -> Refused | None:
    if not payout.failed:
        return None
    return Refused(
        rule="receipt.already-failed",
        value=f"attempt {payout.attempt}, which failed",
        accepted="a confirmation, should the transfer have happened after all, or a receipt for a later attempt",
    )
