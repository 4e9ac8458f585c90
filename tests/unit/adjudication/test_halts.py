"""A halt of the product: nobody votes, and every window ends later by as long as it lasts."""

import pytest

from schemas.adjudication import BallotClosed, CaseHalted, CooldownOpened
from schemas.instants import DAY, format_instant
from schemas.rulebook import EarlyClose
from services.adjudication.facts import audience
from services.adjudication.service import SERVICE
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import (
    CLAIM,
    HOUR,
    INCIDENT,
    PRODUCT,
    T0,
    CaseSpecification,
    account,
    ballot,
    cast,
    claim,
    cooldown,
    corroboration,
    counted,
    halted,
    incident,
    profiled,
    reopened,
    report,
    staked,
)

END = T0 + 3 * DAY
FROM, UNTIL = T0 + DAY, T0 + 2 * DAY
EARLY = ballot(early_close=EarlyClose(when="all-voted", after=12 * HOUR))


def case(*procedure: object) -> CaseSpecification:
    return claim(*staked(10, 20), procedure=tuple(procedure) or (ballot(),), product=PRODUCT)  # type: ignore[arg-type]


def test_halt_moves_the_end_of_the_window() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5)
    halting.then(CaseHalted(effective_at=FROM, until=UNTIL, closes_at=END + DAY))
    assert halting.deadlines() == [Deadline("stage.0.closes", END + DAY)]
    assert counted(halting.vote(1, at=END + DAY - 1)).weight_minor == 10


@pytest.mark.parametrize("at", [FROM, UNTIL - 1])
def test_vote__while_halted(at: int) -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5)
    refusal = halting.vote(1, at=at).then_refused("case.halted")
    assert (refusal.not_before, refusal.unknown) == (UNTIL, False)
    assert format_instant(UNTIL) in refusal.value
    halting.recuse(1, at=at).then_refused("case.halted")


def test_vote__while_halted_after_the_end_of_a_window_that_is_still_open() -> None:
    overdue = case().hear(halted(END + HOUR, END + 2 * HOUR), at=END - 5)
    overdue.vote(1, at=END + HOUR).then_refused("case.halted")
    counted(overdue.vote(1, at=END + 2 * HOUR))


@pytest.mark.parametrize("at", [FROM - 1, UNTIL])
def test_vote__around_the_halt(at: int) -> None:
    counted(case().hear(halted(FROM, UNTIL), at=T0 + 5).vote(1, at=at))
    case().hear(halted(FROM, UNTIL), at=T0 + 5).recuse(1, at=at).then_types("assessor.recused.v1")


def test_halt__heard_after_it_began() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=FROM + HOUR)
    halting.then(CaseHalted(effective_at=FROM, until=UNTIL, closes_at=END + DAY - HOUR))


def test_halt__heard_when_it_is_over() -> None:
    case().hear(halted(FROM, UNTIL), at=UNTIL).then_nothing()


def test_halt__begins_when_the_window_is_over() -> None:
    case().hear(halted(END, END + DAY), at=T0 + 5).then_nothing()
    case().hear(halted(END - 1, END + DAY), at=T0 + 5).then_types("case.halted.v1")


def test_halt__heard_twice() -> None:
    case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(halted(FROM, UNTIL), at=T0 + 6).then_nothing()


def test_second_halt_moves_the_end_again() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(halted(UNTIL + HOUR, UNTIL + 2 * HOUR), at=UNTIL)
    halting.then(CaseHalted(effective_at=UNTIL + HOUR, until=UNTIL + 2 * HOUR, closes_at=END + DAY + HOUR))


def test_early_end_moves_the_end_back() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(reopened(FROM, FROM + HOUR), at=FROM + HOUR)
    halting.then(CaseHalted(effective_at=FROM, until=FROM + HOUR, closes_at=END + HOUR))
    assert counted(halting.vote(1, at=FROM + HOUR)).weight_minor == 10
    halting.hear(reopened(FROM, FROM + HOUR), at=FROM + 2 * HOUR).then_nothing()
    assert halting.deadlines() == [Deadline("stage.0.closes", END + HOUR)]


