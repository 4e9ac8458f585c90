"""What holds for every act of governance."""

import pytest
from pydantic import TypeAdapter

from schemas.governance import ACTIONS, GovernanceInput, RulebookPublished
from schemas.payouts import ReceiptFailed
from services.governance.decider import Scope
from services.governance.facts import Facts
from services.governance.service import SERVICE
from services.kernel.decider import BROADCAST, Decided, Send
from tests.unit.governance.examples import (
    HOUSE,
    ScopeSpecification,
    principal,
    product,
    publish,
    revocation,
)

EVERYTHING = (
    publish(1),
    publish(2),
    product(),
    product(product="swap", rulebook="house@2"),
    principal(),
    principal(principal="gateway", streams=("*",), accounts="*"),
    revocation(),
)


@pytest.mark.parametrize("sender", ["registrar", "watch", ""])
@pytest.mark.parametrize("action", EVERYTHING, ids=lambda action: action.wire)
def test_only_root_acts(action: GovernanceInput, sender: str) -> None:
    refusal = ScopeSpecification().when(action, at=0, sender=sender).then_refused("governance.not-root")
    assert refusal.accepted == "root"


def test_examples_cover_every_action() -> None:
    assert {type(action) for action in EVERYTHING} == set(ACTIONS.types)


def test_other_messages_cause_nothing() -> None:
    message = ReceiptFailed(payout="C/1/1", attempt=1, reason="no gas")
    ScopeSpecification().when(message, at=0, sender="root").then_nothing()


def test_every_event_says_what_comes_next() -> None:
    scope = ScopeSpecification()
    for action in EVERYTHING:
        (event,) = scope.root(action).events
        assert event.model_dump()["next"]["step"]


def test_scope_is_read_back_from_a_snapshot() -> None:
    state = ScopeSpecification().root(*EVERYTHING).state
    adapter = TypeAdapter(Scope)
    assert adapter.validate_json(adapter.dump_json(state)) == state


def test_scope_without_anything_is_read_back_from_a_snapshot() -> None:
    adapter = TypeAdapter(Scope)
    assert adapter.validate_json(adapter.dump_json(ScopeSpecification().state)) == ScopeSpecification().state


def test_nothing_falls_due() -> None:
    assert ScopeSpecification().root(*EVERYTHING).deadlines() == []


def test_facts_never_change() -> None:
    event = RulebookPublished(rulebook=HOUSE, sha256="0" * 64)
    facts = SERVICE.facts.initial()
    assert SERVICE.facts.types == ()
    assert SERVICE.facts.evolve(facts, event) == facts == Facts()
    assert SERVICE.facts.principal(facts, "root") is None


RECEIVERS = {
    "rulebook.published.v1": ["incidents", "claims", "adjudication"],
    "product.listed.v1": ["incidents", "claims"],
    "principal.registered.v1": ["incidents", "claims", "adjudication", "payouts"],
    "principal.revoked.v1": ["incidents", "claims", "adjudication", "payouts"],
}


@pytest.mark.parametrize("count", range(1, len(EVERYTHING) + 1))
def test_each_event_is_broadcast_as_it_is(count: int) -> None:
    (event,) = ScopeSpecification().root(*EVERYTHING[:count]).events
    sends = SERVICE.route(Decided("scope/main", count, 0, event))
    assert list(sends) == [Send(receiver, BROADCAST, event) for receiver in RECEIVERS[event.wire]]


def test_refusals_are_told_nobody() -> None:
    (refusal,) = ScopeSpecification().root(publish(3)).events
    assert list(SERVICE.route(Decided("scope/main", 1, 0, refusal))) == []
