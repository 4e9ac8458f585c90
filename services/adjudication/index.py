"""What this partition decided, as far as other aggregates of it have to know: folded from its own log."""

from dataclasses import dataclass, field
from functools import lru_cache

from schemas.adjudication import (
    BallotClosed,
    BallotOpened,
    CaseOpened,
    CaseRuled,
    CaseWithdrawn,
    VoteCounted,
    VotesSettled,
)
from schemas.envelope import Event
from services.kernel.persistent import PersistentMap

OWN: tuple[type[Event], ...] = (
    VoteCounted,
    VotesSettled,
    CaseOpened,
    CaseRuled,
    CaseWithdrawn,
    BallotOpened,
    BallotClosed,
)
"""The events that `with_event` folds."""
Locks = tuple[tuple[str, int], ...]
"""Votes of an account that are not settled: the case, and the stake (base units) the vote was cast with.

A tuple weighs a third of a map, and few accounts have many open cases in one partition.
"""
LOCKS_MAX = 4_000
"""How many votes of an account in one partition may wait to be settled: the answer to a withdrawal names them all."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Open rounds in the order in which they opened, so that the oldest of their facts versions is known at once.

    `numbers` counts them up by case, `versions` has the facts version of each; none before `first` is open.
    """

    numbers: PersistentMap[str, int] = field(default_factory=PersistentMap)
    versions: PersistentMap[int, int] = field(default_factory=PersistentMap)
    first: int = 0
    next: int = 0

    def oldest(self, today: int) -> int:
        """Return the oldest facts version that an open round reckons with; `today` when none is open."""
        return self.versions.get(self.first, today)

    def opened(self, case: str, version: int) -> "Rounds":
        """Add a round."""
        numbers, versions = self.numbers.set(case, self.next), self.versions.set(self.next, version)
        return Rounds(numbers, versions, self.first, self.next + 1)

    def closed(self, case: str) -> "Rounds":
        """Take the round of a case out, if it has an open one."""
        number = self.numbers.get(case)
        if number is None:
            return self
        versions, first = self.versions.remove(number), self.first
        while first < self.next and first not in versions:
            first += 1
        return Rounds(self.numbers.remove(case), versions, first, self.next)


@dataclass(frozen=True, slots=True)
class Cases:
    """Open cases: `products` has the product of each that has one, `by_product` those of a product."""

    products: PersistentMap[str, str] = field(default_factory=PersistentMap)
    by_product: PersistentMap[str, PersistentMap[str, None]] = field(default_factory=PersistentMap)
    rounds: Rounds = field(default_factory=Rounds)

    def of(self, product: str) -> list[str]:
        """List the open cases of a product, in order."""
        return self.by_product.get(product, PersistentMap[str, None]()).sorted_keys()


@dataclass(frozen=True, slots=True)
class Index:
    """Cases and votes of this partition: `votes` has the cases of an account that have not settled its vote."""

    votes: PersistentMap[str, Locks] = field(default_factory=PersistentMap)
    cases: Cases = field(default_factory=Cases)

    def is_full(self, account: str) -> bool:
        """Tell whether no further vote of an account may wait to be settled."""
        return len(self.votes.get(account, ())) >= LOCKS_MAX

    def voted_in(self, account: str) -> dict[str, int]:
        """Return the cases that may still take from the stake of an account, with what its vote was cast with."""
        return dict(sorted(self.votes.get(account, ())))


def with_event(index: Index, key: str, event: Event) -> Index:
    """Fold one event of the aggregate `key`; every vote comes through here."""
    case = _case(key)
    match event:
        case VoteCounted():
            before = index.votes.get(event.assessor, ())
            others = _others(before, case) if event.replaces else before
            return Index(index.votes.set(event.assessor, (*others, (case, event.stake_minor))), index.cases)
        case VotesSettled():
            return Index(_released(index.votes, case, event), index.cases)
        case _:
            return Index(index.votes, _with_case(index.cases, case, event))


@lru_cache(maxsize=4_096)
def _case(key: str) -> str:
    """Spell a case once: every vote in it refers to it."""
    return key.partition("/")[2]


def _released(votes: PersistentMap[str, Locks], case: str, event: VotesSettled) -> PersistentMap[str, Locks]:
    for line in event.lines:
        if not line.holds:
            left = _others(votes.get(line.assessor, ()), case)
            votes = votes.set(line.assessor, left) if left else votes.remove(line.assessor)
    return votes


def _others(locks: Locks, case: str) -> Locks:
    return tuple(lock for lock in locks if lock[0] != case)


def _with_case(cases: Cases, case: str, event: Event) -> Cases:
    match event:
        case CaseOpened(product=str() as product):
            of_product = cases.by_product.get(product, PersistentMap[str, None]()).set(case, None)
            return Cases(cases.products.set(case, product), cases.by_product.set(product, of_product), cases.rounds)
        case BallotOpened():
            return Cases(cases.products, cases.by_product, cases.rounds.opened(case, event.facts_version))
        case BallotClosed():
            return Cases(cases.products, cases.by_product, cases.rounds.closed(case))
        case CaseRuled() | CaseWithdrawn():
            return _without(cases, case)
        case _:
            return cases


def _without(cases: Cases, case: str) -> Cases:
    rounds, product = cases.rounds.closed(case), cases.products.get(case)
    if product is None:
        return Cases(cases.products, cases.by_product, rounds)
    left = cases.by_product[product].remove(case)
    by_product = cases.by_product.set(product, left) if len(left) else cases.by_product.remove(product)
    return Cases(cases.products.remove(case), by_product, rounds)
