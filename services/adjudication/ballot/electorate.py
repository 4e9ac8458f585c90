"""Who may vote: every assessor with stake at the opening, except those who are party to the case."""

from typing import NamedTuple

from schemas.adjudication import AssessorExcluded
from schemas.money import share_down
from schemas.rulebook import Ballot, StakeWeight
from services.adjudication.facts import Facts


class Eligible(NamedTuple):
    """All who may vote: their stake, their number, and the largest weight one of them can have."""

    stake_minor: int
    heads: int
    cap_minor: int | None


def excluded(rules: Ballot, claimant: str | None, turn: int, facts: Facts) -> list[AssessorExcluded]:
    """List who is excluded and why, by account (law 4 of product.md section 13).

    The claimant is, with or without stake: nobody decides their own claim. So is every assessor with stake that is
    linked to the claimant, whichever of the two profiles says so.
    """
    if claimant is None or "claimant" not in rules.excluded:
        return []
    reasons = dict.fromkeys(facts.linked_from(claimant), "is named as a linked account by the claimant's profile")
    reasons |= dict.fromkeys(facts.linking_to(claimant), "names the claimant as a linked account")
    reasons = {account: reason for account, reason in reasons.items() if facts.stake(account)}
    reasons[claimant] = "is the claimant"
    return [AssessorExcluded(round=turn, assessor=account, reason=reasons[account]) for account in sorted(reasons)]


def eligible(weight: StakeWeight, without: list[AssessorExcluded], facts: Facts) -> Eligible:
    """Sum up who may vote, from the totals of all: what it costs does not grow with the number of assessors."""
    stakes = [facts.stake(event.assessor) for event in without]
    stake_minor = facts.eligible_stake_minor - sum(stakes)
    return Eligible(
        stake_minor=stake_minor,
        heads=facts.eligible_heads - sum(stake > 0 for stake in stakes),
        cap_minor=None if weight.cap_bps is None else share_down(stake_minor, weight.cap_bps),
    )
