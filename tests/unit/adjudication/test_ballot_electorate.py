"""Who may vote, and with which weight."""

from typing import Literal

import pytest

from schemas.adjudication import AssessorExcluded, BallotOpened, VoteCounted
from schemas.instants import DAY
from schemas.outcomes import NextStep
from schemas.rulebook import Ballot, StakeWeight
from tests.unit.adjudication.examples import (
    AT_VOTE,
    CLAIMANT,
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    counted,
    incident,
    profiled,
    staked,
)


def capped(cap_bps: int, at: Literal["opening", "vote"] = "opening") -> CaseSpecification:
    weight = StakeWeight(kind="stake", at=at, cap_bps=cap_bps)
    return claim(*staked(100, 60, 39), procedure=(ballot(weight=weight),))


def opened(case: CaseSpecification) -> BallotOpened:
    assert isinstance(case.events[1], BallotOpened)
    return case.events[1]


def test_round_opens_with_the_electorate_of_the_opening() -> None:
    case = claim(*staked(10, 0, 30))
    assert opened(case) == BallotOpened(
        stage=0,
        round=1,
        closes_at=T0 + 3 * DAY,
        closes_early_at=None,
        facts_version=4,
        eligible_stake_minor=40,
        eligible_heads=2,
        cap_minor=None,
    )


def test_vote_counts_with_its_stake() -> None:
    case = claim(*staked(10, 30)).vote(2, "deny", at=T0 + 5, clause="2.1", rationale="no loss")
    case.then(
        VoteCounted(
            round=1,
            assessor=account(2),
            choice="deny",
            clause="2.1",
            rationale="no loss",
            stake_minor=30,
            weight_minor=30,
            replaces=False,
            accept_minor=0,
            deny_minor=30,
            next=NextStep(step="ballot closes", due_at=T0 + 3 * DAY),
        )
    )
    assert counted(case.vote(1, at=T0 + 6)).accept_minor == 10


def test_claimant_is_excluded__without_stake() -> None:
    case = claim(*staked(10))
    assert case.events[2:] == (AssessorExcluded(round=1, assessor=CLAIMANT, reason="is the claimant"),)
    assert (opened(case).eligible_stake_minor, opened(case).eligible_heads) == (10, 1)
    refusal = case.vote(999, at=T0 + 1).then_refused("vote.excluded")
    assert refusal.value == f"{CLAIMANT} is the claimant"


def test_claimant_and_linked_assessors_are_excluded() -> None:
    case = claim(
        profiled(account(3), 10, CLAIMANT),
        profiled(account(7), 20),
        profiled(CLAIMANT, 5, account(7), account(4), account(8)),
        profiled(account(4), 0),
        profiled(account(5), 0, CLAIMANT),
        profiled(account(6), 40, account(7)),
    )
    assert case.events[2:] == (
        AssessorExcluded(round=1, assessor=account(3), reason="names the claimant as a linked account"),
        AssessorExcluded(
            round=1,
            assessor=account(7),
            reason="is named as a linked account by the claimant's profile",
        ),
        AssessorExcluded(round=1, assessor=CLAIMANT, reason="is the claimant"),
    )
    assert (opened(case).eligible_stake_minor, opened(case).eligible_heads) == (40, 1)
    for number in (3, 7, 999):
        case.vote(number, at=T0 + 1).then_refused("vote.excluded")
    assert counted(case.vote(6, at=T0 + 1)).weight_minor == 40


def test_nobody_is_excluded__rulebook_excludes_nobody() -> None:
    case = claim(*staked(10), profiled(CLAIMANT, 5), procedure=(ballot(excluded=()),))
    case.then_types("case.opened.v1", "ballot.opened.v1")
    assert counted(case.vote(999, at=T0 + 1)).weight_minor == 5


def test_nobody_is_excluded__incident() -> None:
    case = incident(*staked(10), procedure=(ballot(),))
    case.then_types("case.opened.v1", "ballot.opened.v1")


def test_not_an_assessor__no_stake_at_the_opening() -> None:
    case = claim(*staked(10, 0))
    for number in (2, 3):
        case.vote(number, at=T0 + 1).then_refused("vote.not-an-assessor")


@pytest.mark.parametrize("rules", [ballot(), AT_VOTE])
def test_not_an_assessor__stake_after_the_opening(rules: Ballot) -> None:
    case = claim(*staked(10), procedure=(rules,)).note(profiled(account(2), 50))
    refusal = case.vote(2, at=T0 + 1).then_refused("vote.not-an-assessor")
    assert "0 base units" in refusal.value


def test_not_an_assessor__stake_gone_at_the_vote() -> None:
    case = claim(*staked(10, 20), procedure=(AT_VOTE,)).note(profiled(account(1), 0))
    refusal = case.vote(1, at=T0 + 1).then_refused("vote.not-an-assessor")
    assert refusal.accepted.endswith("when the round opened and has one when voting")


def test_weight_at_the_opening__stake_changed_since() -> None:
    case = claim(*staked(10, 20)).note(profiled(account(1), 500), profiled(account(2), 0))
    assert counted(case.vote(1, at=T0 + 1)).weight_minor == 10
    assert counted(case.vote(2, at=T0 + 1)).weight_minor == 20


def test_weight_at_the_vote__stake_changed_since() -> None:
    case = claim(*staked(10, 20), procedure=(AT_VOTE,)).note(profiled(account(1), 500))
    assert counted(case.vote(1, at=T0 + 1)).weight_minor == 500
    case.note(profiled(account(1), 1))
    assert counted(case.vote(2, at=T0 + 2)).accept_minor == 520


def test_cap_is_a_share_of_the_uncapped_eligible_stake() -> None:
    case = capped(2000)
    assert opened(case).cap_minor == 39  # 20 % of 199 is 39.8
    vote = counted(case.vote(1, at=T0 + 1))
    assert (vote.stake_minor, vote.weight_minor) == (100, 39)
    assert counted(case.vote(3, at=T0 + 1)).weight_minor == 39
    assert counted(case.vote(2, at=T0 + 1)).weight_minor == 39


def test_cap_is_taken_after_exclusions() -> None:
    weight = StakeWeight(kind="stake", at="opening", cap_bps=5000)
    case = claim(*staked(100, 10), profiled(CLAIMANT, 1_000), procedure=(ballot(weight=weight),))
    assert opened(case).cap_minor == 55


def test_cap_holds_for_stake_raised_before_the_vote() -> None:
    case = capped(2000, at="vote").note(profiled(account(3), 10**30))
    vote = counted(case.vote(3, at=T0 + 1))
    assert (vote.stake_minor, vote.weight_minor) == (10**30, 39)


def test_links_made_after_the_opening_leave_the_electorate() -> None:
    case = claim(*staked(10)).note(profiled(account(1), 10, CLAIMANT))
    assert counted(case.vote(1, at=T0 + 1)).weight_minor == 10
