"""Allocations of a pool: what is there over what claims are owed, never more than that."""

from collections.abc import Sequence

from schemas import allocation
from schemas.allocation import Allocation, CutOff, share
from schemas.allocation import Weight as Owed

__all__ = ["Allocation", "CutOff", "Owed", "allocate", "share"]


def allocate(owed: Sequence[Owed], distributed_minor: int) -> Allocation:
    """Distribute an amount, at most what is owed in all: so nobody gets more than they are owed."""
    owed_minor = sum(each.amount_minor for each in owed)
    assert 0 <= distributed_minor <= owed_minor, (distributed_minor, owed_minor)
    return allocation.allocate(owed, distributed_minor)
