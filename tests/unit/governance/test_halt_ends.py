"""One person who may halt a product ends its halt before its time."""

import pytest

from schemas.governance import ProductOpened
from schemas.outcomes import NextStep
from tests.unit.governance.examples import (
    HOUR,
    NOTICE,
    NOW,
    HaltSpecification,
    halt,
    halted,
    open_product,
    product,
    publish,
)


def test_end_counts_once_for_ever() -> None:
    scope = halted().act("cid", open_product(), NOW + HOUR, id="i3")
    later = NOW + 100 * HOUR
    scope.act("ann", halt(), later).act("bob", halt(), later).then_types("product.halted.v1")
    scope.act("cid", open_product(), later + HOUR, id="i3").then_refused("halt.counted")


def test_halt_ends_before_its_time() -> None:
    halted().act("cid", open_product(), NOW + HOUR, id="i3").then(
        ProductOpened(
            product="lend",
            reason="they run again",
            by="cid",
            request="i3",
            effective_at=NOW + NOTICE,
            until=NOW + HOUR + NOTICE,
            next=NextStep(step="lend is sold and decided on again", due_at=NOW + HOUR + NOTICE),
        )
    )


@pytest.mark.parametrize(("sender", "wire"), [("root", "product.opened.v1"), ("bob", "product.opened.v1")])
def test_one_person_who_may_halt_may_end_it(sender: str, wire: str) -> None:
    halted().act(sender, open_product()).then_types(wire)


@pytest.mark.parametrize("sender", ["dan", ""])
def test_nobody_else_ends_a_halt(sender: str) -> None:
    halted().act(sender, open_product()).then_refused("halt.not-guardian")


def test_only_a_halt_ends__none() -> None:
    HaltSpecification().act("ann", halt()).act("bob", open_product()).then_refused("halt.none")


@pytest.mark.parametrize("since", [0, 1])
def test_only_a_halt_ends__over(since: int) -> None:
    halted().act("ann", open_product(), NOW + NOTICE + 6 * HOUR + since).then_refused("halt.none")


def test_end_has_notice__nothing_left_to_shorten() -> None:
    end = NOW + NOTICE + 6 * HOUR
    refusal = halted().act("ann", open_product(), end - NOTICE).then_refused("halt.ends-itself")
    assert refusal.value == "lend, whose halt ends at 1970-02-11T22:00:10.000Z"
    halted().act("ann", open_product(), end - NOTICE - 1).then_types("product.opened.v1")


def test_end_has_notice__ended_already() -> None:
    halted().act("ann", open_product()).act("bob", open_product(), NOW + 1).then_refused("halt.ends-itself")


def test_halt_that_was_ended_is_over_then() -> None:
    opened = halted().act("ann", open_product(), NOW + HOUR)
    opened.act("bob", halt(), NOW + HOUR + NOTICE - 1).then_refused("halt.one-at-a-time")
    opened.act("bob", halt(), NOW + HOUR + NOTICE).then_types("product.halt-requested.v1")


def test_halt_that_has_not_begun_ends_no_earlier_than_it_begins() -> None:
    scope = HaltSpecification(notice=HOUR).act("ann", halt()).act("bob", halt()).root(product(rulebook="house@2"))
    (event,) = scope.act("cid", open_product(), NOW + 1000).events
    assert isinstance(event, ProductOpened)
    assert event.effective_at == event.until == NOW + HOUR


def test_root_alone_ends_a_halt__rulebook_says_nothing_any_more() -> None:
    scope = halted().root(publish(3, halt=None), product(rulebook="house@3"))
    assert scope.act("ann", open_product(), NOW + HOUR).then_refused("halt.not-guardian").accepted == "root"
    (event,) = scope.act("root", open_product(), NOW + HOUR).events
    assert isinstance(event, ProductOpened)
    assert event.until == NOW + HOUR
