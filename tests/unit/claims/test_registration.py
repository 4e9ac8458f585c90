import pytest

from schemas.claims import CoverRegistered, RegisterCover
from schemas.instants import LAST, format_instant
from tests.unit.claims.examples import (
    COVERED_FROM,
    DAI,
    EXPIRY,
    FACTS,
    GRACE_END,
    LISTED,
    OTHER,
    START,
    covered,
    filing,
    knowing,
    registration,
    unregistered,
)
from tests.unit.claims.pool_examples import (
    POOL_FACTS,
)


def test_registration__new_cover_exists_with_its_terms() -> None:
    (event,) = unregistered().when(registration(), at=START, sender="registrar").events
    assert isinstance(event, CoverRegistered)
    sold = {"pool": None, "premium_minor": 0, "claimable_until": GRACE_END}
    assert event.model_dump(exclude={"next"}) == registration().model_dump() | sold
    assert event.next is not None
    assert event.next.due_at == GRACE_END
    assert format_instant(COVERED_FROM) in event.next.step
    assert f"before {format_instant(EXPIRY)}" in event.next.step


@pytest.mark.parametrize(
    "again", [registration(), registration(holder=OTHER), registration(amount_minor=500, rulebook="house@2")]
)
def test_registration__second_one_is_refused_and_changes_nothing(again: RegisterCover) -> None:
    specification = covered()
    before = specification.state
    refused = specification.when(again, at=START + 1).then_refused("cover.already-registered")
    assert not refused.unknown
    assert specification.state == before


@pytest.mark.parametrize("expires_at", [START, START - 1])
def test_registration__empty_period_is_refused(expires_at: int) -> None:
    refused = unregistered().when(registration(expires_at=expires_at), at=START).then_refused("cover.period-empty")
    assert format_instant(START) in refused.accepted


def test_registration__one_millisecond_is_a_period() -> None:
    unregistered().when(registration(expires_at=START + 1), at=START).then_types("cover.registered.v1")


def test_registration__end_of_time_stays_within_what_can_be_spelled() -> None:
    specification = unregistered().when(registration(starts_at=LAST - 1, expires_at=LAST), at=START)
    specification.then_types("cover.registered.v1")
    assert specification.events[0].to_bytes()
    specification.when(filing(), at=START).then_refused("claim.before-waiting-period")


def test_registration__unknown_product_is_refused() -> None:
    assert unregistered().when(registration(product="Q"), at=START).then_refused("cover.product-unknown").unknown


def test_registration__unknown_rulebook_is_refused() -> None:
    specification = unregistered(knowing(LISTED)).when(registration(), at=START)
    refused = specification.then_refused("cover.rulebook-unknown")
    assert refused.unknown
    assert "house@1" in refused.accepted


def test_registration__other_asset_is_refused() -> None:
    refused = unregistered().when(registration(asset=DAI), at=START).then_refused("cover.other-asset")
    assert not refused.unknown


@pytest.mark.parametrize("cover", ["main.1", "a.b.007", "C-1.12"])
def test_registration__id_like_those_of_sold_covers_is_refused(cover: str) -> None:
    refused = unregistered().when(registration(cover=cover), at=START).then_refused("cover.id-reserved")
    assert not refused.unknown


@pytest.mark.parametrize("cover", ["7", "C.1a", "C-1.", "C.1-2", "1.x"])
def test_registration__other_ids_are_free(cover: str) -> None:
    unregistered().when(registration(cover=cover), at=START).then_types("cover.registered.v1")


def test_registration__product_that_a_pool_sells_is_refused() -> None:
    refused = unregistered(POOL_FACTS).when(registration(), at=START).then_refused("cover.sold-by-pool")
    assert "pool main" in refused.accepted
    assert not refused.unknown


def test_registration__refused_as_unknown_can_be_sent_again() -> None:
    specification = unregistered(knowing()).when(registration(), at=START, id="r-1")
    specification.then_refused("cover.product-unknown")
    specification.with_facts(FACTS).when(registration(), at=START, id="r-1").then_types("cover.registered.v1")
