"""Two persons halt a product."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.governance import GovernanceInput, HaltRequested, ProductHalted, ProductOpened
from schemas.outcomes import NextStep
from services.kernel.decider import Refused
from tests.unit.governance.examples import (
    GUARDIANS,
    HOUR,
    NOTICE,
    NOW,
    HaltSpecification,
    group,
    halt,
    halted,
    open_product,
    product,
    revocation,
)


def test_one_person_only_asks() -> None:
    HaltSpecification().act("ann", halt(), id="i1").then(
        HaltRequested(
            product="lend",
            length=6 * HOUR,
            reason="withdrawals hang",
            by="ann",
            request="i1",
            persons_missing=1,
            lapses_at=NOW + HOUR,
            next=NextStep(
                step="1 more of group guardians, or root, ask for the same, or this lapses", due_at=NOW + HOUR
            ),
        )
    )


def test_second_person_halts() -> None:
    asked = HaltSpecification().act("ann", halt())
    effective_at = NOW + 60_000 + NOTICE
    asked.act("bob", halt(reason="I see it too"), NOW + 60_000, id="i2").then(
        ProductHalted(
            product="lend",
            reason="withdrawals hang",
            by=("ann", "bob"),
            request="i2",
            effective_at=effective_at,
            until=effective_at + 6 * HOUR,
            next=NextStep(step="lend is halted until 1970-02-11T22:01:10.000Z", due_at=effective_at),
        )
    )


@pytest.mark.parametrize("persons", [("root", "ann"), ("ann", "root"), ("bob", "cid")])
def test_root_is_a_person_too(persons: tuple[str, str]) -> None:
    scope = HaltSpecification().act(persons[0], halt()).then_types("product.halt-requested.v1")
    scope.act(persons[1], halt()).then_types("product.halted.v1")


def test_one_person_halts__rulebook_asks_for_no_more() -> None:
    HaltSpecification(persons=1).act("ann", halt()).then_types("product.halted.v1")


def test_three_persons_halt__rulebook_asks_for_them() -> None:
    scope = HaltSpecification(persons=3).act("ann", halt()).act("bob", halt())
    (event,) = scope.events
    assert isinstance(event, HaltRequested)
    assert event.persons_missing == 1
    (event,) = scope.act("cid", halt()).events
    assert isinstance(event, ProductHalted)
    assert event.by == ("ann", "bob", "cid")


def test_person_counts_once() -> None:
    refusal = HaltSpecification().act("ann", halt()).act("ann", halt()).then_refused("halt.asked-already")
    assert refusal.value == "ann, who asked for a halt of lend"
    assert "root, or a registered principal in group guardians" in refusal.accepted


@pytest.mark.parametrize("length", [6 * HOUR - 1000, 6 * HOUR + 1000])
def test_second_person_asks_for_the_same__refused(length: int) -> None:
    refusal = HaltSpecification().act("ann", halt()).act("bob", halt(length)).then_refused("halt.other-length")
    assert refusal.accepted == "length 6h, for which ann asked"


@pytest.mark.parametrize("sender", ["dan", "registrar", ""])
def test_only_guardians_and_root_halt(sender: str) -> None:
    refusal = HaltSpecification().act(sender, halt()).then_refused("halt.not-guardian")
    assert refusal.value == (sender or "no proven sender")
    assert refusal.accepted == "root, or a registered principal in group guardians"
    assert not refusal.unknown


@pytest.mark.parametrize("length", [1000, 24 * HOUR])
def test_length_is_bounded__at_the_bounds(length: int) -> None:
    HaltSpecification().act("ann", halt(length)).then_types("product.halt-requested.v1")


@pytest.mark.parametrize(("length", "value"), [(0, "length 0s"), (24 * HOUR + 1000, "length 1d1s")])
def test_length_is_bounded__refused(length: int, value: str) -> None:
    refusal = HaltSpecification().act("ann", halt(length)).then_refused("halt.length")
    assert (refusal.value, refusal.accepted) == (value, "length 1s to 1d")


@pytest.mark.parametrize("action", [halt(product="swap"), open_product(product="swap")])
def test_product_is_listed__not_yet(action: GovernanceInput) -> None:
    assert HaltSpecification().act("ann", action).then_refused("halt.product-unknown").unknown


def test_rulebook_says_who_halts__refused() -> None:
    refusal = HaltSpecification(rules=None).act("root", halt()).then_refused("halt.not-in-rulebook")
    assert refusal.value == "lend under house@1"


def test_rulebook_says_who_halts__the_one_of_now() -> None:
    HaltSpecification(rules=None).root(product(rulebook="house@2")).act("ann", halt()).then_types(
        "product.halt-requested.v1"
    )


def test_request_lapses__a_millisecond_before() -> None:
    asked = HaltSpecification().act("ann", halt())
    asked.act("bob", halt(), NOW + HOUR - 1).then_types("product.halted.v1")


def test_request_lapses__at_its_end_anew_with_another_length() -> None:
    scope = HaltSpecification().act("ann", halt()).act("bob", halt(HOUR), NOW + HOUR)
    scope.then_types("product.halt-requested.v1")
    scope.act("bob", halt(HOUR), NOW + HOUR).then_refused("halt.asked-already")
    scope.act("ann", halt(HOUR), NOW + HOUR).then_types("product.halted.v1")


def test_products_are_halted_each_by_itself() -> None:
    scope = HaltSpecification().root(product(product="swap"))
    scope.act("ann", halt()).act("bob", halt(product="swap")).then_types("product.halt-requested.v1")
    scope.act("bob", halt()).then_types("product.halted.v1").act("ann", halt(product="swap")).then_types(
        "product.halted.v1"
    )


@pytest.mark.parametrize("at", [NOW, NOW + NOTICE, NOW + NOTICE + 6 * HOUR - 1])
def test_one_halt_at_a_time(at: int) -> None:
    refusal = halted().act("cid", halt(), at).then_refused("halt.one-at-a-time")
    assert refusal.not_before == NOW + NOTICE + 6 * HOUR


def test_one_halt_at_a_time__over() -> None:
    scope = halted().act("ann", halt(), NOW + NOTICE + 6 * HOUR).then_types("product.halt-requested.v1")
    scope.act("bob", halt(), NOW + NOTICE + 6 * HOUR).then_types("product.halted.v1")


def test_who_left_the_group_counts_no_more() -> None:
    scope = HaltSpecification().act("ann", halt()).root(group("bob", "cid"))
    scope.act("ann", halt(), NOW + 1).then_refused("halt.not-guardian")
    scope.act("bob", halt(HOUR), NOW + 1).then_types("product.halt-requested.v1")
    scope.act("cid", halt(HOUR), NOW + 1).then_types("product.halted.v1")
    (event,) = scope.events
    assert isinstance(event, ProductHalted)
    assert event.by == ("bob", "cid")


def test_whose_key_was_revoked_counts_no_more() -> None:
    scope = HaltSpecification(persons=3).act("ann", halt()).act("bob", halt()).root(revocation("ann"))
    (event,) = scope.act("cid", halt()).events
    assert isinstance(event, HaltRequested)
    assert event.persons_missing == 1
    (event,) = scope.act("root", halt()).events
    assert isinstance(event, ProductHalted)
    assert event.by == ("bob", "cid", "root")


def test_group_without_members_leaves_root_alone() -> None:
    scope = HaltSpecification().root(group()).act("root", halt()).then_types("product.halt-requested.v1")
    scope.act("root", halt()).then_refused("halt.asked-already")


@pytest.mark.parametrize("later", [NOW + 2 * HOUR, NOW + 10_000 * HOUR])
def test_request_counts_once_for_ever(later: int) -> None:
    lapsed = HaltSpecification().act("ann", halt(), id="i1")
    refusal = lapsed.act("ann", halt(), later, id="i1").then_refused("halt.counted")
    assert refusal.value == "input i1 of ann about lend, which counted before"
    lapsed.act("bob", halt(), later, id="i1").then_types("product.halt-requested.v1")


def test_request_counts_once_for_ever__of_the_person_who_halted() -> None:
    scope = HaltSpecification().act("ann", halt(), id="i1").act("bob", halt(), id="i2")
    scope.act("bob", halt(), NOW + 100 * HOUR, id="i2").then_refused("halt.counted")


acts = st.tuples(
    st.sampled_from((*GUARDIANS, "root", "dan")), st.sampled_from(("halt", "open")), st.integers(0, 8 * 60)
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(acts, max_size=30), st.integers(1, 3))
def test_halts_never_overlap_and_take_their_persons(inputs: list[tuple[str, str, int]], persons: int) -> None:
    scope, at, until = HaltSpecification(persons=persons), NOW, 0
    for number, (sender, act, minutes) in enumerate(inputs):
        at += minutes * 60_000
        scope.act(sender, halt(HOUR) if act == "halt" else open_product(), at, id=f"i{number}")
        (event,) = scope.events
        if isinstance(event, ProductHalted):
            assert event.effective_at >= until
            assert event.effective_at - at == NOTICE
            assert len(set(event.by)) == len(event.by) == persons
            assert "dan" not in event.by
            until = event.until
        elif isinstance(event, ProductOpened):
            assert at < event.until < until
            until = event.until
        else:
            assert isinstance(event, (HaltRequested, Refused))
