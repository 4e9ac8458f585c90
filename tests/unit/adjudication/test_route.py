from schemas.adjudication import CaseRuled, CaseWithdrawn, VoteLine, VotesSettled
from schemas.assessors import LocksAnswered, SettleVote
from schemas.ids import Subject
from services.adjudication.service import SERVICE
from services.kernel.decider import Decided, Send
from tests.unit.adjudication.examples import T0, account


def ruled(case: str, subject: Subject) -> CaseRuled:
    return CaseRuled(case=case, subject=subject, outcome="accept", amount_minor=7)


def test_ruling_on_an_incident_goes_to_its_product() -> None:
    ruling = ruled("incident/lend/12", "incident")
    decided = Decided("case/incident/lend/12", 4, T0, ruling)
    assert SERVICE.route(decided) == (Send("incidents", "product/lend", ruling),)


def test_ruling_on_a_claim_goes_to_its_cover() -> None:
    ruling = ruled("claim/C-1/3", "claim")
    assert SERVICE.route(Decided("case/claim/C-1/3", 4, T0, ruling)) == (Send("claims", "cover/C-1", ruling),)


def test_votes_are_settled_with_their_assessors() -> None:
    line = VoteLine(
        assessor=account(1),
        choice="deny",
        stake_minor=9,
        weight_minor=8,
        forfeit_minor=7,
        reward_minor=0,
        holds=True,
    )
    other = line.model_copy(update={"assessor": account(2), "forfeit_minor": 0, "reward_minor": 7, "holds": False})
    settled = VotesSettled(case="claim/C-1/3", round=2, lines=(line, other), more=True)
    vote = SettleVote(case="claim/C-1/3", round=2, assessor=account(1), forfeit_minor=7, reward_minor=0, holds=True)
    assert SERVICE.route(Decided("case/claim/C-1/3", 4, T0, settled)) == [
        Send("assessors", f"assessor/{account(1)}", vote),
        Send(
            "assessors",
            f"assessor/{account(2)}",
            vote.model_copy(update={"assessor": account(2), "forfeit_minor": 0, "reward_minor": 7, "holds": False}),
        ),
    ]


def test_answer_goes_to_the_assessor_that_leaves() -> None:
    answer = LocksAnswered(assessor=account(1), withdrawal=1, partition=0, partitions=1, cases={})
    assert SERVICE.route(Decided("locks/0", 1, T0, answer)) == (Send("assessors", f"assessor/{account(1)}", answer),)


def test_nothing_else_is_sent() -> None:
    assert SERVICE.route(Decided("case/claim/C-1/3", 4, T0, CaseWithdrawn())) == ()


def test_service_reads_votes() -> None:
    assert SERVICE.topics == ("adjudication.inbox", "assessor.votes", "case.actions")
    assert SERVICE.log == "adjudication.events"
    assert list(SERVICE.deciders) == ["case", "locks"]
