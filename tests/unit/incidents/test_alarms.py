"""Which reports are credible, and what they raise."""

import pytest
from pydantic import ValidationError

from schemas.incidents import IncidentAlarmed
from schemas.rulebook import Rulebook
from tests.unit.incidents.examples import (
    BALLOT,
    CORROBORATION,
    HOUR,
    NOW,
    ProductSpecification,
    listed,
    noted,
    published,
    report,
    rulebook,
)

ALARM = 72 * HOUR
OPENED, JOINED, ALARMED = "incident.opened.v1", "report.joined.v1", "incident.alarmed.v1"


def weighing(version: int = 1, *, alarm: int | None = ALARM, default_weight: int = 1, **weights: int) -> Rulebook:
    first = CORROBORATION.model_copy(update={"weights": weights, "default_weight": default_weight})
    return rulebook(version, first=first, alarm=alarm)


def product(book: Rulebook | None = None, alarm_weight: int | None = 3) -> ProductSpecification:
    return ProductSpecification(book or weighing(guard=3, watch=2), listed(pool="main", alarm_weight=alarm_weight))


def raised(number: int = 1, *, producer: str = "guard", weight: int = 3, until: int = NOW + ALARM) -> IncidentAlarmed:
    return IncidentAlarmed(incident=f"lend/{number}", product="lend", producer=producer, weight=weight, until=until)


def test_credible_report_alarms__opening() -> None:
    opened = product().report(NOW, "r1", sender="guard").then_types(OPENED, ALARMED)
    assert opened.events[1] == raised()


def test_credible_report_alarms__joining() -> None:
    joined = product().report(NOW, "r1").then_types(OPENED).report(NOW, "r2", at=NOW + HOUR, sender="guard")
    joined.then_types(JOINED, ALARMED)
    assert joined.events[1] == raised(until=NOW + HOUR + ALARM)


def test_alarm_runs_from_when_its_cause_was_decided() -> None:
    opened = product().when(report(NOW), at=NOW + HOUR, since=NOW, sender="guard")
    assert opened.events[1] == raised(until=NOW + ALARM)


@pytest.mark.parametrize(("weight", "wires"), [(2, (OPENED,)), (3, (OPENED, ALARMED)), (4, (OPENED, ALARMED))])
def test_level_is_reached_not_exceeded(weight: int, wires: tuple[str, ...]) -> None:
    product(weighing(guard=weight)).report(NOW, "r1", sender="guard").then_types(*wires)


def test_weights_do_not_add_up() -> None:
    product().report(NOW, "r1").report(NOW, "r2", sender="other").then_types(JOINED)


def test_unlisted_producer_has_the_default_weight() -> None:
    opened = product(weighing(default_weight=3, guard=1)).report(NOW, "r1", sender="anybody")
    assert opened.events[1] == raised(producer="anybody")


def test_incident_alarms_once() -> None:
    alarmed = product().report(NOW, "r1", sender="guard")
    alarmed.report(NOW, "r2", sender="guard").then_types(JOINED)


def test_incident_alarms_once__each_incident() -> None:
    alarmed = product().report(NOW, "r1", sender="guard")
    again = alarmed.report(NOW - 5 * HOUR, "r2", sender="guard").then_types(OPENED, ALARMED)
    assert again.events[1] == raised(2)


def test_confirmed_incident_alarms_no_more() -> None:
    product().report(NOW, "r1").rule("accept").report(NOW, "r2", sender="guard").then_types(JOINED)


def test_product_without_level_never_alarms() -> None:
    product(alarm_weight=None).report(NOW, "r1", sender="guard").then_types(OPENED)


def test_rulebook_without_alarm_never_alarms() -> None:
    product(weighing(alarm=None, guard=3)).report(NOW, "r1", sender="guard").then_types(OPENED)


def test_rulebook_without_corroboration_has_no_alarm() -> None:
    with pytest.raises(ValidationError, match=r"incident\.alarm: a report is credible by its weight"):
        product(rulebook(first=BALLOT, alarm=ALARM))


def test_level_is_the_products_of_now() -> None:
    opened = product().report(NOW, "r1").then_types(OPENED)
    lower = noted(opened.facts, listed(pool="main", alarm_weight=2))
    opened.with_facts(lower).report(NOW, "r2").then_types(JOINED, ALARMED)


def test_weights_are_those_of_the_incidents_rulebook() -> None:
    opened = product().report(NOW, "r1").then_types(OPENED)
    later = noted(
        opened.facts,
        published(weighing(2, other=3, guard=1)),
        listed(rulebook="house@2", pool="main", alarm_weight=3),
    )
    opened.with_facts(later).report(NOW, "r2", sender="other").then_types(JOINED)
    opened.report(NOW, "r3", sender="guard").then_types(JOINED, ALARMED)
    opened.report(NOW - 5 * HOUR, "r4", sender="other").then_types(OPENED, ALARMED)


def test_refused_report_alarms_nobody() -> None:
    product().report(NOW + 1, "r1", sender="guard").then_refused("report.in-future")
