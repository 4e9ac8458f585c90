from collections.abc import Callable

import pytest

from schemas.instants import DAY
from schemas.pools import CoverSold
from services.kernel.specification import Specification
from services.pools.books import Books as Balances
from services.pools.price import price, rate
from services.pools.sale import split
from tests.unit.pools.examples import (
    CAROL,
    DAI,
    FACTS,
    GRACE,
    HOUR,
    START,
    TERMS,
    UNLIMITED,
    USDC,
    alarmed,
    cover,
    decided,
    deposit,
    funded,
    halted,
    knowing,
    opened,
    product,
    reopened,
    sold,
    unopened,
)


def sale(specification: Specification) -> CoverSold:
    (event,) = specification.events
    assert isinstance(event, CoverSold), event
    return event


def test_sale__pins_the_rulebook_and_starts_at_since() -> None:
    event = sale(funded().when(cover(200), at=START + HOUR, since=START))
    assert event.model_dump(exclude={"arithmetic", "postings", "next"}) == {
        "pool": "core",
        "cover": "core.1",
        "product": "P",
        "holder": CAROL,
        "amount_minor": 200,
        "asset": USDC,
        "starts_at": START,
        "expires_at": START + 365 * DAY,
        "claimable_until": START + 365 * DAY + GRACE,
        "rulebook": "house@1",
        "rulebook_sha256": f"{1:064x}",
        "premium_minor": 4,
        "transaction": "0xc1",
    }
    assert event.next is not None
    assert event.next.due_at == event.claimable_until


def test_sale__arithmetic_leads_from_utilisation_to_rate_to_premium() -> None:
    rate_step, premium_step = sale(funded().when(cover(200), at=START)).arithmetic
    assert (rate_step.inputs["used_minor"], rate_step.inputs["capacity_minor"]) == ("200", "2000")
    assert rate_step.result_minor == "200", "100 + 1,000 × 200 ÷ 2,000"
    assert (premium_step.inputs["period"], premium_step.result_minor) == ("365d", "4")


@pytest.mark.parametrize(
    ("used", "expected"), [(0, 100), (1, 101), (2, 101), (3, 102), (1_000, 600), (1_999, 1_100), (2_000, 1_100)]
)
def test_rate__from_floor_to_ceiling_rounded_up(used: int, expected: int) -> None:
    assert rate(TERMS, used, 2_000) == expected


def test_rate__floor_is_ceiling_or_above_it() -> None:
    assert rate(TERMS.model_copy(update={"ceiling_rate_bps": 100}), 1_500, 2_000) == 100
    falling = TERMS.model_copy(update={"ceiling_rate_bps": 50})
    assert rate(falling, 2_000, 2_000) == 50
    assert rate(falling, 1, 2_000) == 100, "rounded up"


def test_premium__by_the_day_rounded_up_at_least_one() -> None:
    assert price(TERMS, 1_000_000, 365 * DAY, 1_000, 2_000).premium_minor == 60_000
    assert price(TERMS, 1_000_000, 30 * DAY, 1_000, 2_000).premium_minor == 4_932, "60,000 × 30 ÷ 365 = 4,931.5"
    free = TERMS.model_copy(update={"floor_rate_bps": 0, "ceiling_rate_bps": 0})
    assert price(free, 1_000_000, 365 * DAY, 1_000, 2_000).premium_minor == 1


def test_split__reserve_then_junior_then_senior() -> None:
    both = Balances(cash=1_000, junior=400, senior=600)
    amounts = {each.account: int(each.amount_minor) for each in split(both, TERMS, 101, 0)}
    # 20.2 put aside; of 81, 60.75 for junior capital.
    assert amounts == {"cash": 101, "reserve": -20, "capital:junior": -60, "capital:senior": -21}


@pytest.mark.parametrize(
    ("books", "account"),
    [(Balances(cash=400, junior=400), "capital:junior"), (Balances(cash=600, senior=600), "capital:senior")],
)
def test_split__tranche_without_capital_gets_nothing(books: Balances, account: str) -> None:
    amounts = {each.account: int(each.amount_minor) for each in split(books, TERMS, 100, 0)}
    assert amounts == {"cash": 100, "reserve": -20, account: -80}


def test_split__income_for_deferred_claims_comes_first() -> None:
    amounts = {each.account: int(each.amount_minor) for each in split(Balances(cash=9, junior=9), TERMS, 100, 40)}
    assert amounts == {"cash": 100, "payable": -40, "reserve": -12, "capital:junior": -48}


