"""Which reports are refused."""

import pytest

from schemas.instants import DAY
from schemas.rulebook import Outcome
from services.incidents.facts import Facts, IncidentFacts
from tests.unit.incidents.examples import (
    HOUR,
    NOW,
    ProductSpecification,
    listed,
    noted,
    published,
    rulebook,
)

WEEK = 7 * DAY


def knowing(*products: str) -> Facts:
    return noted(IncidentFacts().initial(), published(rulebook()), *(listed(product) for product in products))


@pytest.mark.parametrize("products", [(), ("swap",)])
def test_product_is_listed__refused(products: tuple[str, ...]) -> None:
    product = ProductSpecification().with_facts(knowing(*products)).report(NOW, "r1")
    refusal = product.then_refused("report.product-unknown")
    assert (refusal.value, refusal.unknown) == ("product lend", True)


def test_product_is_listed__only_now() -> None:
    product = ProductSpecification().with_facts(knowing()).report(NOW, "r1")
    product.with_facts(knowing("lend")).report(NOW, "r1").then_opened(1)


def test_unknown_product_is_not_the_only_reason__in_the_future_too() -> None:
    product = ProductSpecification().with_facts(knowing()).report(NOW + 1, "r1")
    assert not product.then_refused("report.in-future").unknown


def test_event_lies_before_its_report__at_the_same_instant() -> None:
    ProductSpecification().report(NOW, "r1").then_opened(1)


def test_event_lies_before_its_report__a_millisecond_later() -> None:
    refusal = ProductSpecification().report(NOW + 1, "r1").then_refused("report.in-future")
    assert refusal.value == "occurred_at 2026-03-01T12:00:00.001Z"
    assert refusal.accepted == "occurred_at 2026-03-01T12:00:00.000Z, when the report arrived, or earlier"
    assert (refusal.not_before, refusal.unknown) == (NOW + 1, False)


def test_refused_future_report_is_accepted_at_the_instant_it_names() -> None:
    early = ProductSpecification().report(NOW + 1, "r1")
    not_before = early.then_refused("report.in-future").not_before
    assert not_before is not None
    early.report(NOW + 1, "r1", at=not_before).then_opened(1)


def test_report_is_in_time__inclusive() -> None:
    ProductSpecification().report(NOW - WEEK, "r1").then_opened(1)


def test_report_is_in_time__a_millisecond_late() -> None:
    refusal = ProductSpecification().report(NOW - WEEK - 1, "r1").then_refused("report.too-old")
    assert refusal.value == "occurred_at 2026-02-22T11:59:59.999Z"
    accepted = "occurred_at 2026-02-22T12:00:00.000Z, 7d before the report arrived, or later"
    assert (refusal.accepted, refusal.not_before) == (accepted, None)


def test_report_is_in_time__judged_by_the_products_rulebook_of_now() -> None:
    product = ProductSpecification()
    later = noted(product.facts, published(rulebook(2, report_within=HOUR)), listed(rulebook="house@2"))
    product.with_facts(later).report(NOW - HOUR - 1, "r1").then_refused("report.too-old")


def test_report_is_in_time__too_old_even_for_an_incident_there_is() -> None:
    opened = ProductSpecification().report(NOW - WEEK, "r1")
    opened.report(NOW - WEEK, "r2", at=NOW + 1).then_refused("report.too-old")


def test_reference_is_used_once__opened() -> None:
    refusal = ProductSpecification().report(NOW, "r1").report(NOW, "r1").then_refused("report.repeated")
    assert refusal.value == "reference r1 of watch, which belongs to incident lend/1"
    assert "lend/1" in refusal.accepted


def test_reference_is_used_once__joined() -> None:
    joined = ProductSpecification().report(NOW, "r1").report(NOW, "r2")
    joined.report(NOW, "r2").then_refused("report.repeated")


@pytest.mark.parametrize("occurred_at", [NOW - 2 * HOUR, NOW - WEEK - 1, NOW + 1])
def test_reference_is_used_once__naming_another_instant(occurred_at: int) -> None:
    opened = ProductSpecification().report(NOW, "r1")
    opened.report(occurred_at, "r1").then_refused("report.repeated")


@pytest.mark.parametrize("outcome", ["accept", "deny", "draw"])
def test_reference_is_used_once__incident_decided(outcome: Outcome) -> None:
    decided = ProductSpecification().report(NOW, "r1").rule(outcome)
    decided.report(NOW, "r1").then_refused("report.repeated")


def test_reference_is_the_producers_own__another_producer() -> None:
    ProductSpecification().report(NOW, "r1").report(NOW, "r1", sender="guard").then_joined(1)


def test_producer_may_report_an_incident_more_than_once__other_reference() -> None:
    ProductSpecification().report(NOW, "r1").report(NOW, "r2").then_joined(1)


def test_refused_report_leaves_its_reference_free() -> None:
    product = ProductSpecification().report(NOW - WEEK - 1, "r1")
    product.then_refused("report.too-old")
    product.report(NOW, "r1").then_opened(1)
