import pytest
from pydantic import TypeAdapter

from schemas.adjudication import WithdrawCase
from schemas.assessors import StakeWithdrawn
from schemas.payouts import RequestPayout
from schemas.principals import PrincipalRegistered, PrincipalRevoked
from services.assessors.assessor import Assessor
from services.assessors.facts import Facts
from services.assessors.service import SERVICE
from services.kernel.decider import BROADCAST, Decided, Principal, Send, each
from tests.unit.assessors.examples import ASSESSOR, ASSET, CASE, PAYOUT, START, TERMS, leaving, staked, unknown

KEY = f"assessor/{ASSESSOR}"


def test_route__profiles_are_broadcast() -> None:
    added, profiled = staked().events
    assert SERVICE.route(Decided(KEY, 2, START, profiled)) == (Send("adjudication", BROADCAST, profiled),)
    assert SERVICE.route(Decided(KEY, 1, START, added)) == ()


def test_route__every_partition_is_asked_for_locks_once_it_knows() -> None:
    announced = leaving(600).events[0]
    assert SERVICE.route(Decided(KEY, 3, START, announced)) == (
        Send("adjudication", BROADCAST, announced),
        Send("adjudication", each("locks"), announced),
    )


def test_route__withdrawn_stake_is_paid_out() -> None:
    withdrawn = leaving(600).answered().events[1]
    assert isinstance(withdrawn, StakeWithdrawn)
    request = RequestPayout(
        payout=f"stake:{ASSESSOR}/1",
        assessor=ASSESSOR,
        asset=ASSET,
        recipient=ASSESSOR,
        amount_minor=600,
        arithmetic=withdrawn.arithmetic,
        terms=PAYOUT,
    )
    assert SERVICE.route(Decided(KEY, 5, START, withdrawn)) == (Send("payouts", f"payout/stake:{ASSESSOR}/1", request),)


def test_route__nothing_left_to_pay_out() -> None:
    withdrawn = leaving(1_000).answered(CASE).settle(forfeit_minor=1_000).events[1]
    assert isinstance(withdrawn, StakeWithdrawn)
    assert SERVICE.route(Decided(KEY, 5, START, withdrawn)) == ()


def test_facts__terms_of_today() -> None:
    fold = SERVICE.facts
    assert fold.evolve(fold.initial(), TERMS) == Facts(TERMS)
    later = TERMS.model_copy(update={"stake_min_minor": 5})
    assert fold.evolve(Facts(TERMS), later).terms == later


def test_facts__principals_come_and_go() -> None:
    fold = SERVICE.facts
    key, streams = "00" * 32, ("assessor.actions",)
    registered = PrincipalRegistered(principal="gateway", public_key=key, streams=streams, accounts=("*",))
    facts = fold.evolve(Facts(TERMS), registered)
    assert facts.terms == TERMS
    assert fold.principal(facts, "gateway") == Principal("gateway", key, frozenset(streams), frozenset(("*",)))
    assert fold.principal(fold.evolve(facts, PrincipalRevoked(principal="gateway")), "gateway") is None


def test_snapshot__state_survives_json() -> None:
    specification = leaving(600).hold("C-1", START + 9).provide(5).answered(CASE, partition=1, partitions=2)
    specification.settle(reward_minor=4, case="claim/C-2/1")
    adapter = TypeAdapter(Assessor)
    assert adapter.validate_json(adapter.dump_json(specification.state)) == specification.state
    assert adapter.validate_json(adapter.dump_json(Assessor())) == Assessor()


def test_snapshot__facts_survive_json() -> None:
    adapter = TypeAdapter(Facts)
    assert adapter.validate_json(adapter.dump_json(Facts(TERMS))) == Facts(TERMS)


def test_service_reads_actions() -> None:
    assert SERVICE.topics == ("assessors.inbox", "assessor.actions")
    assert list(SERVICE.deciders) == ["assessor"]
    assert unknown().deadlines() == []


def test_decide__foreign_message_is_a_bug() -> None:
    with pytest.raises(TypeError, match=r"no rule for case[.]withdraw[.]v1"):
        unknown().when(WithdrawCase(case=CASE), at=START)