def test_early_end__before_the_halt_began() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(reopened(FROM, FROM), at=T0 + 6)
    halting.then(CaseHalted(effective_at=FROM, until=FROM, closes_at=END))
    counted(halting.vote(1, at=FROM))


def test_early_end__heard_late() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(reopened(FROM, FROM + HOUR), at=FROM + 3 * HOUR)
    halting.then(CaseHalted(effective_at=FROM, until=FROM + 3 * HOUR, closes_at=END + 3 * HOUR))


def test_early_end__in_time_by_the_instant_durations_run_from() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5)
    halting.hear(reopened(FROM, FROM + HOUR), at=FROM + HOUR + 30, since=FROM + HOUR)
    halting.then(CaseHalted(effective_at=FROM, until=FROM + HOUR, closes_at=END + HOUR))


def test_early_end__heard_when_the_halt_is_over_anyway() -> None:
    case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(reopened(FROM, FROM + HOUR), at=UNTIL).then_nothing()


def test_early_end__of_a_halt_that_moved_nothing() -> None:
    halting = case().hear(halted(END, END + DAY), at=T0 + 5).hear(reopened(END, END + 1), at=END + 1).then_nothing()
    halting.hear(reopened(FROM, FROM + 1), at=END + 1).then_nothing()


def test_early_close_moves_too() -> None:
    halting = case(EARLY).hear(halted(T0 + HOUR, T0 + 7 * HOUR), at=T0 + 5).vote(1, at=T0 + 8 * HOUR)
    assert halting.vote(2, at=T0 + 9 * HOUR).deadlines() == [Deadline("stage.0.closes", T0 + 18 * HOUR)]
    closed = halting.fire().events[0]
    assert isinstance(closed, BallotClosed)
    assert closed.early


def test_early_close__past_before_the_halt_does_not_move() -> None:
    halting = case(EARLY).hear(halted(FROM, UNTIL), at=T0 + 5).vote(1, at=UNTIL)
    halting.vote(2, at=UNTIL + 1)
    assert isinstance(halting.events[1], BallotClosed)
    halting = case(EARLY).hear(halted(FROM, UNTIL), at=T0 + 5).hear(reopened(FROM, FROM + HOUR), at=FROM + HOUR)
    assert halting.state.stage.opened.closes_early_at == T0 + 12 * HOUR


def test_halt__in_the_cooldown() -> None:
    halting = case(ballot(), cooldown()).fire().hear(halted(END + HOUR, END + 2 * HOUR), at=END + 1)
    halting.then(CaseHalted(effective_at=END + HOUR, until=END + 2 * HOUR, closes_at=END + DAY + HOUR))
    refusal = halting.vote(1, at=END + HOUR).then_refused("vote.no-open-round")
    assert f"ballot ended at {format_instant(END)}, is in its cooldown" in refusal.value
    halting.fire().then_types("cooldown.closed.v1", "case.ruled.v1")


def test_halt__in_the_corroboration_reports_count_on() -> None:
    halting = incident(procedure=(corroboration(),), product=PRODUCT).hear(halted(T0 + HOUR, T0 + 2 * HOUR), at=T0)
    halting.then(CaseHalted(effective_at=T0 + HOUR, until=T0 + 2 * HOUR, closes_at=T0 + DAY + HOUR))
    halting.when(report("oracle"), at=T0 + HOUR).then_types(
        "report.counted.v1", "corroboration.closed.v1", "case.ruled.v1"
    )


