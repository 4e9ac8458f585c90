"""What incidents hears and tells, and what a snapshot keeps."""

from pydantic import TypeAdapter

from schemas.adjudication import AddReport, OpenCase, WithdrawCase
from schemas.incidents import IncidentAlarmed
from schemas.principals import PrincipalRevoked
from services.incidents.decider import ProductIncidents
from services.incidents.facts import Facts, Product
from services.incidents.service import SERVICE
from services.kernel.decider import BROADCAST, Decided, Principal, Send
from tests.unit.incidents.examples import (
    HOUR,
    NOW,
    ProductSpecification,
    listed,
    noted,
    published,
    registered,
    rulebook,
)

LISTED = listed(pool="main", alarm_weight=3)
FACTS = noted(SERVICE.facts.initial(), published(rulebook()), published(rulebook(2)), LISTED, registered())


def test_facts_hold_rules_products_and_principals() -> None:
    assert FACTS.rules["house@2"] == rulebook(2).incident
    assert FACTS.products["lend"] == Product("house@1", "main", 3)
    expected = Principal("watch", "11" * 32, frozenset("*"), frozenset())
    assert SERVICE.facts.principal(FACTS, "watch") == expected


def test_facts_hold_the_rulebook_a_product_has_now() -> None:
    assert noted(FACTS, listed(rulebook="house@2")).products["lend"].rulebook == "house@2"


def test_revoked_principal_is_forgotten() -> None:
    assert SERVICE.facts.principal(noted(FACTS, PrincipalRevoked(principal="watch")), "watch") is None


def test_facts_are_fed_by_what_governance_broadcasts() -> None:
    assert {wire.wire for wire in SERVICE.facts.types} == {
        "rulebook.published.v1",
        "product.listed.v1",
        "principal.registered.v1",
        "principal.revoked.v1",
    }


def sends(product: ProductSpecification) -> list[Send]:
    (event,) = product.events
    return list(SERVICE.route(Decided("product/lend", 1, NOW, event)))


def add_report(reference: str) -> Send:
    content = AddReport(case="incident/lend/1", producer="watch", reference=reference)
    return Send("adjudication", "case/incident/lend/1", content)


def test_opened_incident_asks_for_a_ruling_and_passes_its_report() -> None:
    case = OpenCase(
        case="incident/lend/1",
        subject="incident",
        rulebook="house@1",
        product="lend",
        incident="lend/1",
        pool="main",
    )
    opened = ProductSpecification(product=LISTED).report(NOW, "r1")
    assert sends(opened) == [Send("adjudication", "case/incident/lend/1", case), add_report("r1")]


def test_joined_report_is_passed() -> None:
    assert sends(ProductSpecification().report(NOW, "r1").report(NOW, "r2")) == [add_report("r2")]


def test_opened_incident_of_a_product_without_a_pool_asks_for_a_ruling_without_one() -> None:
    content = sends(ProductSpecification().report(NOW, "r1"))[0].content
    assert isinstance(content, OpenCase)
    assert content.pool is None


def test_alarm_is_broadcast_to_pools() -> None:
    alarmed = IncidentAlarmed(incident="lend/1", product="lend", producer="watch", weight=3, until=NOW)
    assert list(SERVICE.route(Decided("product/lend", 2, NOW, alarmed))) == [Send("pools", BROADCAST, alarmed)]


def test_decided_incident_is_broadcast_to_claims_and_pools() -> None:
    decided = ProductSpecification().report(NOW, "r1").rule("accept")
    event = decided.events[0]
    assert sends(decided) == [Send("claims", BROADCAST, event), Send("pools", BROADCAST, event)]


def test_decided_incident_is_sent_to_the_pool_of_its_product__after_the_broadcast() -> None:
    decided = ProductSpecification(product=LISTED).report(NOW, "r1").rule("accept")
    event = decided.events[0]
    assert sends(decided) == [
        Send("claims", BROADCAST, event),
        Send("pools", BROADCAST, event),
        Send("pools", "pool/main", event),
    ]


def test_found_incident_takes_its_case_back() -> None:
    decided = ProductSpecification().report(NOW, "r1").find("rejected")
    case = WithdrawCase(case="incident/lend/1")
    assert sends(decided)[2:] == [Send("adjudication", "case/incident/lend/1", case)]


def test_refusal_is_told_nobody() -> None:
    assert sends(ProductSpecification().report(NOW + 1, "r1")) == []


def test_product_is_read_back_from_a_snapshot() -> None:
    product = ProductSpecification().report(NOW, "r1").report(NOW, "r2").report(NOW - 3 * HOUR, "r3")
    product.rule("accept", 1).find("rejected", 2).report(NOW - 3 * HOUR, "r4").then_opened(3)
    adapter = TypeAdapter(ProductIncidents)
    state = adapter.validate_json(adapter.dump_json(product.state))
    assert state == product.state
    product.state = state
    product.report(NOW - 2 * HOUR, "r5").then_joined(3)


def test_facts_are_read_back_from_a_snapshot() -> None:
    adapter = TypeAdapter(Facts)
    assert adapter.validate_json(adapter.dump_json(FACTS)) == FACTS
