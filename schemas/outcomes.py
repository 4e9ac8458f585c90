"""What outsiders read: what became of each input, and payout instructions. Written by the relay, at least once."""

from typing import Literal

from .envelope import Message, message
from .ids import AccountId, AssetId, ClaimId, CoverId, PayoutId, PoolId, Text
from .instants import Instant
from .money import PositiveAmountMinor


class NextStep(Message):
    """What happens next: the step's name and when it falls due, if that is known."""

    step: Text
    due_at: Instant | None = None


class ArithmeticStep(Message):
    """One step of the arithmetic that led to an amount: the rule, what went in, what came out."""

    rule: Text
    inputs: dict[str, str]
    result_minor: str


@message("payout.instruction.v1")
class PayoutInstruction(Message):
    """Transfer this. Pay a reference at most once; act on attempt n + 1 only when n can no longer succeed."""

    reference: PayoutId
    attempt: int
    claim: ClaimId | None = None
    cover: CoverId | None = None
    pool: PoolId | None = None
    assessor: AccountId | None = None
    asset: AssetId
    recipient: AccountId
    amount_minor: PositiveAmountMinor
    arithmetic: tuple[ArithmeticStep, ...]


class Refusal(Message):
    """Why an input was refused, and what would be accepted.

    `unknown`: only because something does not exist (yet); the same input, id included, may be sent again.
    """

    rule: str
    value: str
    accepted: str
    not_before: Instant | None = None
    unknown: bool = False


@message("input.outcome.v1")
class InputOutcome(Message):
    """What became of one public input.

    `position` is where the input stands, `log_position` the record that says so; `events` are the wire names of the
    events it caused, `of` the earlier input a duplicate repeats.
    """

    input_id: str
    position: str
    log_position: str
    fate: Literal["decided", "refused", "set-aside", "duplicate", "forwarded", "no-effect"]
    at: Instant
    key: str
    events: tuple[str, ...] = ()
    refusal: Refusal | None = None
    reason: str | None = None
    of: str | None = None
    next: NextStep | None = None
