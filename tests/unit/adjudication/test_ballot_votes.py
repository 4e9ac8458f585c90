"""One vote each: when, how often, on what grounds."""

import pytest

from schemas.adjudication import BallotClosed, VoteCounted
from schemas.instants import DAY
from schemas.outcomes import NextStep
from schemas.rulebook import EarlyClose
from services.adjudication.index import LOCKS_MAX
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import (
    AT_VOTE,
    HOUR,
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    counted,
    profiled,
    recorded,
    staked,
)

END = T0 + 3 * DAY
REPLACES = ballot(revote="replaces")
EARLY = ballot(early_close=EarlyClose(when="all-voted", after=12 * HOUR))


def ballot_closed(case: CaseSpecification) -> BallotClosed:
    return next(event for event in case.events if isinstance(event, BallotClosed))


def test_vote__at_the_opening() -> None:
    counted(claim(*staked(10)).vote(1, at=T0))


def test_vote__last_millisecond() -> None:
    counted(claim(*staked(10)).vote(1, at=END - 1))


def test_vote__after_the_closing() -> None:
    refusal = claim(*staked(10)).fire().vote(1, at=END).then_refused("vote.no-open-round")
    assert refusal.accepted


def test_vote__at_an_inclusive_end() -> None:
    case = claim(*staked(10), procedure=(ballot(end_inclusive=True),))
    assert case.deadlines() == [Deadline("stage.0.closes", END + 1)]
    counted(case.vote(1, at=END))


def test_vote__while_the_closing_is_overdue() -> None:
    """A round is open until its closing is in the log: an outage eats nobody's window."""
    case = claim(*staked(10, 10)).vote(1, at=END + DAY)
    counted(case)
    assert case.deadlines() == [Deadline("stage.0.closes", END)]
    assert ballot_closed(case.fire(late=2 * DAY)).heads == 1


def test_late_closing_counts_all_that_was_decided() -> None:
    case = claim(*staked(10, 20)).vote(1, at=T0 + 1).vote(2, at=END - 1).fire(late=DAY)
    closed = ballot_closed(case)
    assert (closed.accept_minor, closed.heads, closed.early) == (30, 2, False)
    case.then_types("ballot.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1")


def test_second_vote__refused() -> None:
    case = claim(*staked(10)).vote(1, at=T0 + 1)
    refusal = case.vote(1, "deny", at=T0 + 2).then_refused("vote.already-voted")
    assert refusal.value == f"{account(1)} voted accept with 10 base units in round 1"
    assert ballot_closed(case.fire()).accept_minor == 10


def test_second_vote__replaces() -> None:
    case = claim(*staked(10, 5), procedure=(REPLACES,)).vote(1, at=T0 + 1).vote(2, at=T0 + 2)
    vote = counted(case.vote(1, "deny", at=T0 + 3))
    assert (vote.replaces, vote.accept_minor, vote.deny_minor) == (True, 5, 10)
    vote = counted(case.vote(1, at=T0 + 4))
    assert (vote.replaces, vote.accept_minor, vote.deny_minor) == (True, 15, 0)
    closed = ballot_closed(case.fire())
    assert (closed.accept_minor, closed.deny_minor, closed.heads) == (15, 0, 2)


@pytest.mark.parametrize(("clause", "rationale"), [("1.3", ""), ("1.2", "seen the logs")])
def test_second_vote__replaces_with_other_grounds(clause: str, rationale: str) -> None:
    case = claim(*staked(10), procedure=(REPLACES,)).vote(1, at=T0 + 1, clause="1.2")
    vote = counted(case.vote(1, at=T0 + 2, clause=clause, rationale=rationale))
    assert (vote.replaces, vote.accept_minor) == (True, 10)


def test_second_vote__the_same() -> None:
    case = claim(*staked(10), procedure=(REPLACES,)).vote(1, at=T0 + 1, clause="1.2")
    case.vote(1, at=T0 + 2, clause="1.2").then_refused("vote.already-voted")


def test_second_vote__the_same_with_another_stake() -> None:
    case = claim(*staked(10), procedure=(REPLACES.model_copy(update={"weight": AT_VOTE.weight}),))
    case.vote(1, at=T0 + 1).note(profiled(account(1), 25))
    vote = counted(case.vote(1, at=T0 + 2))
    assert (vote.weight_minor, vote.accept_minor) == (25, 25)


@pytest.mark.parametrize("clause", ["", "  "])
def test_clause_missing(clause: str) -> None:
    case = claim(*staked(10), procedure=(ballot(clause_required=True),))
    case.vote(1, at=T0 + 1, clause=clause).then_refused("vote.clause-missing")
    counted(case.vote(1, at=T0 + 2, clause="3"))


