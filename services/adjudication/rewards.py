"""How votes for a ruling share what the others lost: by weight, exact to the last unit, by largest remainder."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Cut(NamedTuple):
    """The last winner with a unit more, by remainder falling and then by account."""

    remainder_minor: int
    account: str


def units_of(weights: Iterable[int], forfeited_minor: int, winning_minor: int) -> int:
    """Return how many units (base units) are left when every share is rounded down."""
    if not winning_minor:
        return 0
    return forfeited_minor - sum(weight * forfeited_minor // winning_minor for weight in weights)


def cut_of(weights: Sequence[tuple[str, int]], forfeited_minor: int, winning_minor: int, units: int) -> Cut | None:
    """Find the last of the winners that get a unit more; None when there is no unit left."""
    if not units:
        return None
    ranked = sorted((-(weight * forfeited_minor % winning_minor), account) for account, weight in weights)
    remainder, account = ranked[units - 1]
    return Cut(-remainder, account)


def reward(account: str, weight_minor: int, forfeited_minor: int, winning_minor: int, cut: Cut | None) -> int:
    """Return what a winner gets (base units)."""
    if not winning_minor:
        return 0
    share_minor, remainder = divmod(weight_minor * forfeited_minor, winning_minor)
    within = cut is not None and (-remainder, account) <= (-cut.remainder_minor, cut.account)
    return share_minor + within
