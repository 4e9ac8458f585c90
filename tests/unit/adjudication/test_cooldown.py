from schemas.adjudication import CooldownOpened
from schemas.instants import DAY
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import T0, ballot, claim, cooldown


def test_cooldown_holds_the_outcome() -> None:
    case = claim(procedure=(ballot(empty="draw"), cooldown(2 * DAY))).fire()
    assert case.events[1] == CooldownOpened(stage=1, outcome="draw", closes_at=T0 + 5 * DAY)


def test_cooldown_closes_by_its_deadline() -> None:
    case = claim(procedure=(ballot(), cooldown())).fire()
    assert case.deadlines() == [Deadline("stage.1.closes", T0 + 4 * DAY)]
    case.fire().then_types("cooldown.closed.v1", "case.ruled.v1")
    assert case.deadlines() == []


def test_late_cooldown__outage() -> None:
    case = claim(procedure=(ballot(), cooldown())).fire().fire(late=DAY)
    case.then_types("cooldown.closed.v1", "case.ruled.v1")
