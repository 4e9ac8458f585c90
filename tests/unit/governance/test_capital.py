"""Pools and what assessors put at stake."""

import pytest

from schemas.governance import PoolListed, StakeTermsSet
from schemas.instants import DAY
from schemas.outcomes import NextStep
from tests.unit.governance.examples import ETHER, HOUSE, USDC, ScopeSpecification, pool, stake_terms


def test_pool_is_listed() -> None:
    step = NextStep(step="pool main opens, or sells on these terms, from when it hears of this")
    ScopeSpecification().root(pool()).then(
        PoolListed(pool="main", title="Main", asset=USDC, terms=pool().terms, next=step)
    )


@pytest.mark.parametrize("change", [{"title": "Other"}, {"notice": 7 * DAY}, {"capacity_bps": 10_000}])
def test_title_and_terms_of_a_pool_can_change(change: dict[str, object]) -> None:
    scope = ScopeSpecification().root(pool(), pool(**change)).then_types("pool.listed.v1")
    scope.root(pool()).then_types("pool.listed.v1")


def test_asset_of_a_pool_is_fixed() -> None:
    refusal = ScopeSpecification().root(pool(), pool(asset=ETHER)).then_refused("pool.asset-fixed")
    assert (refusal.value, refusal.accepted) == (ETHER, f"{USDC}, or another pool")


def test_same_pool_is_refused() -> None:
    ScopeSpecification().root(pool(), pool()).then_refused("pool.unchanged")


def test_pools_are_many() -> None:
    ScopeSpecification().root(pool(), pool(pool="other", asset=ETHER)).then_types("pool.listed.v1")


def test_price_does_not_fall_as_a_pool_fills__refused() -> None:
    refusal = ScopeSpecification().root(pool(floor_rate_bps=1_001)).then_refused("pool.rates-crossed")
    assert refusal.value == "floor_rate_bps 1001, ceiling_rate_bps 1000"


def test_price_does_not_fall_as_a_pool_fills__flat() -> None:
    ScopeSpecification().root(pool(floor_rate_bps=1_000)).then_types("pool.listed.v1")


@pytest.mark.parametrize("periods", [(0, DAY), (0, 0), (DAY + 1000, DAY)])
def test_there_is_a_period_to_sell__refused(periods: tuple[int, int]) -> None:
    scope = ScopeSpecification().root(pool(period_min=periods[0], period_max=periods[1]))
    assert scope.then_refused("pool.periods-crossed").value.startswith("period_min ")


def test_there_is_a_period_to_sell__one() -> None:
    ScopeSpecification().root(pool(period_min=DAY, period_max=DAY)).then_types("pool.listed.v1")


def test_stake_terms_are_set() -> None:
    step = NextStep(step="stakes are added and leave on these terms, from when assessors hears of this")
    expected = StakeTermsSet(asset=USDC, stake_min_minor=100, notice=14 * DAY, payout=HOUSE.claim.payout, next=step)
    ScopeSpecification().root(stake_terms()).then(expected)


@pytest.mark.parametrize("change", [{"stake_min_minor": 0}, {"notice": DAY}])
def test_stake_terms_can_change(change: dict[str, int]) -> None:
    ScopeSpecification().root(stake_terms(), stake_terms(**change)).then_types("stake.terms-set.v1")


def test_asset_of_stakes_is_fixed() -> None:
    refusal = ScopeSpecification().root(stake_terms(), stake_terms(asset=ETHER)).then_refused("stake.asset-fixed")
    assert (refusal.value, refusal.accepted) == (ETHER, USDC)


def test_same_stake_terms_are_refused() -> None:
    ScopeSpecification().root(stake_terms(), stake_terms()).then_refused("stake.unchanged")
