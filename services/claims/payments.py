"""What a claim is given and what of it was paid: shares held, payouts asked for, payouts confirmed."""

from dataclasses import dataclass, field, replace

from schemas.claims import ClaimAllocated, ClaimPaid, ClaimShareHeld
from schemas.outcomes import ArithmeticStep
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Payments:
    """What a claim is given and what of it was paid, in base units.

    `allocations` are the pool's allocations that were heard of, with their amounts. `held_minor` waits for the ruling,
    and `held_by` is the arithmetic of the first of what is held. `asked_minor` is the sum of `payouts` payouts that
    were asked for; of those, `under_way` are not confirmed, and `paid_minor` is what the others transferred. The last
    line that was heard gave `line_minor` of `line_of_minor` in all: when less is claimed, its share of less counts, for
    the pool and here alike, in whatever order they hear of it.
    """

    held_minor: int = 0
    asked_minor: int = 0
    paid_minor: int = 0
    payouts: int = 0
    under_way: PersistentMap[str, int] = field(default_factory=PersistentMap)
    allocations: PersistentMap[int, int] = field(default_factory=PersistentMap)
    held_by: tuple[ArithmeticStep, ...] = ()
    line_minor: int = 0
    line_of_minor: int = 0


NOTHING = Payments()


def ask(payments: Payments, payout: str, amount_minor: int) -> Payments:
    """Ask for a payout."""
    return replace(
        payments,
        asked_minor=payments.asked_minor + amount_minor,
        payouts=payments.payouts + 1,
        under_way=payments.under_way.set(payout, amount_minor),
    )


def allocate(payments: Payments, event: ClaimAllocated) -> Payments:
    """Ask for what an allocation gave, or for what was held until the ruling."""
    asked = ask(payments, event.payout, event.amount_minor)
    if event.allocation is None:
        return replace(asked, held_minor=0, held_by=())
    return _heard(asked, event.allocation, event)


def hold(payments: Payments, event: ClaimShareHeld) -> Payments:
    """Hold what an allocation gave until the ruling."""
    held = replace(payments, held_minor=event.held_minor, held_by=payments.held_by or event.arithmetic)
    return _heard(held, event.allocation, event)


def _heard(payments: Payments, allocation: int, event: ClaimShareHeld | ClaimAllocated) -> Payments:
    """Note an allocation; of several lines the last counts as what was allocated in all."""
    is_last = all(allocation > heard for heard in payments.allocations.sorted_keys())
    return replace(
        payments,
        allocations=payments.allocations.set(allocation, event.amount_minor),
        line_minor=event.line_minor if is_last else payments.line_minor,
        line_of_minor=event.line_of_minor if is_last else payments.line_of_minor,
    )


def held_of(payments: Payments, claimed_minor: int) -> int:
    """Return what is held when less is claimed: the same share of less, as for the pool; never above the claim."""
    held_minor = payments.held_minor
    if claimed_minor < payments.line_of_minor:
        held_minor = share_of(payments.line_minor, claimed_minor, payments.line_of_minor)
    return min(held_minor, claimed_minor)


def share_of(allocated_minor: int, claimed_minor: int, instead_of_minor: int) -> int:
    """Return what of an allocation stays when less is claimed than it was made for, rounded down."""
    return allocated_minor * claimed_minor // instead_of_minor


def confirm(payments: Payments, event: ClaimPaid) -> Payments:
    """Note that a transfer happened."""
    return replace(
        payments,
        paid_minor=payments.paid_minor + event.amount_minor,
        under_way=payments.under_way.remove(event.payout),
    )
