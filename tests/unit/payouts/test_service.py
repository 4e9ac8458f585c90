import pytest
from pydantic import TypeAdapter

from schemas.adjudication import WithdrawCase
from schemas.payouts import PayoutSubmitted
from schemas.principals import PrincipalRegistered, PrincipalRevoked
from services.kernel.decider import Decided, Principal, Send
from services.payouts.payout import Payout
from services.payouts.service import SERVICE
from tests.unit.payouts.examples import START, asked, confirmed, failed, instructed, submitted


def test_route__confirmation_goes_to_the_cover() -> None:
    (event,) = instructed().when(confirmed(), at=START).events
    decided = Decided("payout/C-1/1/1", 2, START, event)
    assert SERVICE.route(decided) == (Send("claims", "cover/C-1", event),)


def test_route__other_events_go_nowhere() -> None:
    event = PayoutSubmitted(payout="C-1/1/1", attempt=1, transaction="0x1")
    assert SERVICE.route(Decided("payout/C-1/1/1", 2, START, event)) == ()


def test_facts__principals_come_and_go() -> None:
    fold = SERVICE.facts
    key, streams = "00" * 32, ("payout.receipts",)
    registered = PrincipalRegistered(principal="bot", public_key=key, streams=streams, accounts=())
    facts = fold.evolve(fold.initial(), registered)
    assert fold.principal(facts, "bot") == Principal("bot", key, frozenset(streams), frozenset())
    assert fold.principal(fold.evolve(facts, PrincipalRevoked(principal="bot")), "bot") is None


def test_snapshot__state_survives_json() -> None:
    specification = instructed().when(submitted(), at=START).when(confirmed(amount_minor=1), at=START)
    state = specification.when(failed(), at=START).state
    adapter = TypeAdapter(Payout)
    assert adapter.validate_json(adapter.dump_json(state)) == state


def test_decide__foreign_message_is_a_bug() -> None:
    with pytest.raises(TypeError, match=r"no rule for case[.]withdraw[.]v1"):
        asked().when(WithdrawCase(case="claim/C-1/1"), at=START)