def test_sale__numbers_covers_and_adds_exposure() -> None:
    pool = sold(200, 300)
    assert sorted(pool.state.exposure.covers.sorted_keys()) == ["core.1", "core.2"]
    assert pool.state.exposure.total_minor == pool.state.exposure.products["P"] == 500
    assert pool.balances() == (0 + 2, 400 + 3 + 6, 600 + 1 + 3), "premiums of 4 and 11"


def test_sale__unknown_pool_or_product_or_one_of_another_pool() -> None:
    assert unopened().when(cover(1), at=START).then_refused("cover.pool-unknown").unknown
    assert funded().when(cover(1, "X"), at=START).then_refused("cover.product-unknown").unknown
    facts = knowing(product("R", pool="other"), product("S", pool=None), since=FACTS)
    refusal = funded(facts=facts).when(cover(1, "R"), at=START).then_refused("cover.other-pool")
    assert refusal.accepted == "product R from pool other"
    refusal = funded(facts=facts).when(cover(1, "S"), at=START).then_refused("cover.other-pool")
    assert refusal.accepted == "a product of this pool"


def test_sale__same_transaction_counts_once_for_whatever() -> None:
    pool = sold(200)
    assert "cover core.1" in pool.when(cover(100), at=START).then_refused("cover.transaction-counted").value
    pool.when(deposit(1, provider=CAROL, transaction="0xc1"), at=START).then_refused("capital.transaction-counted")


def test_sale__while_the_product_is_halted() -> None:
    facts = knowing(halted(START, START + HOUR), since=FACTS)
    pool = funded(facts=facts).when(cover(1), at=START + HOUR - 1)
    assert pool.then_refused("cover.product-halted").not_before == START + HOUR
    sale(funded(facts=facts).when(cover(1), at=START - 1))
    sale(funded(facts=facts).when(cover(1), at=START + HOUR))
    sale(funded(facts=facts).when(cover(1, "Q"), at=START))
    facts = knowing(reopened(START, START + 1), since=facts)
    sale(funded(facts=facts).when(cover(1), at=START + 1))


def test_sale__halt_that_ends_before_it_begins_never_was() -> None:
    facts = knowing(halted(START + 5, START + HOUR), reopened(START + 5, START + 2), since=FACTS)
    sale(funded(facts=facts).when(cover(1), at=START + 6))
    facts = knowing(reopened(START, START + 2), since=FACTS)
    sale(funded(facts=facts).when(cover(1), at=START))


def test_sale__while_an_incident_is_reported() -> None:
    facts = knowing(alarmed("P/1", START + DAY), alarmed("P/2", START + 2 * DAY), since=FACTS)
    refusal = funded(facts=facts).when(cover(1), at=START).then_refused("cover.product-alarmed")
    assert refusal.not_before == START + 2 * DAY
    assert "incident P/2 of product P is reported" in refusal.value
    facts = knowing(decided("P/2"), since=facts)
    refusal = funded(facts=facts).when(cover(1), at=START).then_refused("cover.product-alarmed")
    assert refusal.not_before == START + DAY
    sale(funded(facts=facts).when(cover(1), at=START + DAY))
    sale(funded(facts=knowing(decided("P/1"), since=facts)).when(cover(1), at=START))


@pytest.mark.parametrize(
    ("other", "near"),
    [
        ({"dependencies": ("bridge", "oracle")}, True),
        ({"dependencies": ("P",)}, True),
        ({"dependencies": ("oracle",)}, False),
        ({}, False),
    ],
)
def test_sale__while_what_stands_on_the_same_is_reported(other: dict[str, object], near: bool) -> None:
    facts = knowing(product("R", **other), alarmed("R/1", START + DAY), since=FACTS)
    pool = funded(facts=facts).when(cover(1), at=START)
    if near:
        assert "stands on the same as P" in pool.then_refused("cover.product-alarmed").value
    else:
        sale(pool)


def test_sale__while_what_the_product_names_as_a_dependency_is_reported() -> None:
    facts = knowing(product("R"), product("P", dependencies=("R",)), alarmed("R/1", START + DAY), since=FACTS)
    funded(facts=facts).when(cover(1), at=START).then_refused("cover.product-alarmed")
    # It stands on R no more, nor on the bridge.
    facts = knowing(product("P"), since=facts)
    assert not facts.dependents.sorted_keys()
    sale(funded(facts=facts).when(cover(1), at=START))


@pytest.mark.parametrize("period", [0, 30 * DAY - 1_000, 365 * DAY + 1_000])
def test_sale__period_outside_the_terms(period: int) -> None:
    refusal = funded().when(cover(1, period=period), at=START).then_refused("cover.period")
    assert "from 30d to 365d" in refusal.accepted


