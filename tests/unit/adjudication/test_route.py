from schemas.adjudication import CaseRuled, CaseWithdrawn
from schemas.ids import Subject
from services.adjudication.service import SERVICE
from services.kernel.decider import Decided, Send
from tests.unit.adjudication.examples import T0


def ruled(case: str, subject: Subject) -> CaseRuled:
    return CaseRuled(case=case, subject=subject, outcome="accept", amount_minor=7)


def test_ruling_on_an_incident_goes_to_its_product() -> None:
    ruling = ruled("incident/lend/12", "incident")
    decided = Decided("case/incident/lend/12", 4, T0, ruling)
    assert SERVICE.route(decided) == (Send("incidents", "product/lend", ruling),)


def test_ruling_on_a_claim_goes_to_its_cover() -> None:
    ruling = ruled("claim/C-1/3", "claim")
    assert SERVICE.route(Decided("case/claim/C-1/3", 4, T0, ruling)) == (Send("claims", "cover/C-1", ruling),)


def test_nothing_else_is_sent() -> None:
    assert SERVICE.route(Decided("case/claim/C-1/3", 4, T0, CaseWithdrawn())) == ()


def test_service_reads_votes() -> None:
    assert SERVICE.topics == ("adjudication.inbox", "assessor.votes", "case.actions")
    assert SERVICE.log == "adjudication.events"
    assert list(SERVICE.deciders) == ["case", "locks"]
