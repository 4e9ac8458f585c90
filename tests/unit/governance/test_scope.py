"""What holds for every act of governance."""

import pytest
from pydantic import TypeAdapter

from schemas.governance import ACTIONS, HaltProduct, OpenProduct, PrincipalRegistered, RulebookPublished
from schemas.payouts import ReceiptFailed
from services.governance.decider import Scope
from services.governance.facts import Facts, GovernanceFacts
from services.governance.service import SERVICE
from services.kernel.decider import BROADCAST, Decided, Principal, Refused, Send
from tests.unit.governance.examples import (
    HOUSE,
    KEY,
    ScopeSpecification,
    finding,
    group,
    halt,
    open_product,
    pool,
    principal,
    product,
    publish,
    revocation,
    stake_terms,
)

EVERYTHING = (
    ("root", publish(1)),
    ("root", publish(2, title="Other")),
    ("root", pool()),
    ("root", stake_terms()),
    ("root", product()),
    ("root", product(product="swap", rulebook="house@2", pool="main", dependencies=("bridge",), alarm_weight=2)),
    ("root", principal()),
    ("root", principal(principal="gateway", streams=("*",), accounts="*")),
    ("root", group("watch", "gateway")),
    ("watch", halt()),
    ("gateway", halt()),
    ("gateway", open_product()),
    ("watch", halt(product="swap")),
    ("root", finding()),
    ("root", revocation()),
)
"""Acts of governance, each by whom it may be."""


def acted(count: int = len(EVERYTHING)) -> ScopeSpecification:
    """The first acts of governance."""
    scope = ScopeSpecification()
    for sender, action in EVERYTHING[:count]:
        scope.when(action, at=0, sender=sender)
        assert not isinstance(scope.events[0], Refused), scope.events
    return scope


@pytest.mark.parametrize("sender", ["registrar", "watch", "gateway", ""])
@pytest.mark.parametrize("count", range(len(EVERYTHING)))
def test_only_root_acts__guardians_halt(count: int, sender: str) -> None:
    action = EVERYTHING[count][1]
    scope = acted(count).when(action, at=0, sender=sender)
    if not isinstance(action, (HaltProduct, OpenProduct)):
        assert scope.then_refused("governance.not-root").accepted == "root"
    elif sender not in {"watch", "gateway"}:
        assert scope.then_refused("halt.not-guardian").accepted.startswith("root, or ")


def test_examples_cover_every_action() -> None:
    assert {type(action) for _, action in EVERYTHING} == set(ACTIONS.types)


def test_other_messages_cause_nothing() -> None:
    message = ReceiptFailed(payout="C/1/1", attempt=1, reason="no gas")
    ScopeSpecification().when(message, at=0, sender="root").then_nothing()


@pytest.mark.parametrize("count", range(1, len(EVERYTHING) + 1))
def test_every_event_says_what_comes_next(count: int) -> None:
    (event,) = acted(count).events
    assert event.model_dump()["next"]["step"]


def test_scope_is_read_back_from_a_snapshot() -> None:
    state = acted().state
    adapter = TypeAdapter(Scope)
    assert adapter.validate_json(adapter.dump_json(state)) == state


def test_scope_without_anything_is_read_back_from_a_snapshot() -> None:
    adapter = TypeAdapter(Scope)
    assert adapter.validate_json(adapter.dump_json(ScopeSpecification().state)) == ScopeSpecification().state


def test_nothing_falls_due() -> None:
    assert acted().deadlines() == []


def test_facts_hold_live_principals_of_the_own_log() -> None:
    fold = GovernanceFacts()
    facts, expected = fold.initial(), Principal("watch", KEY, frozenset({"incident.reports"}), frozenset())
    assert isinstance(SERVICE.facts, GovernanceFacts)
    assert fold.principal(facts, "watch") is None
    registered = PrincipalRegistered(principal="watch", public_key=KEY, streams=("incident.reports",), accounts=())
    facts = fold.evolve_own(facts, "scope/main", registered)
    assert fold.principal(facts, "watch") == expected
    adapter = TypeAdapter(Facts)
    assert adapter.validate_json(adapter.dump_json(facts)) == facts
    (revoked,) = acted().events
    assert type(revoked) in fold.own
    assert fold.evolve_own(facts, "scope/main", revoked) == Facts()


def test_facts_are_fed_by_no_sibling() -> None:
    facts = SERVICE.facts.initial()
    assert SERVICE.facts.types == ()
    assert SERVICE.facts.evolve(facts, RulebookPublished(rulebook=HOUSE, sha256="0" * 64)) == facts


PROVERS = ["assessors", "incidents", "claims", "adjudication", "pools", "payouts"]
RECEIVERS = {
    "rulebook.published.v1": ["incidents", "claims", "adjudication", "pools"],
    "product.listed.v1": ["incidents", "claims", "pools"],
    "stake.terms-set.v1": ["assessors"],
    "group.set-to.v1": [],
    "product.halt-requested.v1": [],
    "product.halted.v1": ["claims", "adjudication", "pools"],
    "product.opened.v1": ["claims", "adjudication", "pools"],
    "principal.registered.v1": PROVERS,
    "principal.revoked.v1": PROVERS,
}
ADDRESSED = {"pool.listed.v1": ("pools", "pool/main"), "incident.found.v1": ("incidents", "product/lend")}


@pytest.mark.parametrize("count", range(1, len(EVERYTHING) + 1))
def test_each_event_is_told_as_it_is(count: int) -> None:
    (event,) = acted(count).events
    sends = list(SERVICE.route(Decided("scope/main", count, 0, event)))
    if event.wire in ADDRESSED:
        assert sends == [Send(*ADDRESSED[event.wire], event)]
    else:
        assert sends == [Send(receiver, BROADCAST, event) for receiver in RECEIVERS[event.wire]]


def test_examples_cover_every_event() -> None:
    events = {acted(count).events[0].wire for count in range(1, len(EVERYTHING) + 1)}
    assert events == {*RECEIVERS, *ADDRESSED}


def test_refusals_are_told_nobody() -> None:
    (refusal,) = ScopeSpecification().root(publish(3)).events
    assert list(SERVICE.route(Decided("scope/main", 1, 0, refusal))) == []


def test_scope_is_the_one_there_is() -> None:
    assert {action.key() for _, action in EVERYTHING} == {"scope/main"}
