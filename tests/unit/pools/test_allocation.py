"""The rule by which one amount is distributed over several, with numbers worked by hand."""

import pytest

from services.pools.allocation import Allocation, CutOff, Owed, allocate, share


def over(distributed_minor: int, **amounts_minor: int) -> dict[str, int]:
    owed = [Owed(name, amount_minor) for name, amount_minor in amounts_minor.items()]
    shares = allocate(owed, distributed_minor).amounts_minor
    return {each.name: amount_minor for each, amount_minor in zip(owed, shares, strict=True)}


def test_allocate__all_that_is_owed() -> None:
    assert over(300, a=100, b=150, c=50) == {"a": 100, "b": 150, "c": 50}


def test_allocate__three_quarters() -> None:
    # anchors.md section 4, the worked case for the haircut: 600 + 300 + 100 owed, 750 there.
    assert over(750, a=600, b=300, c=100) == {"a": 450, "b": 225, "c": 75}


def test_allocate__equal_claims_and_two_units_left__ties_by_id() -> None:
    # 100 × 200 ÷ 300 = 66 and 200/300 over, for each: 198, and two units for the first two names.
    assert over(200, a=100, b=100, c=100) == {"a": 67, "b": 67, "c": 66}
    assert over(200, c=100, b=100, a=100) == {"c": 66, "b": 67, "a": 67}


def test_allocate__one_unit_over_three() -> None:
    assert over(1, b=5, a=5, c=5) == {"b": 0, "a": 1, "c": 0}


def test_allocate__largest_remainder_wins() -> None:
    # 10 over 7 + 6 + 2 = 15: 4 and 10/15, 4 and 0/15, 1 and 5/15: nine, and one for the largest remainder.
    assert over(10, a=7, b=6, c=2) == {"a": 5, "b": 4, "c": 1}
    # 8 over 1 + 1 + 8 = 10: 0 and 8/10, 0 and 8/10, 6 and 4/10: six, and one each for the first two.
    assert over(8, a=1, b=1, c=8) == {"a": 1, "b": 1, "c": 6}


def test_allocate__names_order_as_text() -> None:
    assert over(1, **{"core.9/1": 1, "core.10/1": 1}) == {"core.9/1": 0, "core.10/1": 1}


def test_allocate__nothing() -> None:
    assert over(0, a=100, b=1) == {"a": 0, "b": 0}
    assert over(0, a=0) == {"a": 0}
    assert allocate([], 0) == Allocation([], None)


def test_allocate__who_is_owed_nothing_gets_nothing() -> None:
    assert over(1, a=0, b=2, c=2) == {"a": 0, "b": 1, "c": 0}


def test_allocate__more_than_owed_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        over(3, a=1, b=1)


def test_allocate__amounts_beyond_machine_words() -> None:
    big = 2**127
    assert over(big, a=big, b=big, c=big) == {"a": big // 3 + 1, "b": big // 3 + 1, "c": big // 3}


def test_cut__is_the_last_that_got_a_unit_more() -> None:
    owed = [Owed("a", 100), Owed("b", 100), Owed("c", 100)]
    assert allocate(owed, 200) == Allocation([67, 67, 66], CutOff(200, "b"))
    assert allocate(owed, 150) == Allocation([50, 50, 50], None)


def test_share__follows_from_the_totals_and_the_cut_alone() -> None:
    cut = CutOff(200, "b")
    assert [share(Owed(name, 100), 300, 200, cut) for name in "abc"] == [67, 67, 66]
    assert share(Owed("a", 100), 300, 150, None) == 50
