"""Payouts: one obligation to transfer, its attempts, its receipts."""

from typing import Annotated

from pydantic import Field

from .envelope import Event, Input, InputTopic, Message, message
from .ids import AccountId, AssetId, ClaimId, CoverId, PayoutId, PoolId, Text, TransactionId, payout_key
from .instants import Instant
from .money import PositiveAmountMinor
from .outcomes import ArithmeticStep, NextStep
from .rulebook import PayoutTerms

Attempt = Annotated[int, Field(ge=1, le=1_000_000)]


class ReceiptInput(Input):
    """What the executor of a payout reports about one attempt."""

    payout: PayoutId
    attempt: Attempt

    def key(self) -> str:
        """Return the payout's aggregate."""
        return payout_key(self.payout)


@message("receipt.submitted.v1")
class ReceiptSubmitted(ReceiptInput):
    """The transfer was sent."""

    transaction: TransactionId


@message("receipt.confirmed.v1")
class ReceiptConfirmed(ReceiptInput):
    """The transfer happened: exactly this, to exactly this account."""

    transaction: TransactionId
    asset: AssetId
    recipient: AccountId
    amount_minor: PositiveAmountMinor


@message("receipt.failed.v1")
class ReceiptFailed(ReceiptInput):
    """The attempt can no longer succeed."""

    reason: Text


@message("payout.resume.v1")
class ResumePayout(ReceiptInput):
    """An operator lets a suspended payout go on with the attempt after `attempt`."""

    note: Text


@message("payout.request.v1")
class RequestPayout(Message):
    """A sibling asks for one transfer.

    Of a claim under a cover (`pool` where one carries it), of capital out of a pool (`pool` alone), or of stake
    (`assessor`): what is set is who hears of the confirmation.
    """

    payout: PayoutId
    claim: ClaimId | None = None
    cover: CoverId | None = None
    pool: PoolId | None = None
    assessor: AccountId | None = None
    asset: AssetId
    recipient: AccountId
    amount_minor: PositiveAmountMinor
    arithmetic: tuple[ArithmeticStep, ...]
    terms: PayoutTerms


@message("payout.instructed.v1")
class PayoutInstructed(Event):
    """The first attempt is instructed."""

    payout: PayoutId
    claim: ClaimId | None = None
    cover: CoverId | None = None
    pool: PoolId | None = None
    assessor: AccountId | None = None
    attempt: Attempt
    asset: AssetId
    recipient: AccountId
    amount_minor: PositiveAmountMinor
    arithmetic: tuple[ArithmeticStep, ...]
    terms: PayoutTerms
    receipt_due_at: Instant


@message("payout.submitted.v1")
class PayoutSubmitted(Event):
    """An attempt is under way."""

    payout: PayoutId
    attempt: Attempt
    transaction: TransactionId
    next: NextStep | None = None


@message("payout.failed.v1")
class PayoutFailed(Event):
    """An attempt failed; the next one is instructed at `retry_at` (none: the payout is suspended)."""

    payout: PayoutId
    attempt: Attempt
    reason: Text
    retry_at: Instant | None
    next: NextStep | None = None


@message("payout.retried.v1")
class PayoutRetried(Event):
    """A further attempt is instructed; everything else is as in the first instruction."""

    payout: PayoutId
    claim: ClaimId | None = None
    cover: CoverId | None = None
    pool: PoolId | None = None
    assessor: AccountId | None = None
    attempt: Attempt
    asset: AssetId
    recipient: AccountId
    amount_minor: PositiveAmountMinor
    arithmetic: tuple[ArithmeticStep, ...]
    receipt_due_at: Instant
    next: NextStep | None = None


@message("payout.suspended.v1")
class PayoutSuspended(Event):
    """No further attempt by itself: an operator has to look."""

    payout: PayoutId
    attempt: Attempt
    reason: Text
    next: NextStep | None = None


@message("payout.resumed.v1")
class PayoutResumed(Event):
    """An operator let it go on."""

    payout: PayoutId
    attempt: Attempt
    note: Text
    by: str
    next: NextStep | None = None


@message("payout.confirmed.v1")
class PayoutConfirmed(Event):
    """The transfer happened. Sent to whom it concerns: claims, the pool, the assessor."""

    payout: PayoutId
    claim: ClaimId | None = None
    cover: CoverId | None = None
    pool: PoolId | None = None
    assessor: AccountId | None = None
    attempt: Attempt
    transaction: TransactionId
    amount_minor: PositiveAmountMinor
    next: NextStep | None = None


@message("receipt.flagged.v1")
class ReceiptFlagged(Event):
    """A receipt that does not match its instruction was refused; somebody should look."""

    payout: PayoutId
    attempt: Attempt
    input_id: str
    mismatches: dict[str, str]


RECEIPTS = InputTopic("payout.receipts", (ReceiptSubmitted, ReceiptConfirmed, ReceiptFailed, ResumePayout))
