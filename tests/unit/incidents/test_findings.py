"""What governance's finding does to an incident."""

import pytest

from schemas.incidents import IncidentDecided
from schemas.rulebook import Outcome
from tests.unit.incidents.examples import HOUR, NOW, ProductSpecification, found, listed, ruled


def opened() -> ProductSpecification:
    return ProductSpecification(product=listed(pool="main")).report(NOW - HOUR, "r1")


def decided(status: str, *, at: int = NOW, by_finding: bool = True) -> IncidentDecided:
    content = {
        "incident": "lend/1",
        "product": "lend",
        "occurred_at": NOW - HOUR,
        "status": status,
        "decided_at": at,
        "pool": "main",
        "by_finding": by_finding,
    }
    return IncidentDecided.model_validate(content)


@pytest.mark.parametrize("finding", ["confirmed", "rejected"])
def test_finding_decides_an_open_incident(finding: str) -> None:
    opened().find(finding).then(decided(finding))


def test_decision_is_dated_when_its_cause_was_decided__finding() -> None:
    opened().when(found("confirmed"), at=NOW + HOUR, since=NOW + 1).then(decided("confirmed", at=NOW + 1))


def test_decision_is_dated_when_its_cause_was_decided__ruling() -> None:
    ruling = opened().when(ruled("accept"), at=NOW + HOUR, since=NOW + 1)
    ruling.then(decided("confirmed", at=NOW + 1, by_finding=False))


@pytest.mark.parametrize("outcome", ["accept", "deny", "draw"])
@pytest.mark.parametrize("finding", ["confirmed", "rejected"])
def test_finding_leaves_a_ruling_alone(outcome: Outcome, finding: str) -> None:
    opened().rule(outcome).find(finding).then_nothing()


@pytest.mark.parametrize("outcome", ["accept", "deny", "draw"])
@pytest.mark.parametrize("finding", ["confirmed", "rejected"])
def test_ruling_that_was_under_way_leaves_a_finding_alone(outcome: Outcome, finding: str) -> None:
    opened().find(finding).rule(outcome).then_nothing()


def test_first_finding_counts() -> None:
    opened().find("rejected").find("confirmed").then_nothing()


def test_finding_on_something_else_says_nothing() -> None:
    opened().find("confirmed", 2).then_nothing()
    opened().when(found("confirmed", product="swap"), at=NOW).then_nothing()


def test_confirmed_by_finding_is_joined() -> None:
    opened().find("confirmed").report(NOW - HOUR, "r2").then_joined(1)


def test_rejected_by_finding_is_not_joined() -> None:
    opened().find("rejected").report(NOW - HOUR, "r2").then_opened(2)


def test_pool_is_the_one_of_the_opening() -> None:
    again = opened().with_facts(ProductSpecification(product=listed()).facts)
    again.find("confirmed").then(decided("confirmed"))
