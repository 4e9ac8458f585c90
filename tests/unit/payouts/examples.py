"""One payout and what can be said of it."""

from schemas.instants import DAY, SECOND
from schemas.payouts import (
    PayoutConfirmed,
    PayoutInstructed,
    ReceiptConfirmed,
    ReceiptFailed,
    ReceiptSubmitted,
    RequestPayout,
    ResumePayout,
)
from schemas.rulebook import PayoutTerms
from services.kernel.specification import Specification
from services.payouts.decider import PayoutDecider
from services.payouts.facts import Facts

HOUR = 3_600 * SECOND
START = 20_000 * DAY
PAYOUT = "C-1/1/1"
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
DAI = "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"
HOLDER = "eip155:1:0x" + "a" * 40
OTHER = "eip155:1:0x" + "b" * 40
TERMS = PayoutTerms(first_retry=HOUR, multiplier=2, longest_retry=3 * HOUR, attempts_max=4, receipt_within=DAY)
REQUEST = RequestPayout(
    payout=PAYOUT,
    claim="C-1/1",
    cover="C-1",
    asset=USDC,
    recipient=HOLDER,
    amount_minor=1_000,
    arithmetic=(),
    terms=TERMS,
)
ALLOCATED = REQUEST.model_copy(update={"claim": "main.1/1", "cover": "main.1", "pool": "main", "payout": "main.1/1/2"})
"""Of a claim that a pool settles."""
CAPITAL = REQUEST.model_copy(update={"claim": None, "cover": None, "pool": "main", "payout": "pool:main/1"})
STAKE = REQUEST.model_copy(update={"claim": None, "cover": None, "assessor": HOLDER, "payout": f"stake:{HOLDER}/1"})


def asked(request: RequestPayout = REQUEST) -> Specification:
    return Specification(PayoutDecider(), facts=Facts(), key=f"payout/{request.payout}")


def instructed(request: RequestPayout = REQUEST) -> Specification:
    return asked(request).when(request, at=START)


def submitted(attempt: int = 1, transaction: str = "0x1") -> ReceiptSubmitted:
    return ReceiptSubmitted(payout=PAYOUT, attempt=attempt, transaction=transaction)


def confirmed(
    attempt: int = 1,
    transaction: str = "0x1",
    *,
    asset: str = USDC,
    recipient: str = HOLDER,
    amount_minor: int = 1_000,
    payout: str = PAYOUT,
) -> ReceiptConfirmed:
    return ReceiptConfirmed(
        payout=payout,
        attempt=attempt,
        transaction=transaction,
        asset=asset,
        recipient=recipient,
        amount_minor=amount_minor,
    )


def failed(attempt: int = 1, reason: str = "out of gas", payout: str = PAYOUT) -> ReceiptFailed:
    return ReceiptFailed(payout=payout, attempt=attempt, reason=reason)


def resume(attempt: int = 1) -> ResumePayout:
    return ResumePayout(payout=PAYOUT, attempt=attempt, note="the transaction was dropped")


def instruction(specification: Specification) -> PayoutInstructed:
    (event,) = specification.events
    assert isinstance(event, PayoutInstructed)
    return event


def confirmation(specification: Specification) -> PayoutConfirmed:
    (event,) = specification.events
    assert isinstance(event, PayoutConfirmed)
    return event
