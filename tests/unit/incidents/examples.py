"""What the tests of incidents are made of."""

from typing import Self

from schemas.adjudication import CaseRuled
from schemas.envelope import Message
from schemas.governance import IncidentFound, ProductListed, RulebookPublished
from schemas.incidents import ReportIncident
from schemas.instants import DAY, SECOND, parse_instant
from schemas.principals import PrincipalRegistered
from schemas.rulebook import (
    Agreement,
    Ballot,
    Corroboration,
    IncidentRules,
    Outcome,
    Quorum,
    Rulebook,
    Stage,
    StakedElectorate,
    StakeWeight,
)
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.incidents.decider import ProductDecider
from services.incidents.facts import Facts
from services.incidents.service import SERVICE
from services.kernel.specification import Specification

HOUR = 3600 * SECOND
NOW = parse_instant("2026-03-01T12:00:00.000Z")
HOUSE = parse_rulebook(read_shipped("house"))
CORROBORATION = Corroboration(stage="corroboration", required_weight=3, window=2 * HOUR, unmet="deny")

BALLOT = Ballot(
    stage="ballot",
    electorate=StakedElectorate(kind="staked"),
    weight=StakeWeight(kind="stake", at="opening"),
    secrecy="open",
    window=3 * HOUR,
    end_inclusive=False,
    quorum=Quorum(of="eligible-stake", share_bps=1000, comparison="more-than"),
    agreement=Agreement(of="cast", share_bps=5000, comparison="more-than"),
    tie="draw",
    empty="draw",
    unresolved="draw",
    revote="refused",
    excluded=(),
)


def rulebook(
    version: int = 1,
    first: Stage = CORROBORATION,
    join_window: int = HOUR,
    report_within: int = 7 * DAY,
    alarm: int | None = None,
) -> Rulebook:
    """The house rulebook's title and claim rules, with other rules about incidents."""
    incident = IncidentRules(join_window=join_window, report_within=report_within, alarm=alarm, procedure=(first,))
    return HOUSE.model_copy(update={"version": version, "incident": incident})


def published(book: Rulebook) -> RulebookPublished:
    return RulebookPublished(rulebook=book, sha256="0" * 64)


def listed(
    product: str = "lend", rulebook: str = "house@1", pool: str | None = None, alarm_weight: int | None = None
) -> ProductListed:
    return ProductListed(
        product=product,
        title="Lend",
        peril="exploit",
        asset="eip155:1/slip44:60",
        rulebook=rulebook,
        rulebook_sha256="0" * 64,
        pool=pool,
        alarm_weight=alarm_weight,
    )


def registered(principal: str = "watch") -> PrincipalRegistered:
    return PrincipalRegistered(principal=principal, public_key="11" * 32, streams=("*",), accounts=())


def noted(facts: Facts, *broadcasts: Message) -> Facts:
    for broadcast in broadcasts:
        facts = SERVICE.facts.evolve(facts, broadcast)
    return facts


def report(occurred_at: int = NOW, reference: str = "r1", **changes: object) -> ReportIncident:
    content = ReportIncident(product="lend", reference=reference, occurred_at=occurred_at, summary="drained")
    return content.model_copy(update=changes)


def ruled(outcome: Outcome, number: int = 1, case: str = "") -> CaseRuled:
    case = case or f"incident/lend/{number}"
    return CaseRuled(case=case, subject="incident", outcome=outcome, amount_minor=0)


def found(finding: str, number: int = 1, product: str = "lend") -> IncidentFound:
    content = {"incident": f"{product}/{number}", "finding": finding, "reason": "the exploiter said so"}
    return IncidentFound.model_validate(content)


class ProductSpecification(Specification):
    """The product `lend`, under `house@1` unless said otherwise; reports come from the producer `watch`."""

    def __init__(self, book: Rulebook | None = None, product: ProductListed | None = None) -> None:
        facts = noted(SERVICE.facts.initial(), published(book or rulebook()), product or listed())
        super().__init__(ProductDecider(), facts=facts, key="product/lend")

    def report(self, occurred_at: int, reference: str, *, at: int = NOW, sender: str = "watch") -> Self:
        return self.when(report(occurred_at, reference), at=at, sender=sender)

    def rule(self, outcome: Outcome, number: int = 1) -> Self:
        return self.when(ruled(outcome, number), at=NOW, sender="adjudication")

    def find(self, finding: str, number: int = 1, *, at: int = NOW) -> Self:
        return self.when(found(finding, number), at=at, sender="governance")

    def then_opened(self, number: int) -> Self:
        self.then_types("incident.opened.v1")
        return self.then_about(number)

    def then_joined(self, number: int) -> Self:
        self.then_types("report.joined.v1")
        return self.then_about(number)

    def then_about(self, number: int) -> Self:
        assert all(event.model_dump()["incident"] == f"lend/{number}" for event in self.events)
        return self
