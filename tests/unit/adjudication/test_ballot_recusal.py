"""Stepping back from a case, before the vote."""

from schemas.adjudication import AssessorExcluded, AssessorRecused, BallotClosed, BallotOpened
from schemas.instants import DAY
from schemas.outcomes import NextStep
from schemas.rulebook import EarlyClose, Quorum
from services.adjudication.decider import CaseDecider
from services.adjudication.facts import Facts
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import (
    AT_VOTE,
    CLAIM,
    HOUR,
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    cooldown,
    counted,
    profiled,
    staked,
)

EARLY = ballot(early_close=EarlyClose(when="all-voted", after=12 * HOUR))


def test_recusal_takes_the_assessor_out_of_the_electorate() -> None:
    case = claim(*staked(10, 20, 30)).recuse(2, at=T0 + 5, reason="a friend")
    case.then(
        AssessorRecused(
            round=1,
            assessor=account(2),
            reason="a friend",
            eligible_stake_minor=40,
            eligible_heads=2,
            next=NextStep(step="ballot closes", due_at=T0 + 3 * DAY),
        )
    )
    refusal = case.vote(2, at=T0 + 6).then_refused("vote.excluded")
    assert refusal.value == f"{account(2)} stepped back"
    assert counted(case.vote(1, at=T0 + 6)).accept_minor == 10


def test_recusal__quorum_is_of_those_who_are_left() -> None:
    rules = ballot(quorum=Quorum(of="eligible-stake", share_bps=5_000, comparison="at-least"))
    case = claim(*staked(10, 20, 30), procedure=(rules,)).recuse(3, at=T0 + 1).vote(2, at=T0 + 2).fire()
    closed = case.events[0]
    assert isinstance(closed, BallotClosed)
    assert (closed.rule, closed.eligible_stake_minor, closed.eligible_heads) == ("agreement", 30, 2)


def test_recusal__stake_of_the_opening_is_taken_out() -> None:
    case = claim(*staked(10, 20), procedure=(AT_VOTE,)).note(profiled(account(2), 500)).recuse(2, at=T0 + 1)
    event = case.events[0]
    assert isinstance(event, AssessorRecused)
    assert event.eligible_stake_minor == 10


def test_recusal__twice() -> None:
    refusal = claim(*staked(10, 20)).recuse(1, at=T0 + 1).recuse(1, at=T0 + 2).then_refused("recusal.excluded")
    assert refusal.value.endswith("stepped back")


def test_recusal__excluded() -> None:
    claim(*staked(10)).recuse(999, at=T0 + 1).then_refused("recusal.excluded")


def test_recusal__not_an_assessor() -> None:
    claim(*staked(10, 0)).recuse(2, at=T0 + 1).then_refused("recusal.not-an-assessor")


def test_recusal__voted() -> None:
    refusal = claim(*staked(10, 20)).vote(1, "deny", at=T0 + 1).recuse(1, at=T0 + 2)
    assert "voted deny" in refusal.then_refused("recusal.already-voted").value


def test_recusal__case_unknown() -> None:
    case = CaseSpecification(CaseDecider(), facts=Facts(), key=f"case/{CLAIM}")
    assert case.recuse(1, at=T0).then_refused("recusal.case-unknown").unknown


def test_recusal__case_over_or_in_another_stage() -> None:
    case = claim(*staked(10), procedure=(ballot(), cooldown(), ballot())).fire()
    refusal = case.recuse(1, at=T0 + 3 * DAY).then_refused("recusal.no-open-round")
    assert refusal.accepted == "a recusal in the ballot that follows"
    case.fire().fire().recuse(1, at=T0 + 9 * DAY).then_refused("recusal.no-open-round")


def test_recusal_holds_for_later_rounds() -> None:
    case = claim(*staked(10, 20), procedure=(ballot(), ballot())).recuse(1, at=T0 + 1).fire()
    opened, *excluded = case.events[1:]
    assert isinstance(opened, BallotOpened)
    assert (opened.eligible_stake_minor, opened.eligible_heads) == (20, 1)
    assert excluded[0] == AssessorExcluded(round=2, assessor=account(1), reason="stepped back in round 1")
    case.vote(1, at=T0 + 3 * DAY + 1).then_refused("vote.excluded")
    case.recuse(2, at=T0 + 3 * DAY + 1).then_types("assessor.recused.v1")


def test_recusal__everybody_else_voted() -> None:
    case = claim(*staked(10, 20), procedure=(EARLY,)).vote(1, at=T0 + 1)
    case.recuse(2, at=T0 + 13 * HOUR).then_types(
        "assessor.recused.v1", "ballot.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1"
    )
    closed = case.events[1]
    assert isinstance(closed, BallotClosed)
    assert (closed.early, closed.eligible_heads, closed.heads) == (True, 1, 1)


def test_recusal__everybody_else_voted_but_it_is_early() -> None:
    case = claim(*staked(10, 20), procedure=(EARLY,)).vote(1, at=T0 + 1).recuse(2, at=T0 + 2)
    case.then_types("assessor.recused.v1")
    assert case.deadlines() == [Deadline("stage.0.closes", T0 + 12 * HOUR)]


def test_recusal__nobody_is_left() -> None:
    case = claim(*staked(10), procedure=(EARLY,)).recuse(1, at=T0 + 13 * HOUR)
    case.then_types("assessor.recused.v1", "ballot.closed.v1", "case.ruled.v1")
    assert case.state.outcome == "deny"