def test_sale__period_of_nothing_is_none() -> None:
    terms = TERMS.model_copy(update={"period_min": 0})
    funded(terms=terms).when(cover(1, period=0), at=START).then_refused("cover.period")
    sale(funded(terms=terms).when(cover(1, period=1_000), at=START))


def test_sale__other_asset() -> None:
    facts = knowing(product("R", asset=DAI), since=FACTS)
    funded(facts=facts).when(cover(1, "R"), at=START).then_refused("cover.other-asset")


def test_sale__without_capital() -> None:
    refusal = opened().when(cover(1), at=START).then_refused("cover.above-capacity")
    assert refusal.accepted == "at most 0"


def test_sale__above_capacity() -> None:
    pool = sold(1_500)
    refusal = pool.when(cover(2_000, transaction="0xc2"), at=START).then_refused("cover.above-capacity")
    fits = int(refusal.accepted.removeprefix("at most "))
    capital = pool.state.books.capital
    assert fits == 2 * capital - 1_500
    pool.when(cover(fits + 1, transaction="0xc2"), at=START).then_refused("cover.above-capacity")
    sale(pool.when(cover(fits, transaction="0xc2"), at=START))


def limited(rule: str, name: str, first: int, facts: Callable[[], object]) -> None:
    """Cover of P, then as much of `name` as fits, and one more."""
    pool = funded(facts=facts())  # type: ignore[arg-type]
    sale(pool.when(cover(first), at=START))
    refusal = pool.when(cover(1_000, name, transaction="0xc2"), at=START).then_refused(rule)
    fits = int(refusal.accepted.removeprefix("at most "))
    pool.when(cover(fits + 1, name, transaction="0xc2"), at=START).then_refused(rule)
    sale(pool.when(cover(fits, name, transaction="0xc2"), at=START))


def test_sale__above_the_product_limit() -> None:
    funded().when(cover(1_000), at=START).then_types("cover.sold.v1")
    refusal = funded().when(cover(1_001), at=START).then_refused("cover.above-product-limit")
    assert refusal.accepted == "at most 1000"
    limited("cover.above-product-limit", "P", 300, lambda: FACTS)


def test_sale__above_the_limit_of_a_dependency() -> None:
    bridged = product("R", peril="depeg", dependencies=("oracle", "bridge"))
    limited("cover.above-dependency-limit", "R", 800, lambda: knowing(bridged, since=FACTS))


def test_sale__above_the_limit_of_a_peril() -> None:
    limited("cover.above-peril-limit", "R", 800, lambda: knowing(product("R"), since=FACTS))
    # Other pools' cover of the same peril or dependency is theirs.
    others = knowing(product("R", pool="other", dependencies=("bridge",)), since=FACTS)
    assert others.perils["core/exploit"] == ("P",)


def test_sale__refusal_says_what_fits_into_every_limit() -> None:
    terms = UNLIMITED.model_copy(update={"dependency_bps": 100})
    refusal = funded(terms=terms).when(cover(2_001), at=START).then_refused("cover.above-capacity")
    assert refusal.accepted == "at most 20"


def test_sale__premium_above_what_the_buyer_pays() -> None:
    refusal = funded().when(cover(200, premium_max_minor=3), at=START).then_refused("cover.premium-above-max")
    assert refusal.accepted == "at least 4, at 200 basis points a year"
    sale(funded().when(cover(200, premium_max_minor=4), at=START))


def test_lapse__covers_of_a_day_are_free_again_when_it_has_passed() -> None:
    pool = sold(100, 200)
    pool.when(cover(50, "Q", transaction="0xc3"), at=START + 5, since=START)
    pool.when(cover(70, "Q", transaction="0xc4", period=30 * DAY), at=START)
    first, second = START + (30 + 35 + 1) * DAY, START + (365 + 35 + 1) * DAY
    assert pool.deadlines() == [(f"lapse/{first}", first)]
    pool.fire().then_types("covers.lapsed.v1")
    assert pool.events[0].amounts_minor == {"Q": 70}  # type: ignore[attr-defined]
    assert pool.state.exposure.total_minor == 350
    assert pool.deadlines() == [(f"lapse/{second}", second)]
    pool.fire()
    assert pool.events[0].amounts_minor == {"P": 300, "Q": 50}  # type: ignore[attr-defined]
    assert pool.state.exposure.total_minor == 0
    assert not pool.deadlines()


def test_lapse__earlier_cover_sold_later_lapses_first() -> None:
    pool = sold(100)
    for days in (90, 30, 60):
        pool.when(cover(10, transaction=f"0x{days}", period=days * DAY), at=START)
    assert [pool.fire().events[0].claimable_until for _ in range(4)] == [  # type: ignore[attr-defined]
        START + (days + 36) * DAY for days in (30, 60, 90, 365)
    ]
