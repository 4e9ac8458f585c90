import pytest

from schemas.governance import IncidentFound
from schemas.outcomes import NextStep
from tests.unit.governance.examples import ScopeSpecification, finding, product, publish


def listed() -> ScopeSpecification:
    return ScopeSpecification().root(publish(1), product())


@pytest.mark.parametrize("found", ["confirmed", "rejected"])
def test_incident_is_found(found: str) -> None:
    content = {"incident": "lend/1", "finding": found, "reason": "seen on chain"}
    step = NextStep(step=f"incident lend/1 is {found}, if it is still open")
    listed().root(finding(finding=found)).then(IncidentFound.model_validate({**content, "next": step}))


def test_product_is_listed__not_yet() -> None:
    refusal = listed().root(finding("swap/1")).then_refused("finding.product-unknown")
    assert (refusal.value, refusal.unknown) == ("incident swap/1 of product swap", True)


def test_same_finding_is_refused() -> None:
    assert not listed().root(finding(), finding()).then_refused("finding.unchanged").unknown


def test_finding_may_come_again__for_another_reason() -> None:
    listed().root(finding(), finding(reason="the incident is open now")).then_types("incident.found.v1")


def test_finding_may_change() -> None:
    listed().root(finding(), finding(finding="rejected"), finding()).then_types("incident.found.v1")
