"""What a receipt, or an operator's word, makes of a payout; the order of the rules is the README's table."""

from collections.abc import Sequence

from schemas.envelope import Event
from schemas.outcomes import NextStep
from schemas.payouts import (
    PayoutConfirmed,
    PayoutInstructed,
    PayoutSubmitted,
    ReceiptConfirmed,
    ReceiptFailed,
    ReceiptFlagged,
    ReceiptSubmitted,
    ResumePayout,
)
from services.kernel.decider import Received, Refused
from services.payouts import refusals
from services.payouts.attempts import fail, operator_awaited, receipt_awaited, resume
from services.payouts.payout import Payout

Receipt = ReceiptSubmitted | ReceiptConfirmed | ReceiptFailed | ResumePayout


def receive(payout: Payout, received: Received, receipt: Receipt) -> Sequence[Event]:
    """Decide a receipt."""
    instruction = payout.instruction
    if instruction is None:
        return (refusals.unknown(receipt),)
    match receipt:
        case ReceiptConfirmed():
            return _confirm(payout, instruction, received, receipt)
        case ReceiptSubmitted():
            refused = refusals.unless_undecided(payout, receipt) or refusals.unless_first(payout, receipt)
            return (refused or _submitted(payout, receipt),)
        case ReceiptFailed():
            refused = refusals.unless_undecided(payout, receipt)
            return (refused,) if refused else fail(payout, instruction, receipt, received.since)
        case ResumePayout():
            refused = refusals.unless_suspended(payout) or refusals.unless_current(payout, receipt)
            return (refused,) if refused else resume(payout, instruction, received, receipt)


def _submitted(payout: Payout, receipt: ReceiptSubmitted) -> PayoutSubmitted:
    due_at = payout.due_at
    return PayoutSubmitted(
        payout=receipt.payout,
        attempt=receipt.attempt,
        transaction=receipt.transaction,
        next=operator_awaited(receipt.attempt) if due_at is None else receipt_awaited(receipt.attempt, due_at),
    )


def _confirm(
    payout: Payout, instruction: PayoutInstructed, received: Received, receipt: ReceiptConfirmed
) -> Sequence[Event]:
    """Take a confirmation of any attempt that was instructed: a transfer that happened is never undone by its date.

    One that says something else than the instruction, or than the confirmation before it, is refused and flagged:
    somebody was paid what nobody instructed, or paid twice.
    """
    differences = _differences(payout, instruction, receipt)
    if differences:
        return _mismatch(payout, received, receipt, differences)
    refused = refusals.unless_unconfirmed(payout) or refusals.unless_instructed(payout, receipt)
    return (refused or _confirmed(instruction, receipt),)


def _differences(
    payout: Payout, instruction: PayoutInstructed, receipt: ReceiptConfirmed
) -> list[tuple[str, str, str]]:
    """List fields whose values differ: name, the receipt's value, the expected one."""
    fields = [
        ("asset", receipt.asset, instruction.asset),
        ("recipient", receipt.recipient, instruction.recipient),
        ("amount_minor", str(receipt.amount_minor), str(instruction.amount_minor)),
    ]
    if payout.confirmed is not None:
        fields.append(("transaction", receipt.transaction, payout.confirmed))
    return [(name, had, expected) for name, had, expected in fields if had != expected]


def _mismatch(
    payout: Payout, received: Received, receipt: ReceiptConfirmed, differences: list[tuple[str, str, str]]
) -> Sequence[Event]:
    """Refuse a receipt, and flag it once."""
    refused = Refused(
        rule="receipt.mismatch",
        value=", ".join(f"{name} {had}" for name, had, _ in differences),
        accepted=", ".join(f"{name} {expected}" for name, _, expected in differences),
    )
    if received.id in payout.flagged:
        return (refused,)
    flagged = ReceiptFlagged(
        payout=receipt.payout,
        attempt=receipt.attempt,
        input_id=received.id,
        mismatches={name: f"{had} instead of {expected}" for name, had, expected in differences},
    )
    return (refused, flagged)


def _confirmed(instruction: PayoutInstructed, receipt: ReceiptConfirmed) -> PayoutConfirmed:
    return PayoutConfirmed(
        payout=receipt.payout,
        claim=instruction.claim,
        cover=instruction.cover,
        pool=instruction.pool,
        assessor=instruction.assessor,
        attempt=receipt.attempt,
        transaction=receipt.transaction,
        amount_minor=receipt.amount_minor,
        next=NextStep(step=_recorded(instruction)),
    )


def _recorded(instruction: PayoutInstructed) -> str:
    if instruction.claim is not None:
        return f"claim {instruction.claim} is recorded as paid"
    if instruction.pool is not None:
        return f"pool {instruction.pool} books the transfer"
    return f"the stake that {instruction.assessor} took out is recorded as paid"
