"""Amounts are whole base units, spelled as decimal digits, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.money import (
    AMOUNT_MINOR_MAX,
    WHOLE_BPS,
    AmountMinor,
    BasisPoints,
    BoundedAmountMinor,
    PositiveAmountMinor,
    share_down,
)

AMOUNT: TypeAdapter[int] = TypeAdapter(AmountMinor)
POSITIVE: TypeAdapter[int] = TypeAdapter(PositiveAmountMinor)
BOUNDED: TypeAdapter[int] = TypeAdapter(BoundedAmountMinor)
SHARE: TypeAdapter[int] = TypeAdapter(BasisPoints)


@pytest.mark.parametrize("amount", [0, 1, 2**53 + 1, AMOUNT_MINOR_MAX])
def test_an_amount_is_read_and_spelled_as_digits(amount: int) -> None:
    assert AMOUNT.validate_python(amount) == AMOUNT.validate_json(f'"{amount}"') == amount
    assert AMOUNT.dump_json(amount) == f'"{amount}"'.encode()


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "-1", "+1", "00", "01", "1.0", "1e3", "1_000", "1,000", " 1", "1 ", "1\n", "0x1", "٣", "²", "one"),
        *(str(AMOUNT_MINOR_MAX + 1), "9" * 78, "9" * 79, "9" * 100_000),
        *(-1, AMOUNT_MINOR_MAX + 1, 1.0, True, None, b"1", [1]),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="decimal digits"):
        AMOUNT.validate_python(value)


def test_a_fraction_in_json_is_refused() -> None:
    for value in ("1.0", "1e3", "true", "null"):
        with pytest.raises(ValidationError, match="decimal digits"):
            AMOUNT.validate_json(value)


def test_a_positive_amount_is_above_zero() -> None:
    assert POSITIVE.validate_python("1") == 1
    with pytest.raises(ValidationError, match="above zero"):
        POSITIVE.validate_python("0")


def test_a_bounded_amount_says_its_bound_exactly() -> None:
    assert BOUNDED.validate_python(str(2**128 - 1)) == 2**128 - 1
    with pytest.raises(ValidationError, match=r"below 2\^128"):
        BOUNDED.validate_python(str(2**128))


@given(st.integers(0, AMOUNT_MINOR_MAX), st.integers(0, WHOLE_BPS))
def test_a_share_is_rounded_down_by_less_than_one_unit(amount: int, share: int) -> None:
    part = share_down(amount, share)
    assert part * WHOLE_BPS <= amount * share < (part + 1) * WHOLE_BPS
    assert 0 <= part <= amount


def test_a_share_is_between_nothing_and_the_whole() -> None:
    assert SHARE.validate_python(WHOLE_BPS) == WHOLE_BPS
    for value in (-1, WHOLE_BPS + 1):
        with pytest.raises(ValidationError):
            SHARE.validate_python(value)