def test_stage_that_opens_during_a_halt_ends_later() -> None:
    halting = incident(*staked(10), procedure=(corroboration(), ballot()), product=PRODUCT)
    halting.hear(halted(T0 + HOUR, T0 + 4 * HOUR), at=T0).when(report("oracle"), at=T0 + 2 * HOUR)
    assert halting.events[-1] == CaseHalted(
        effective_at=T0 + HOUR, until=T0 + 4 * HOUR, closes_at=T0 + 2 * HOUR + 3 * DAY + 2 * HOUR
    )
    halting.vote(1, at=T0 + 3 * HOUR).then_refused("case.halted")
    halting.hear(reopened(T0 + HOUR, T0 + 3 * HOUR), at=T0 + 3 * HOUR)
    assert halting.deadlines() == [Deadline("stage.1.closes", T0 + 3 * DAY + 3 * HOUR)]


def test_stage_that_opens_after_a_halt_was_announced_ends_later() -> None:
    halting = case(ballot(), cooldown()).hear(halted(END + HOUR, END + 3 * HOUR), at=END - 1).then_nothing()
    halting.fire()
    assert halting.events[-1] == CaseHalted(
        effective_at=END + HOUR, until=END + 3 * HOUR, closes_at=END + DAY + 2 * HOUR
    )
    assert isinstance(halting.events[-2], CooldownOpened)
    assert halting.events[-2].closes_at == END + DAY


def test_stage_that_opens_after_a_halt_is_as_long_as_ever() -> None:
    halting = case(ballot(), cooldown()).hear(halted(FROM, UNTIL), at=T0 + 1).fire()
    assert halting.deadlines() == [Deadline("stage.1.closes", END + 2 * DAY)]
    halting.vote(1, at=END + DAY + 1).then_refused("vote.no-open-round")


def test_case_that_opens_while_its_product_is_halted() -> None:
    opened = claim(*staked(10), halted(T0 - HOUR, T0 + HOUR), product=PRODUCT)
    opened.then_types("case.opened.v1", "ballot.opened.v1", "assessor.excluded.v1", "case.halted.v1")
    assert opened.deadlines() == [Deadline("stage.0.closes", END + HOUR)]
    opened.vote(1, at=T0 + HOUR - 1).then_refused("case.halted")


def test_case_of_another_product_or_none() -> None:
    for product in ("amm", None):
        opened = claim(*staked(10), halted(T0 - HOUR, T0 + HOUR), product=product)
        opened.then_types("case.opened.v1", "ballot.opened.v1", "assessor.excluded.v1")


def test_audience_is_the_open_cases_of_the_product() -> None:
    assert SERVICE.audience is audience
    opened = case()
    assert audience(opened.facts, halted(FROM, UNTIL)) == [f"case/{CLAIM}"]
    assert audience(opened.facts, reopened(FROM, UNTIL)) == [f"case/{CLAIM}"]
    assert audience(opened.facts, halted(FROM, UNTIL, "amm")) == []
    assert audience(opened.facts, profiled(account(1), 1)) == ()
    assert audience(opened.fire().facts, halted(FROM, UNTIL)) == []


def test_halt__case_over_or_unknown() -> None:
    case().fire().hear(halted(END, END + DAY), at=END).then_nothing()
    case().fire().hear(reopened(END, END + DAY), at=END).then_nothing()


def test_input_of_another_kind_leaves_a_halted_case_alone() -> None:
    halting = incident(procedure=(corroboration(),), product=PRODUCT).hear(halted(T0, T0 + HOUR), at=T0)
    halting.when(cast(1, case=INCIDENT), at=T0 + 1).then_refused("vote.no-open-round")


def test_second_halt__the_first_was_called_off_before_it_began() -> None:
    halting = case().hear(halted(FROM, UNTIL), at=T0 + 5).hear(reopened(FROM, FROM), at=T0 + 6)
    halting.hear(halted(FROM - HOUR, FROM), at=T0 + 7)
    halting.then(CaseHalted(effective_at=FROM - HOUR, until=FROM, closes_at=END + HOUR))
