"""Who may vote: every assessor with stake at the opening, except those who are party to the case."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from schemas.adjudication import AssessorExcluded
from schemas.instants import format_instant
from schemas.money import share_down
from schemas.rulebook import Ballot, StakeWeight
from services.adjudication.facts import Facts
from services.adjudication.stages.stage import Opening


class Eligible(NamedTuple):
    """All who may vote: their stake, their number, and the largest weight one of them can have."""

    stake_minor: int
    heads: int
    cap_minor: int | None


def excluded(rules: Ballot, opening: Opening, facts: Facts) -> list[AssessorExcluded]:
    """List who is excluded and why, by account (law 4 of product.md section 13).

    The claimant is, with or without stake: nobody decides their own claim. So is every assessor with stake to whom a
    further rule applies, of several the first; and who stepped back from the case in an earlier round.
    """
    reasons: dict[str, str] = {}
    for group, found in _GROUPS:
        if group in rules.excluded:
            for account, reason in found(rules, opening, facts):
                reasons.setdefault(account, reason)
    for account, number in opening.recused.sorted_items():
        reasons.setdefault(account, f"stepped back in round {number}")
    return [
        AssessorExcluded(round=opening.turn, assessor=account, reason=reasons[account])
        for account in sorted(reasons)
        if account == opening.terms.claimant or facts.stake(account)
    ]


def eligible(weight: StakeWeight, without: list[AssessorExcluded], facts: Facts) -> Eligible:
    """Sum up who may vote, from the totals of all: what it costs does not grow with the number of assessors."""
    stakes = [facts.stake(event.assessor) for event in without]
    stake_minor = facts.profiles.eligible_stake_minor - sum(stakes)
    return Eligible(
        stake_minor=stake_minor,
        heads=facts.profiles.eligible_heads - sum(stake > 0 for stake in stakes),
        cap_minor=None if weight.cap_bps is None else share_down(stake_minor, weight.cap_bps),
    )


def _claimant(rules: Ballot, opening: Opening, facts: Facts) -> Iterator[tuple[str, str]]:  # noqa: ARG001 - one shape
    """Find the claimant, and who is linked to it, whichever of the two profiles says so."""
    claimant = opening.terms.claimant
    if claimant is None:
        return
    yield claimant, "is the claimant"
    for account in facts.profiles.linking_to(claimant):
        yield account, "names the claimant as a linked account"
    for account in facts.profiles.linked_from(claimant):
        yield account, "is named as a linked account by the claimant's profile"


def _holders(rules: Ballot, opening: Opening, facts: Facts) -> Iterator[tuple[str, str]]:  # noqa: ARG001 - one shape
    """Find holders of cover that has not ended: the same incident may touch it."""
    product = opening.terms.product
    if product is None:
        return
    for account, cover in facts.profiles.holding(product):
        if cover.until > opening.since:
            yield account, f"holds cover {cover.cover} of {product}, until {format_instant(cover.until)}"


def _providers(rules: Ballot, opening: Opening, facts: Facts) -> Iterator[tuple[str, str]]:
    """Find those whose capital would pay."""
    pool = opening.terms.pool
    if pool is None:
        return
    for account, share_bps in facts.profiles.providing(pool, rules.provider_share_bps):
        yield account, f"has {share_bps} of 10,000 parts of the capital of pool {pool}"


def _interested(rules: Ballot, opening: Opening, facts: Facts) -> Iterator[tuple[str, str]]:  # noqa: ARG001 - one shape
    """Find those who said that the product is their business."""
    product = opening.terms.product
    if product is None:
        return
    for account in facts.profiles.declaring(product):
        yield account, f"declared an interest in {product}"


_Found = Callable[[Ballot, Opening, Facts], Iterator[tuple[str, str]]]
_GROUPS: tuple[tuple[str, _Found], ...] = (
    ("claimant", _claimant),
    ("holders", _holders),
    ("providers", _providers),
    ("interested", _interested),
)
"""Whom a rulebook may exclude, in the order in which the reason is chosen."""
