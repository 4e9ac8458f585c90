"""The count, at its boundaries."""

from typing import Literal

import pytest

from schemas.adjudication import BallotClosed
from schemas.rulebook import Agreement, Ballot, Quorum, StakeWeight
from tests.unit.adjudication.examples import T0, CaseSpecification, ballot, claim, staked

Comparison = Literal["more-than", "at-least"]


def quorum(of: Literal["eligible-stake", "eligible-heads"], share_bps: int, comparison: Comparison) -> Ballot:
    return ballot(quorum=Quorum(of=of, share_bps=share_bps, comparison=comparison))


def agreement(of: Literal["cast", "eligible-stake"], share_bps: int, comparison: Comparison) -> Ballot:
    return ballot(agreement=Agreement(of=of, share_bps=share_bps, comparison=comparison))


def closed(rules: Ballot, stakes: tuple[int, ...], votes: str) -> BallotClosed:
    """Close a round in which assessor n votes as letter n says: a, d, or - for absent."""
    case: CaseSpecification = claim(*staked(*stakes), procedure=(rules,))
    for number, letter in enumerate(votes, start=1):
        if letter != "-":
            case.vote(number, "accept" if letter == "a" else "deny", at=T0 + number)
    event = case.fire().events[0]
    assert isinstance(event, BallotClosed)
    return event


def decided(rules: Ballot, stakes: tuple[int, ...], votes: str) -> tuple[str, str]:
    event = closed(rules, stakes, votes)
    return event.rule, event.outcome


def test_closing_shows_the_sums() -> None:
    assert closed(ballot(), (100, 70, 30, 0), "ad--") == BallotClosed(
        stage=0,
        round=1,
        accept_minor=100,
        deny_minor=70,
        heads=2,
        eligible_stake_minor=200,
        eligible_heads=3,
        early=False,
        rule="agreement",
        outcome="accept",
    )


def test_empty() -> None:
    assert decided(ballot(empty="accept"), (10,), "-") == ("empty", "accept")


def test_votes_without_weight_are_not_empty() -> None:
    rules = ballot(
        weight=StakeWeight(kind="stake", at="opening", cap_bps=1),
        quorum=Quorum(of="eligible-stake", share_bps=0, comparison="at-least"),
    )
    assert decided(rules, (10,), "a") == ("tie", "draw")


@pytest.mark.parametrize(
    ("comparison", "stakes", "expected"),
    [
        ("more-than", (1000, 9000), ("quorum", "draw")),
        ("more-than", (1001, 8999), ("agreement", "accept")),
        ("at-least", (1000, 9000), ("agreement", "accept")),
        ("at-least", (999, 9001), ("quorum", "draw")),
    ],
)
def test_quorum_of_stake(comparison: Comparison, stakes: tuple[int, int], expected: tuple[str, str]) -> None:
    assert decided(quorum("eligible-stake", 1000, comparison), stakes, "a-") == expected


def test_quorum_of_heads() -> None:
    """Insurace: fewer than 75 % of the assessors and the vote is invalid (anchors.md section 1.13)."""
    rules = quorum("eligible-heads", 7500, "at-least")
    assert decided(rules, (1, 1, 1, 997), "aaa-") == ("agreement", "accept")
    assert decided(rules, (997, 1, 1, 1), "aa--") == ("quorum", "draw")


def test_quorum_comes_before_the_tie() -> None:
    rules = ballot(
        tie="accept", unresolved="deny", quorum=Quorum(of="eligible-stake", share_bps=5000, comparison="at-least")
    )
    assert decided(rules, (10, 10, 21), "ad-") == ("quorum", "deny")
    assert decided(rules, (10, 10, 20), "ad-") == ("tie", "accept")


def test_tie_comes_before_the_agreement() -> None:
    rules = ballot(tie="draw", agreement=Agreement(of="cast", share_bps=5000, comparison="at-least"))
    assert decided(rules, (10, 10), "ad") == ("tie", "draw")
    assert decided(rules, (10, 11), "ad") == ("agreement", "deny")


@pytest.mark.parametrize(
    ("comparison", "accepting", "outcome"),
    [
        ("more-than", 6600, "deny"),
        ("more-than", 6601, "accept"),
        ("at-least", 6600, "accept"),
        ("at-least", 6599, "deny"),
    ],
)
def test_agreement_of_cast(comparison: Comparison, accepting: int, outcome: str) -> None:
    stakes = (accepting, 10_000 - accepting, 50_000)
    assert decided(agreement("cast", 6600, comparison), stakes, "ad-") == ("agreement", outcome)


@pytest.mark.parametrize(("accepting", "outcome"), [(5000, "deny"), (5001, "accept")])
def test_agreement_of_eligible_stake(accepting: int, outcome: str) -> None:
    rules = agreement("eligible-stake", 5000, "more-than")
    assert decided(rules, (accepting, 10_000 - accepting), "a-") == ("agreement", outcome)


def test_amounts_beyond_floating_point() -> None:
    big = 10**40
    rules = agreement("cast", 5000, "more-than")
    assert decided(rules, (big + 1, big), "ad") == ("agreement", "accept")
    assert decided(rules, (big, big + 1), "ad") == ("agreement", "deny")


@pytest.mark.parametrize(
    ("stakes", "votes", "expected"),
    [
        ((100, 100, 100), "aad", ("agreement", "accept")),
        ((100, 100), "ad", ("tie", "deny")),
        ((100, 60, 50), "ad-", ("agreement", "accept")),
        ((100,), "-", ("empty", "deny")),
    ],
)
def test_nexus_v2_numbers(stakes: tuple[int, ...], votes: str, expected: tuple[str, str]) -> None:
    """Accepted iff more accept than deny; ties deny; no quorum (anchors.md sections 1.2 and 4, N4)."""
    rules = ballot(tie="deny", quorum=Quorum(of="eligible-stake", share_bps=0, comparison="at-least"))
    assert decided(rules, stakes, votes) == expected


def test_insurace_numbers() -> None:
    """Weight capped at 5 % of the uncapped total, more than 51 % of cast (anchors.md sections 1.13 and 1.18)."""
    rules = ballot(
        weight=StakeWeight(kind="stake", at="opening", cap_bps=500),
        agreement=Agreement(of="cast", share_bps=5100, comparison="more-than"),
    )
    event = closed(rules, (900, *[5] * 20), "a" + "d" * 12 + "-" * 8)
    assert (event.accept_minor, event.deny_minor, event.outcome) == (50, 60, "deny")
