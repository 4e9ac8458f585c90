from hashlib import sha256

import pytest

from schemas.governance import ProductListed
from schemas.outcomes import NextStep
from tests.unit.governance.examples import ETHER, HOUSE, USDC, ScopeSpecification, pool, product, publish, version

UNSETTLED = HOUSE.claim.model_copy(update={"settlement": None})
SILENT = HOUSE.incident.model_copy(update={"alarm": None})


def listed(**changes: object) -> ScopeSpecification:
    return ScopeSpecification().root(publish(1), publish(2), pool(), product(**changes))


def pooled(**changes: object) -> ScopeSpecification:
    return listed(**({"pool": "main", "dependencies": ("bridge", "oracle"), "alarm_weight": 3} | changes))


def test_product_is_listed() -> None:
    listed().then(
        ProductListed(
            product="lend",
            title="Lend",
            peril="exploit",
            asset=USDC,
            rulebook="house@1",
            rulebook_sha256=sha256(version(1).to_bytes()).hexdigest(),
            next=NextStep(step="house@1 governs new cover and new incidents of lend"),
        )
    )


def test_product_of_a_pool_is_listed() -> None:
    (event,) = pooled(dependencies=("oracle", "bridge", "oracle")).events
    assert isinstance(event, ProductListed)
    assert (event.pool, event.dependencies, event.alarm_weight) == ("main", ("bridge", "oracle"), 3)


def test_rulebook_is_published__not_yet() -> None:
    refusal = listed().root(product(product="swap", rulebook="house@3")).then_refused("product.rulebook-unknown")
    assert (refusal.value, refusal.unknown) == ("house@3", True)


def test_rulebook_is_published__not_yet_for_a_listed_product() -> None:
    assert listed().root(product(rulebook="house@3")).then_refused("product.rulebook-unknown").unknown


def test_rulebook_of_a_product_can_change() -> None:
    scope = listed().root(product(rulebook="house@2"))
    scope.then_types("product.listed.v1")
    assert scope.state.products["lend"].rulebook == "house@2"


def test_rulebook_of_a_product_can_change__back() -> None:
    listed().root(product(rulebook="house@2"), product()).then_types("product.listed.v1")


@pytest.mark.parametrize("change", [{"title": "Lend v2"}, {"dependencies": ("bridge",)}, {"alarm_weight": 3}])
def test_title_dependencies_and_alarm_level_can_change(change: dict[str, object]) -> None:
    listed().root(product(**change)).then_types("product.listed.v1").root(product()).then_types("product.listed.v1")


@pytest.mark.parametrize(
    ("change", "rule", "value", "accepted"),
    [
        ({"asset": ETHER}, "product.asset-fixed", ETHER, f"{USDC}, or another product"),
        ({"peril": "depeg"}, "product.peril-fixed", "depeg", "exploit, or another product"),
        ({"pool": "main"}, "product.pool-fixed", "main", "no pool, or another product"),
        ({"pool": "other"}, "product.pool-fixed", "other", "no pool, or another product"),
    ],
)
def test_what_a_product_covers_is_fixed(change: dict[str, str], rule: str, value: str, accepted: str) -> None:
    refusal = listed().root(product(**change)).then_refused(rule)
    assert (refusal.value, refusal.accepted, refusal.unknown) == (value, accepted, False)


def test_pool_of_a_product_is_fixed() -> None:
    refusal = pooled().root(product(dependencies=("bridge", "oracle"), alarm_weight=3))
    assert refusal.then_refused("product.pool-fixed").accepted == "main, or another product"


def test_unknown_rulebook_is_not_the_only_reason__asset_differs_too() -> None:
    action = product(asset=ETHER, rulebook="house@3")
    assert not listed().root(action).then_refused("product.asset-fixed").unknown


def test_nothing_changed_is_refused() -> None:
    listed().root(product()).then_refused("product.unchanged")


def test_nothing_changed_is_refused__dependencies_in_another_order() -> None:
    again = product(pool="main", dependencies=("oracle", "bridge", "bridge"), alarm_weight=3)
    pooled().root(again).then_refused("product.unchanged")


def test_pool_is_open__not_yet() -> None:
    refusal = listed(pool="other").then_refused("product.pool-unknown")
    assert (refusal.value, refusal.unknown) == ("other", True)


def test_pool_holds_the_products_asset__refused() -> None:
    refusal = listed(pool="main", asset=ETHER).then_refused("product.pool-asset")
    assert (refusal.value, refusal.unknown) == (f"{ETHER}, where pool main holds {USDC}", False)
    assert refusal.accepted == f"{USDC}, or a pool that holds {ETHER}"


def test_pool_holds_the_products_asset__not_even_with_an_unknown_rulebook() -> None:
    assert not listed(pool="main", asset=ETHER, rulebook="house@9").then_refused("product.pool-asset").unknown


def test_cover_of_a_pool_is_settled__rulebook_without_settlement() -> None:
    scope = ScopeSpecification().root(publish(1, claim=UNSETTLED), pool(), product(pool="main"))
    refusal = scope.then_refused("product.rulebook-without-settlement")
    assert refusal.value == "house@1 for cover that pool main sells"
    scope.root(product()).then_types("product.listed.v1")


def test_cover_of_a_pool_is_settled__later_rulebook_without_settlement() -> None:
    scope = ScopeSpecification().root(publish(1), publish(2, claim=UNSETTLED), pool(), product(pool="main"))
    scope.root(product(pool="main", rulebook="house@2")).then_refused("product.rulebook-without-settlement")


def test_alarm_level_has_an_alarm__rulebook_without_one() -> None:
    scope = ScopeSpecification().root(publish(1, incident=SILENT), product(alarm_weight=3))
    assert scope.then_refused("product.rulebook-without-alarm").value == "house@1 for alarms by reports of weight 3"
    scope.root(product()).then_types("product.listed.v1")
