import pytest
from pydantic import TypeAdapter

from schemas.assessors import NoteCapital
from schemas.envelope import Event
from schemas.governance import GroupSet
from schemas.instants import DAY
from schemas.payouts import RequestPayout
from schemas.pools import AllocateClaim, IssueCover, PoolOpened
from schemas.principals import PrincipalRegistered
from services.kernel.decider import Deadline, Decided, Principal, Send
from services.pools.facts import Facts
from services.pools.fold import evolve
from services.pools.pool import Pool
from services.pools.service import SERVICE
from tests.unit.pools.examples import (
    ALICE,
    BOB,
    CAROL,
    FACTS,
    NOTICE,
    PAYOUT,
    START,
    TERMS,
    USDC,
    Books,
    alarmed,
    claimed,
    confirmed,
    cover,
    decided,
    deposit,
    funded,
    halted,
    knowing,
    leave,
    opened,
    product,
    reopened,
    withdraw,
)
from tests.unit.pools.test_settlement import claims_of, many


def routed(event: Event) -> tuple[Send, ...]:
    return tuple(SERVICE.route(Decided("pool/core", 9, START, event)))


def test_route__sold_cover_is_issued_by_claims() -> None:
    issue = IssueCover(
        cover="core.1",
        pool="core",
        product="P",
        holder=CAROL,
        amount_minor=200,
        asset=USDC,
        starts_at=START,
        expires_at=START + 365 * DAY,
        rulebook="house@1",
        premium_minor=4,
    )
    (sold,) = funded().when(cover(200), at=START).events
    assert routed(sold) == (Send("claims", "cover/core.1", issue),)


def test_route__every_line_goes_to_its_claim_with_its_arithmetic() -> None:
    settled, lines, closed = claims_of(100, 100, 100, senior=200).fire().events
    assert routed(settled) == routed(closed) == ()
    first, _, last = routed(lines)
    assert (first.receiver, first.key, last.key) == ("claims", "cover/core.1", "cover/core.3")
    content = first.content
    assert isinstance(content, AllocateClaim)
    assert content.model_dump(exclude={"arithmetic"}) == {
        "claim": "core.1/1",
        "incident": "P/1",
        "allocation": 1,
        "amount_minor": 67,
        "allocated_minor": 67,
        "deferred_minor": 33,
    }
    (step,) = content.arithmetic
    assert step.inputs == {
        "owed_minor": "100",
        "distributed_minor": "200",
        "owed_by_all_minor": "300",
        "unit_minor": "1",
    }
    assert step.result_minor == "67"


def test_route__capital_is_noted_by_its_account_and_leaves_by_a_payout() -> None:
    pool = opened().when(deposit(400, "junior", ALICE), at=START)
    assert routed(pool.events[0]) == (
        Send("assessors", f"assessor/{ALICE}", NoteCapital(account=ALICE, pool="core", share_bps=10_000)),
    )
    pool = funded().when(leave(600), at=START)
    assert routed(pool.events[0]) == ()
    (withdrawn,) = pool.when(withdraw(), at=START + NOTICE).events
    note, request = routed(withdrawn)
    assert note == Send("assessors", f"assessor/{BOB}", NoteCapital(account=BOB, pool="core", share_bps=0))
    assert (request.receiver, request.key) == ("payouts", "payout/pool:core/1")
    content = request.content
    assert isinstance(content, RequestPayout)
    assert (content.recipient, content.amount_minor, content.pool, content.claim) == (BOB, 600, "core", None)
    assert content.terms == PAYOUT


def test_route__shares_worth_nothing_ask_for_no_payout() -> None:
    pool = claims_of(600, senior=0).fire().when(leave(10_000), at=START)
    (withdrawn,) = pool.when(withdraw(), at=START + 40 * DAY).events
    assert [send.receiver for send in routed(withdrawn)] == ["assessors"]


def test_facts__principals() -> None:
    registered = PrincipalRegistered(
        principal="gateway", public_key="1" * 64, streams=("cover.requests",), accounts=("*",)
    )
    facts = knowing(registered)
    expected = Principal("gateway", "1" * 64, frozenset({"cover.requests"}), frozenset({"*"}))
    assert SERVICE.facts.principal(facts, "gateway") == expected
    assert SERVICE.facts.principal(facts, "nobody") is None


def noting(*pools: str) -> Facts:
    facts = FACTS
    for pool in pools:
        event = PoolOpened(pool=pool, title="P", asset=USDC, terms=TERMS)
        facts = SERVICE.facts.evolve_own(facts, f"pool/{pool}", event)  # type: ignore[attr-defined]
    return facts


def test_audience__halt_and_its_early_end_concern_the_pool_of_the_product_where_it_is() -> None:
    assert SERVICE.audience is not None
    here, elsewhere = noting("core", "more"), noting("more")
    for message in (halted(START, START + DAY), reopened(START, START + 1)):
        assert list(SERVICE.audience(here, message)) == ["pool/core"]
        assert list(SERVICE.audience(elsewhere, message)) == []
    assert list(SERVICE.audience(here, halted(START, START + DAY, "X"))) == []
    unpooled = knowing(product("S", pool=None), since=here)
    assert list(SERVICE.audience(unpooled, halted(START, START + DAY, "S"))) == []
    assert list(SERVICE.audience(here, alarmed())) == []


@pytest.mark.parametrize(
    "pool",
    [
        funded().when(leave(100), at=START),
        confirmed(100, 200).when(claimed("core.1/1", 60), at=START),
        many(250).fire(),
        claims_of(300, 200, senior=100, undecided=1).fire(),
    ],
)
def test_snapshot__reads_back_what_it_spelled(pool: Books) -> None:
    codec = TypeAdapter(Pool)
    assert codec.validate_json(codec.dump_json(pool.state)) == pool.state


def test_snapshot__of_facts() -> None:
    facts = knowing(alarmed(), halted(START, START + DAY), decided("P/2"), since=noting("core"))
    codec = TypeAdapter(Facts)
    assert codec.validate_json(codec.dump_json(facts)) == facts


def test_deadline__that_is_not_open_has_no_effect() -> None:
    confirmed(100).when(Deadline("cut-off/P/1", START), at=START).then_nothing()
    confirmed(100).when(Deadline("lapse/5", 5), at=START).then_nothing()


def test_message__without_a_rule_is_a_bug() -> None:
    with pytest.raises(TypeError, match=r"group\.set-to\.v1"):
        opened().when(GroupSet(group="g", members=()), at=START)


def test_fold__event_of_others_changes_nothing() -> None:
    state = funded().state
    assert evolve(state, GroupSet(group="g", members=())) is state


def test_declaration() -> None:
    assert SERVICE.topics == ("pools.inbox", "cover.requests", "capital.movements")
    assert SERVICE.deciders["pool"].initial("pool/core") == Pool()
