"""What a vote weighs."""

from schemas.rulebook import StakeWeight
from services.adjudication.ballot.round import Round
from services.adjudication.facts import Facts


def stake_of(assessor: str, rules: StakeWeight, state: Round, facts: Facts) -> int:
    """Return the stake (base units) that counts for an assessor; 0 for one outside the electorate.

    The electorate is that of the opening whatever the weight is taken from, so that turnout is a share of it.
    """
    at_opening = facts.stake_at(assessor, state.opened.facts_version)
    return at_opening if rules.at == "opening" or not at_opening else facts.stake(assessor)


def weight_of(stake_minor: int, state: Round) -> int:
    """Cap a stake (insurace, house: 5 % of the eligible stake before capping, anchors.md section 1.18)."""
    cap_minor = state.opened.cap_minor
    return stake_minor if cap_minor is None else min(stake_minor, cap_minor)
