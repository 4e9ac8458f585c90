import pytest
from pydantic import TypeAdapter

from schemas.adjudication import OpenCase, ReduceCase, WithdrawCase
from schemas.assessors import NoteHolding
from schemas.envelope import Event
from schemas.payouts import RequestPayout
from schemas.principals import PrincipalRegistered
from services.claims.cover import Cover
from services.claims.facts import Facts
from services.claims.service import SERVICE
from services.kernel.decider import Deadline, Decided, Principal, Send
from services.kernel.specification import Specification
from tests.unit.claims.examples import (
    EVENT,
    FACTS,
    GRACE_END,
    HOLDER,
    OPEN,
    RULES,
    USDC,
    adding,
    covered,
    decided,
    filed,
    filing,
    halted,
    knowing,
    published,
    reducing,
    ruling,
    transferred,
    withdrawing,
)
from tests.unit.claims.pool_examples import CLAIM, POOLED, SETTLED, allocation, pool_filed


def routed(specification: Specification) -> tuple[Send, ...]:
    (event,) = specification.events
    assert isinstance(event, Event)
    return tuple(SERVICE.route(Decided("cover/C-1", 9, OPEN, event)))


def test_route__filed_opens_a_case() -> None:
    opening = OpenCase(case="claim/C-1/1", subject="claim", rulebook="house@1", claimant=HOLDER, amount_minor=60)
    opening = opening.model_copy(update={"product": "P", "incident": "P/1"})
    assert routed(filed()) == (Send("adjudication", "case/claim/C-1/1", opening),)


def test_route__reduced_and_withdrawn_go_to_the_case() -> None:
    reduced = ReduceCase(case="claim/C-1/1", amount_minor=5)
    assert routed(filed().when(reducing(5), at=OPEN)) == (Send("adjudication", "case/claim/C-1/1", reduced),)
    withdrawn = WithdrawCase(case="claim/C-1/1")
    assert routed(filed().when(withdrawing(), at=OPEN)) == (Send("adjudication", "case/claim/C-1/1", withdrawn),)


def test_route__approved_requests_the_payout_with_the_pinned_terms() -> None:
    (send,) = routed(filed().when(ruling(), at=OPEN))
    assert (send.receiver, send.key) == ("payouts", "payout/C-1/1/1")
    assert isinstance(send.content, RequestPayout)
    assert send.content.model_dump(exclude={"arithmetic", "terms"}) == {
        "payout": "C-1/1/1",
        "claim": "C-1/1",
        "cover": "C-1",
        "pool": None,
        "assessor": None,
        "asset": USDC,
        "recipient": HOLDER,
        "amount_minor": 60,
    }
    assert send.content.terms == RULES.payout
    assert send.content.arithmetic[0].result_minor == "60"


def test_route__registered_cover_is_a_holding_of_its_holder() -> None:
    holding = NoteHolding(account=HOLDER, cover="C-1", product="P", until=GRACE_END)
    assert routed(covered()) == (Send("assessors", f"assessor/{HOLDER}", holding),)


def test_route__other_events_go_nowhere() -> None:
    assert routed(filed().when(ruling(), at=OPEN).when(transferred(), at=OPEN)) == ()
    assert routed(filed().when(adding(2), at=OPEN)) == ()
    assert routed(filed().when(ruling("deny"), at=OPEN)) == ()


def test_facts__principals_are_known() -> None:
    fold = SERVICE.facts
    registered = PrincipalRegistered(principal="gate", public_key="00" * 32, streams=("*",), accounts=("*",))
    facts = fold.evolve(fold.initial(), registered)
    assert fold.principal(facts, "gate") == Principal("gate", "00" * 32, frozenset("*"), frozenset("*"))
    assert fold.principal(facts, "other") is None


def test_snapshot__state_and_facts_survive_json() -> None:
    state = filed().when(ruling(), at=OPEN).when(filing(incident="P/2", amount_minor=1), at=OPEN).state
    covers, facts = TypeAdapter(Cover), TypeAdapter(Facts)
    assert covers.validate_json(covers.dump_json(state)) == state
    assert facts.validate_json(facts.dump_json(FACTS)) == FACTS


def test_snapshot__what_a_pool_allocated_survives_json() -> None:
    covers, facts = TypeAdapter(Cover), TypeAdapter(Facts)
    held = pool_filed().when(allocation(20), at=OPEN)
    assert covers.validate_json(covers.dump_json(held.state)) == held.state
    given = held.when(ruling(claim=CLAIM), at=OPEN).when(allocation(7, 2), at=OPEN)
    given.when(transferred(20, CLAIM), at=OPEN).then_types("claim.paid.v1")
    assert covers.validate_json(covers.dump_json(given.state)) == given.state
    known = knowing(published(SETTLED), POOLED, decided(), halted(EVENT, OPEN))
    assert facts.validate_json(facts.dump_json(known)) == known


def test_decide__what_claims_do_not_know_is_a_bug() -> None:
    with pytest.raises(TypeError, match="no rule for deadline"):
        covered().when(Deadline("end", OPEN), at=OPEN)


def test_deadlines__claims_have_none() -> None:
    assert filed().deadlines() == []
