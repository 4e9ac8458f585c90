"""The attempts of a payout: the first, the next one after a failure, and when there is none by itself."""

from schemas.instants import format_duration
from schemas.outcomes import NextStep
from schemas.payouts import (
    PayoutFailed,
    PayoutInstructed,
    PayoutResumed,
    PayoutRetried,
    PayoutSuspended,
    ReceiptFailed,
    RequestPayout,
    ResumePayout,
)
from schemas.rulebook import PayoutTerms
from services.kernel.decider import Received
from services.payouts.payout import Payout


def instruct(request: RequestPayout, since: int) -> PayoutInstructed:
    """Instruct the first attempt."""
    return PayoutInstructed(
        payout=request.payout,
        claim=request.claim,
        cover=request.cover,
        pool=request.pool,
        assessor=request.assessor,
        attempt=1,
        asset=request.asset,
        recipient=request.recipient,
        amount_minor=request.amount_minor,
        arithmetic=request.arithmetic,
        terms=request.terms,
        receipt_due_at=since + request.terms.receipt_within,
    )


def retry(payout: Payout, instruction: PayoutInstructed, since: int) -> PayoutRetried:
    """Instruct the attempt after the current one."""
    due_at = since + instruction.terms.receipt_within
    return PayoutRetried(
        payout=instruction.payout,
        claim=instruction.claim,
        cover=instruction.cover,
        pool=instruction.pool,
        assessor=instruction.assessor,
        attempt=payout.attempt + 1,
        asset=instruction.asset,
        recipient=instruction.recipient,
        amount_minor=instruction.amount_minor,
        arithmetic=instruction.arithmetic,
        receipt_due_at=due_at,
        next=receipt_awaited(payout.attempt + 1, due_at),
    )


def back_off(terms: PayoutTerms, attempt: int) -> int:
    """Return the wait after a failed attempt, in milliseconds (schemas.rulebook.PayoutTerms)."""
    wait: int = terms.first_retry * terms.multiplier ** (attempt - 1)
    return min(wait, terms.longest_retry)


def fail(
    payout: Payout, instruction: PayoutInstructed, receipt: ReceiptFailed, since: int
) -> tuple[PayoutFailed] | tuple[PayoutFailed, PayoutSuspended]:
    """Record that the current attempt can no longer succeed, and say when the next one is instructed.

    None is by itself after the last attempt of the terms, nor while the payout is suspended: an operator looks at
    it then, and a late receipt does not take the decision from him.
    """
    terms = instruction.terms
    if payout.status == "suspended":
        return (_failed(receipt, None, operator_awaited(receipt.attempt)),)
    if receipt.attempt < terms.attempts_max:
        retry_at = since + back_off(terms, receipt.attempt)
        step = NextStep(step=f"attempt {receipt.attempt + 1} is instructed", due_at=retry_at)
        return (_failed(receipt, retry_at, step),)
    reason = f"attempt {receipt.attempt} failed, and {terms.attempts_max} are made by itself"
    return (
        _failed(receipt, None, operator_awaited(receipt.attempt)),
        _suspended(instruction, receipt.attempt, reason),
    )


def suspend_unanswered(payout: Payout, instruction: PayoutInstructed) -> PayoutSuspended:
    """Suspend because no receipt decided the current attempt in time."""
    within = format_duration(instruction.terms.receipt_within)
    reason = (
        f"no receipt decided attempt {payout.attempt} within {within}; it may still succeed, so no further attempt "
        "is instructed by itself"
    )
    return _suspended(instruction, payout.attempt, reason)


def resume(
    payout: Payout, instruction: PayoutInstructed, received: Received, content: ResumePayout
) -> tuple[PayoutResumed, PayoutRetried]:
    """Go on with the next attempt, on an operator's word that the current one can no longer succeed."""
    retried = retry(payout, instruction, received.since)
    resumed = PayoutResumed(
        payout=content.payout,
        attempt=content.attempt,
        note=content.note,
        by=received.sender,
        next=retried.next,
    )
    return resumed, retried


def receipt_awaited(attempt: int, due_at: int) -> NextStep:
    """Say that a receipt has to decide an attempt."""
    return NextStep(step=f"a receipt says that attempt {attempt} is confirmed or failed", due_at=due_at)


def operator_awaited(attempt: int) -> NextStep:
    """Say that an operator has to look."""
    return NextStep(
        step=f"an operator resumes after attempt {attempt}, once that can no longer succeed; "
        "a confirmation still counts"
    )


def _failed(receipt: ReceiptFailed, retry_at: int | None, step: NextStep) -> PayoutFailed:
    return PayoutFailed(
        payout=receipt.payout, attempt=receipt.attempt, reason=receipt.reason, retry_at=retry_at, next=step
    )


def _suspended(instruction: PayoutInstructed, attempt: int, reason: str) -> PayoutSuspended:
    step = operator_awaited(attempt)
    return PayoutSuspended(payout=instruction.payout, attempt=attempt, reason=reason, next=step)
