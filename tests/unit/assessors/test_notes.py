from schemas.assessors import CapitalNoted, Holding, HoldingNoted, Share
from tests.unit.assessors.examples import ASSESSOR, START, profile, registered, unknown


def test_holding__no_assessor() -> None:
    noted = HoldingNoted(account=ASSESSOR, cover="C-1", product="lend", until=START + 9)
    unknown().hold("C-1", START + 9).then(noted).hold("C-1", START + 9).then_nothing()


def test_holding__assessor_is_profiled() -> None:
    specification = registered().hold("C-1", START + 9)
    assert profile(specification).holdings == (Holding(cover="C-1", product="lend", until=START + 9),)


def test_holding__one_cover_of_each_product_speaks() -> None:
    specification = registered().hold("C-2", START + 9).hold("C-1", START + 8).then_types("holding.noted.v1")
    specification.hold("C-3", START + 10)
    specification.hold("D-1", START + 5, product="amm")
    assert [holding.cover for holding in profile(specification).holdings] == ["D-1", "C-3"]


def test_holding__two_that_end_together() -> None:
    specification = registered().hold("C-2", START + 9).hold("C-1", START + 9).then_types("holding.noted.v1")
    assert profile(specification.hold("C-3", START + 9)).holdings[0].cover == "C-3"


def test_holding__ended() -> None:
    specification = registered().hold("C-1", START + 9).hold("D-1", START + 99, product="amm", at=START + 9)
    assert [holding.cover for holding in profile(specification).holdings] == ["D-1"]
    specification.hold("C-2", START + 9, at=START + 9).then_types("holding.noted.v1")


def test_capital__no_assessor() -> None:
    specification = unknown().provide(5).then(CapitalNoted(account=ASSESSOR, pool="pool-1", share_bps=5))
    specification.provide(5).then_nothing()


def test_capital__assessor_is_profiled() -> None:
    specification = registered().provide(5).provide(7, "pool-0").provide(6)
    assert profile(specification).shares == (Share(pool="pool-0", share_bps=7), Share(pool="pool-1", share_bps=6))


def test_capital__left() -> None:
    specification = registered().provide(5).provide(0)
    assert profile(specification).shares == ()
    specification.provide(0).then_nothing()


def test_capital__none_to_begin_with() -> None:
    registered().provide(0).then_nothing()
