"""What is owed to somebody outside, and by which event: a payout is instructed for nothing else."""

from typing import NamedTuple

from schemas.assessors import StakeWithdrawn
from schemas.claims import ClaimAllocated, ClaimApproved
from schemas.outcomes import ArithmeticStep
from schemas.pools import CapitalWithdrawn
from schemas.rulebook import PayoutTerms


class Debt(NamedTuple):
    """One transfer to be made, as the event says that owes it."""

    claim: str | None
    cover: str | None
    pool: str | None
    assessor: str | None
    asset: str
    recipient: str
    amount_minor: int
    arithmetic: tuple[ArithmeticStep, ...]
    terms: PayoutTerms


Debts = dict[str, Debt]
"""By payout."""


def of_claim(event: ClaimApproved | ClaimAllocated) -> Debt:
    """Return what a claim is paid."""
    return Debt(
        event.claim,
        event.cover,
        event.pool,
        None,
        event.asset,
        event.recipient,
        event.amount_minor,
        event.arithmetic,
        event.payout_terms,
    )


def of_capital(event: CapitalWithdrawn) -> Debt:
    """Return what a provider takes out."""
    return Debt(
        None,
        None,
        event.pool,
        None,
        event.asset,
        event.provider,
        event.amount_minor,
        event.arithmetic,
        event.payout_terms,
    )


def of_stake(event: StakeWithdrawn) -> Debt:
    """Return what an assessor takes out."""
    return Debt(
        None,
        None,
        None,
        event.assessor,
        event.asset,
        event.assessor,
        event.amount_minor,
        event.arithmetic,
        event.payout_terms,
    )