def test_vote__next_round_of_the_case() -> None:
    case = claim(*staked(10), procedure=(ballot(), ballot(window=DAY))).vote(1, at=T0 + 1).fire()
    assert counted(case.vote(1, "deny", at=END)).round == 2


def test_early_close__in_the_decision_of_the_last_vote() -> None:
    case = claim(*staked(10, 20), procedure=(EARLY,)).vote(1, at=T0 + 1)
    case.vote(2, "deny", at=T0 + 12 * HOUR).then_types(
        "vote.counted.v1", "ballot.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1"
    )
    assert ballot_closed(case).early


def test_early_close__last_vote_says_that_it_closes_now() -> None:
    case = claim(*staked(10), procedure=(EARLY,)).vote(1, at=T0 + 13 * HOUR)
    assert counted(case).next == NextStep(step="ballot closes", due_at=T0 + 13 * HOUR)


def test_early_close__one_of_two_voted_twice() -> None:
    rules = EARLY.model_copy(update={"revote": "replaces"})
    case = claim(*staked(10, 20), procedure=(rules,)).vote(1, at=T0 + 1)
    vote = counted(case.vote(1, "deny", at=T0 + 13 * HOUR).then_types("vote.counted.v1"))
    assert vote.next == NextStep(step="ballot closes", due_at=END)


def test_early_close__by_a_deadline_when_all_voted_before() -> None:
    case = claim(*staked(10, 20), procedure=(EARLY,)).vote(1, at=T0 + 1)
    assert case.deadlines() == [Deadline("stage.0.closes", END)]
    vote = counted(case.vote(2, at=T0 + 12 * HOUR - 1).then_types("vote.counted.v1"))
    assert vote.next is not None
    assert vote.next.due_at == T0 + 12 * HOUR
    assert case.deadlines() == [Deadline("stage.0.closes", T0 + 12 * HOUR)]
    assert ballot_closed(case.fire()).early


def test_early_close__not_everybody_voted() -> None:
    case = claim(*staked(10, 20), procedure=(EARLY,)).vote(1, at=T0 + 2 * DAY)
    case.then_types("vote.counted.v1")
    assert not ballot_closed(case.fire()).early


def test_early_close__those_without_stake_or_excluded_are_not_waited_for() -> None:
    case = claim(*staked(10, 0), profiled(account(999), 5), procedure=(EARLY,))
    assert ballot_closed(case.vote(1, at=T0 + DAY)).early


def test_early_close__nobody_is_eligible() -> None:
    case = claim(procedure=(EARLY,))
    assert case.deadlines() == [Deadline("stage.0.closes", T0 + 12 * HOUR)]
    closed = ballot_closed(case.fire())
    assert (closed.early, closed.rule) == (True, "empty")


def test_early_close__after_the_window() -> None:
    case = claim(*staked(10), procedure=(ballot(early_close=EarlyClose(when="all-voted", after=9 * DAY)),))
    case.vote(1, at=T0 + 1)
    assert case.deadlines() == [Deadline("stage.0.closes", END)]
    assert not ballot_closed(case.fire()).early


def test_early_close__replaced_while_the_closing_is_overdue() -> None:
    rules = EARLY.model_copy(update={"revote": "replaces"})
    case = claim(*staked(10), procedure=(rules,)).vote(1, at=T0 + 1)
    case.vote(1, "deny", at=T0 + 12 * HOUR).then_types("vote.counted.v1")
    assert case.fire(late=DAY).state.outcome == "deny"


def test_early_close__vote_replaced_in_time() -> None:
    rules = EARLY.model_copy(update={"revote": "replaces"})
    case = claim(*staked(10), procedure=(rules,)).vote(1, at=T0 + 1).vote(1, "deny", at=T0 + 2)
    assert isinstance(case.events[0], VoteCounted)
    assert case.fire().state.outcome == "deny"


def test_vote__too_many_wait_to_be_settled() -> None:
    case = claim(*staked(10, 20), procedure=(ballot(revote="replaces"),)).vote(1, at=T0)
    vote = counted(case)
    for number in range(1, LOCKS_MAX):
        case.facts = recorded(case.facts, f"case/claim/D-{number}/1", vote)
    counted(case.vote(1, "deny", at=T0 + 1))
    case.facts = recorded(case.facts, "case/claim/E-1/1", vote.model_copy(update={"assessor": account(2)}))
    counted(case.vote(2, at=T0 + 1))
    other = claim(*staked(10)).with_facts(case.facts)
    other.vote(1, at=T0 + 2).then_refused("vote.too-many-unsettled")
