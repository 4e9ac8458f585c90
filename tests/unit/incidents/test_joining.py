"""Which incident a report belongs to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.incidents import IncidentOpened, ReportJoined
from schemas.instants import SECOND
from schemas.outcomes import NextStep
from schemas.rulebook import Outcome
from tests.unit.incidents.examples import (
    HOUR,
    NOW,
    ProductSpecification,
    listed,
    noted,
    published,
    report,
    rulebook,
)

THEN = NOW - 24 * HOUR
FIRST_STAGE = NextStep(step="corroboration for incident lend/1 closes", due_at=NOW - 1000 + 2 * HOUR)


def test_first_report_opens_an_incident() -> None:
    content = report(THEN, evidence=("ab" * 32,))
    ProductSpecification().when(content, at=NOW, since=NOW - 1000, sender="watch").then(
        IncidentOpened(
            incident="lend/1",
            producer="watch",
            reference="r1",
            occurred_at=THEN,
            summary="drained",
            evidence=("ab" * 32,),
            next=FIRST_STAGE,
            product="lend",
            rulebook="house@1",
        )
    )


def test_second_report_joins() -> None:
    opened = ProductSpecification().when(report(THEN), at=NOW, since=NOW - 1000, sender="watch")
    content = report(THEN + HOUR, "r2", summary="gone", evidence=("cd" * 32,))
    opened.when(content, at=NOW + 1, sender="guard").then(
        ReportJoined(
            incident="lend/1",
            producer="guard",
            reference="r2",
            occurred_at=THEN + HOUR,
            summary="gone",
            evidence=("cd" * 32,),
            next=FIRST_STAGE,
        )
    )


@pytest.mark.parametrize("side", [-1, 1])
def test_join_window_is_inclusive(side: int) -> None:
    opened = ProductSpecification().report(THEN, "r1")
    opened.report(THEN + side * HOUR, "r2").then_joined(1)


@pytest.mark.parametrize("side", [-1, 1])
def test_join_window_is_inclusive__a_millisecond_outside(side: int) -> None:
    opened = ProductSpecification().report(THEN, "r1")
    opened.report(THEN + side * (HOUR + 1), "r2").then_opened(2)


def test_only_the_first_report_dates_an_incident() -> None:
    joined = ProductSpecification().report(THEN, "r1").report(THEN + HOUR, "r2")
    joined.report(THEN + 2 * HOUR, "r3").then_opened(2)


def between(distance: int) -> ProductSpecification:
    """Two incidents two hours apart, and a report `distance` after the first."""
    two = ProductSpecification().report(THEN, "r1").report(THEN + 2 * HOUR, "r2").then_opened(2)
    return two.report(THEN + distance, "r3")


def test_nearest_incident_is_joined__tie_goes_to_the_earlier_event() -> None:
    between(HOUR).then_joined(1)


def test_nearest_incident_is_joined__tie_with_the_earlier_event_reported_last() -> None:
    two = ProductSpecification().report(THEN + 2 * HOUR, "r1").report(THEN, "r2").then_opened(2)
    two.report(THEN + HOUR, "r3").then_joined(2)


def test_nearest_incident_is_joined__a_millisecond_nearer_to_the_later() -> None:
    between(HOUR + 1).then_joined(2)


def test_nearest_incident_is_joined__a_millisecond_nearer_to_the_earlier() -> None:
    between(HOUR - 1).then_joined(1)


def test_confirmed_incident_is_joined() -> None:
    ProductSpecification().report(THEN, "r1").rule("accept").report(THEN, "r2").then_joined(1)


@pytest.mark.parametrize("outcome", ["deny", "draw"])
def test_rejected_or_drawn_incident_is_not_joined(outcome: Outcome) -> None:
    opened = ProductSpecification().report(THEN, "r1").rule(outcome)
    opened.report(THEN, "r2").then_opened(2).report(THEN, "r3").then_joined(2)


def test_rejected_incident_is_not_joined__a_farther_one_is() -> None:
    two = ProductSpecification().report(THEN, "r1").report(THEN + 2 * HOUR, "r2").rule("deny")
    two.report(THEN + HOUR, "r3").then_joined(2)


def test_incidents_count_up_from_one() -> None:
    product = ProductSpecification()
    for number in range(1, 12):
        product.report(THEN - number * 2 * HOUR, f"r{number}").then_opened(number)


def test_incident_is_pinned_to_the_rulebook_of_its_opening() -> None:
    product = ProductSpecification().report(THEN, "r1")
    later = noted(product.facts, published(rulebook(2)), listed(rulebook="house@2"))
    product.with_facts(later).report(THEN - 2 * HOUR, "r2").then_opened(2)
    (opened,) = product.events
    assert isinstance(opened, IncidentOpened)
    assert opened.rulebook == "house@2"


@pytest.mark.parametrize(("join_window", "joins"), [(HOUR, True), (HOUR - 1000, False)])
def test_join_window_is_that_of_the_products_rulebook_of_now(join_window: int, joins: bool) -> None:
    product = ProductSpecification(rulebook(join_window=0)).report(THEN, "r1")
    later = noted(product.facts, published(rulebook(2, join_window=join_window)), listed(rulebook="house@2"))
    product.with_facts(later).report(THEN + HOUR, "r2")
    product.then_types("report.joined.v1" if joins else "incident.opened.v1")


reports = st.integers(0, 40)
rulings: st.SearchStrategy[tuple[Outcome, int]] = st.tuples(
    st.sampled_from(("accept", "deny", "draw")), st.integers(1, 6)
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(reports | rulings, max_size=25), st.integers(0, 6))
def test_report_joins_what_a_search_through_all_incidents_finds(
    inputs: list[int | tuple[Outcome, int]], window: int
) -> None:
    product = ProductSpecification(rulebook(join_window=window * SECOND))
    for position, seconds_or_ruling in enumerate(inputs):
        if isinstance(seconds_or_ruling, tuple):
            product.rule(*seconds_or_ruling)
            continue
        occurred_at = THEN + seconds_or_ruling * SECOND
        incidents = list(product.state.incidents.sorted_items())
        near = [
            (abs(incident.occurred_at - occurred_at), incident.occurred_at, number)
            for number, incident in incidents
            if incident.status in {"open", "confirmed"}
        ]
        distance, _, number = min(near, default=(window * SECOND + 1, 0, 0))
        product.report(occurred_at, f"r{position}")
        if distance <= window * SECOND:
            product.then_joined(number)
        else:
            product.then_opened(len(incidents) + 1)
