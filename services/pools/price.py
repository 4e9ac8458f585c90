"""The price of cover: a yearly rate by utilisation, and the premium for a period.

The rate runs from a floor at no utilisation to a ceiling at full (anchors.md section 1.6), by what utilisation is after
the sale. Every rounding is up: what is cut off would be the providers' loss.
"""

from typing import NamedTuple

from schemas.instants import DAY, format_duration
from schemas.money import WHOLE_BPS
from schemas.outcomes import ArithmeticStep
from schemas.pools import PoolTerms

YEAR = 365 * DAY


class Price(NamedTuple):
    """A premium, and the arithmetic from utilisation to rate to it."""

    premium_minor: int
    arithmetic: tuple[ArithmeticStep, ...]


def price(terms: PoolTerms, amount_minor: int, period: int, used_minor: int, capacity_minor: int) -> Price:
    """Price an amount for a period (milliseconds); `used_minor` is the capacity that is used with it."""
    rate_bps = rate(terms, used_minor, capacity_minor)
    premium_minor = max(1, -(-amount_minor * rate_bps * period // (WHOLE_BPS * YEAR)))
    return Price(
        premium_minor,
        (
            ArithmeticStep(
                rule="rate: floor + (ceiling − floor) × used ÷ capacity, in whole basis points a year, rounded up",
                inputs={
                    "floor_rate_bps": str(terms.floor_rate_bps),
                    "ceiling_rate_bps": str(terms.ceiling_rate_bps),
                    "used_minor": str(used_minor),
                    "capacity_minor": str(capacity_minor),
                },
                result_minor=str(rate_bps),
            ),
            ArithmeticStep(
                rule="premium: amount × rate × period ÷ 365 d, rounded up to a whole unit, at least one",
                inputs={
                    "amount_minor": str(amount_minor),
                    "rate_bps": str(rate_bps),
                    "period": format_duration(period),
                },
                result_minor=str(premium_minor),
            ),
        ),
    )


def rate(terms: PoolTerms, used_minor: int, capacity_minor: int) -> int:
    """Return the yearly rate in basis points, rounded up."""
    spread_bps = terms.ceiling_rate_bps - terms.floor_rate_bps
    return terms.floor_rate_bps - (-spread_bps * used_minor // capacity_minor)
