"""The allocation's rule: one amount over several that are owed, pro rata, exact to the last unit.

Each gets owed × distributed ÷ Σ owed, rounded down. The units that rounding leaves go, one each, to the largest
remainders; of equal remainders, to the name that comes first (product.md section 6: largest remainder, ties by id).
"""

from collections.abc import Sequence
from typing import NamedTuple


class Owed(NamedTuple):
    """What somebody is owed."""

    name: str
    amount_minor: int


class CutOff(NamedTuple):
    """The last that got a unit more: all with a larger remainder did, and of equal ones those up to its name."""

    remainder_minor: int
    name: str


class Allocation(NamedTuple):
    """The amounts, in the order of what is owed; `cut` is None where rounding left nothing."""

    amounts_minor: list[int]
    cut: CutOff | None


def allocate(owed: Sequence[Owed], distributed_minor: int) -> Allocation:
    """Distribute an amount, at most what is owed in all; nobody gets more than owed, and all together get exactly it.

    Equal amounts owed get shares that differ by one unit at most, and the order in which they are listed is nothing
    to the result.
    """
    owed_minor = sum(each.amount_minor for each in owed)
    assert 0 <= distributed_minor <= owed_minor, (distributed_minor, owed_minor)
    cut = _cut(owed, owed_minor, distributed_minor)
    return Allocation([share(each, owed_minor, distributed_minor, cut) for each in owed], cut)


def share(owed: Owed, owed_minor: int, distributed_minor: int, cut: CutOff | None) -> int:
    """Return what one gets of an allocation whose totals and cut are known."""
    if not owed_minor:
        return 0
    amount_minor, remainder_minor = divmod(owed.amount_minor * distributed_minor, owed_minor)
    if cut is not None and (-remainder_minor, owed.name) <= (-cut.remainder_minor, cut.name):
        amount_minor += 1
    return amount_minor


def _cut(owed: Sequence[Owed], owed_minor: int, distributed_minor: int) -> CutOff | None:
    if not owed_minor:
        return None
    remainders = [(-(each.amount_minor * distributed_minor % owed_minor), each.name) for each in owed]
    units, rest = divmod(-sum(remainder for remainder, _ in remainders), owed_minor)
    assert not rest, "remainders make whole units"
    if not units:
        return None
    remainder, name = sorted(remainders)[units - 1]
    return CutOff(-remainder, name)
