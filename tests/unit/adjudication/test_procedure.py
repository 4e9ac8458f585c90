"""How a case walks its procedure."""

from schemas.adjudication import BallotOpened, CaseRuled, CooldownClosed, CooldownOpened
from schemas.instants import DAY
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import (
    INCIDENT,
    T0,
    ballot,
    claim,
    cooldown,
    corroboration,
    incident,
    report,
    staked,
)


def test_next_stage_opens_in_the_decision_that_ends_one() -> None:
    case = claim(*staked(10), procedure=(ballot(), cooldown())).vote(1, at=T0 + 1).fire()
    case.then_types("ballot.closed.v1", "cooldown.opened.v1")
    assert case.deadlines() == [Deadline("stage.1.closes", T0 + 4 * DAY)]
    case.fire().then_types("cooldown.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1")
    assert case.events[:2] == (
        CooldownClosed(stage=1),
        CaseRuled(case="claim/C-1/1", subject="claim", outcome="accept", amount_minor=1_000),
    )
    assert case.deadlines() == []


def test_cooldown_after_a_denial() -> None:
    case = claim(*staked(10), procedure=(ballot(), cooldown())).vote(1, "deny", at=T0 + 1).fire()
    case.fire().then_types("cooldown.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1")
    assert case.state.outcome == "deny"


def test_cooldown_after_a_draw() -> None:
    case = claim(*staked(5, 5), procedure=(ballot(), cooldown()))
    case.vote(1, at=T0 + 1).vote(2, "deny", at=T0 + 1).fire().fire()
    assert case.state.outcome == "draw"


def test_cooldown__corroborated() -> None:
    case = incident(procedure=(corroboration(), cooldown()))
    case.when(report("oracle"), at=T0 + 7, since=T0 + 5)
    case.then_types("report.counted.v1", "corroboration.closed.v1", "cooldown.opened.v1")
    assert case.events[-1] == CooldownOpened(stage=1, outcome="accept", closes_at=T0 + 5 + DAY)


def test_cooldown_is_left_out__corroboration_unmet() -> None:
    case = incident(procedure=(corroboration(), cooldown())).fire()
    case.then_types("corroboration.closed.v1", "case.ruled.v1")
    assert case.events[-1] == CaseRuled(case=INCIDENT, subject="incident", outcome="deny", amount_minor=0)


def test_ballot_decides_anew__corroboration_unmet() -> None:
    case = incident(*staked(10), procedure=(corroboration(), cooldown(), ballot(), cooldown())).fire()
    case.then_types("corroboration.closed.v1", "ballot.opened.v1")
    case.vote(1, at=T0 + DAY).fire().then_types("ballot.closed.v1", "cooldown.opened.v1")
    case.fire().then_types("cooldown.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1")
    assert case.state.outcome == "accept"


def test_last_stage_that_decided_gives_the_outcome() -> None:
    case = incident(*staked(10), procedure=(corroboration(), ballot()))
    case.when(report("oracle"), at=T0 + 1).vote(1, "deny", at=T0 + 2).fire()
    assert case.state.outcome == "deny"


def test_second_ballot_is_round_two() -> None:
    case = claim(*staked(10), procedure=(ballot(), cooldown(), ballot(window=DAY))).fire().fire()
    opened = case.events[1]
    assert isinstance(opened, BallotOpened)
    assert (opened.stage, opened.round, opened.closes_at) == (2, 2, T0 + 5 * DAY)
    case.vote(1, at=T0 + 4 * DAY).fire().then_types(
        "ballot.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1"
    )
    assert case.state.outcome == "accept"


def test_stages_of_no_length_end_one_by_one() -> None:
    case = claim(procedure=(ballot(window=0), cooldown(0), cooldown(0)))
    first, second, third = case.fire(), case.deadlines(), case.fire().deadlines()
    assert first is case
    assert second == [Deadline("stage.1.closes", T0)]
    assert third == [Deadline("stage.2.closes", T0)]
    case.fire().then_types("cooldown.closed.v1", "case.ruled.v1")


def test_stale_deadline__another_stage_is_open() -> None:
    case = claim(procedure=(ballot(), cooldown()))
    stale = case.deadlines()[0]
    case.fire().when(stale, at=T0 + 3 * DAY).then_nothing()


def test_next_window_runs_from_a_late_closing() -> None:
    case = claim(procedure=(ballot(), cooldown())).fire(late=DAY)
    assert case.deadlines() == [Deadline("stage.1.closes", T0 + 5 * DAY)]
