"""One amount over several weights, pro rata, exact to the last unit: the one rule by which anything is shared out.

Each gets weight × amount ÷ Σ weights, rounded down. The units that rounding leaves go, one each, to the largest
remainders; of equal remainders, to the name that comes first (product.md section 6: largest remainder, ties by id).
"""

from collections.abc import Sequence
from typing import NamedTuple


class Weight(NamedTuple):
    """By what somebody takes part, in base units: what a claim is owed, what a vote weighs."""

    name: str
    amount_minor: int


class CutOff(NamedTuple):
    """The last that got a unit more: all with a larger remainder did, and of equal ones those up to its name."""

    remainder_minor: int
    name: str


class Allocation(NamedTuple):
    """The amounts, in the order of the weights; `cut` is None where rounding left nothing."""

    amounts_minor: list[int]
    cut: CutOff | None


def allocate(weights: Sequence[Weight], amount_minor: int) -> Allocation:
    """Share an amount out; all together get exactly it, unless nothing weighs anything.

    Equal weights get shares that differ by one unit at most, and the order in which they are listed is nothing to the
    result.
    """
    total_minor = sum(each.amount_minor for each in weights)
    cut = cut_off(weights, total_minor, amount_minor)
    return Allocation([share(each, total_minor, amount_minor, cut) for each in weights], cut)


def share(weight: Weight, total_minor: int, amount_minor: int, cut: CutOff | None) -> int:
    """Return what one gets of an allocation whose totals and cut are known."""
    if not total_minor:
        return 0
    share_minor, remainder_minor = divmod(weight.amount_minor * amount_minor, total_minor)
    if cut is not None and (-remainder_minor, weight.name) <= (-cut.remainder_minor, cut.name):
        share_minor += 1
    return share_minor


def units(amounts_minor: Sequence[int], total_minor: int, amount_minor: int) -> int:
    """Return how many units are left when every share is rounded down."""
    if not total_minor:
        return 0
    return sum(each * amount_minor % total_minor for each in amounts_minor) // total_minor


def cut_off(weights: Sequence[Weight], total_minor: int, amount_minor: int) -> CutOff | None:
    """Find the last that gets a unit more; None where rounding leaves nothing."""
    left = units([each.amount_minor for each in weights], total_minor, amount_minor)
    if not left:
        return None
    ranked = sorted((-(each.amount_minor * amount_minor % total_minor), each.name) for each in weights)
    remainder, name = ranked[left - 1]
    return CutOff(-remainder, name)
