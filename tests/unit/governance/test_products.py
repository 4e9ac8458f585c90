from schemas.governance import ProductListed
from schemas.outcomes import NextStep
from tests.unit.governance.examples import USDC, ScopeSpecification, product, publish


def listed() -> ScopeSpecification:
    return ScopeSpecification().root(publish(1), publish(2), product())


def test_product_is_listed() -> None:
    listed().then(
        ProductListed(
            product="lend",
            title="Lend",
            peril="exploit",
            asset=USDC,
            rulebook="house@1",
            next=NextStep(step="house@1 governs new cover and new incidents of lend"),
        )
    )


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


def test_title_of_a_product_can_change() -> None:
    listed().root(product(title="Lend v2")).then_types("product.listed.v1")


def test_asset_of_a_product_is_fixed() -> None:
    refusal = listed().root(product(asset="eip155:1/slip44:60")).then_refused("product.asset-fixed")
    assert (refusal.value, refusal.accepted) == ("eip155:1/slip44:60", f"{USDC}, or another product")


def test_peril_of_a_product_is_fixed() -> None:
    refusal = listed().root(product(peril="depeg")).then_refused("product.peril-fixed")
    assert (refusal.value, refusal.accepted) == ("depeg", "exploit, or another product")


def test_unknown_rulebook_is_not_the_only_reason__asset_differs_too() -> None:
    action = product(asset="eip155:1/slip44:60", rulebook="house@3")
    assert not listed().root(action).then_refused("product.asset-fixed").unknown


def test_nothing_changed_is_refused() -> None:
    listed().root(product()).then_refused("product.unchanged")
