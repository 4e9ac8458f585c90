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
CaseStakes = PersistentMap[str, int]
"""Cases, each with the stake (base units) of a vote in it."""


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
class Index:
    """Cases and votes of this partition.

    `products` has the product of each open case that has one, `cases` the open cases of a product, `votes` those cases
    of an account that have not settled its vote.
    """

    products: PersistentMap[str, str] = field(default_factory=PersistentMap)
    cases: PersistentMap[str, PersistentMap[str, None]] = field(default_factory=PersistentMap)
    votes: PersistentMap[str, CaseStakes] = field(default_factory=PersistentMap)
    rounds: Rounds = field(default_factory=Rounds)

    def cases_of(self, product: str) -> list[str]:
        """List the open cases of a product, in order."""
        return self.cases.get(product, PersistentMap[str, None]()).sorted_keys()

    def voted_in(self, account: str) -> dict[str, int]:
        """Return the cases that may still take from the stake of an account, with what its vote was cast with."""
        return dict(self.votes.get(account, CaseStakes()).sorted_items())


def with_event(index: Index, key: str, event: Event) -> Index:
    """Fold one event of the aggregate `key`."""
    case = _case(key)
    match event:
        case VoteCounted():
            voted = index.votes.get(event.assessor, _NONE).set(case, event.stake_minor)
            # Most of a log are these, and replace() takes twice as long.
            return Index(index.products, index.cases, index.votes.set(event.assessor, voted), index.rounds)
        case VotesSettled():
            return Index(index.products, index.cases, _released(index.votes, case, event), index.rounds)
        case BallotOpened():
            return Index(index.products, index.cases, index.votes, index.rounds.opened(case, event.facts_version))
        case BallotClosed():
            return Index(index.products, index.cases, index.votes, index.rounds.closed(case))
        case _:
            return _with_case(index, case, event)


def _with_case(index: Index, case: str, event: Event) -> Index:
    match event:
        case CaseOpened(product=str() as product):
            cases = index.cases.set(product, index.cases.get(product, PersistentMap[str, None]()).set(case, None))
            return Index(index.products.set(case, product), cases, index.votes, index.rounds)
        case CaseRuled() | CaseWithdrawn():
            return _over(index, case)
        case _:
            return index


_NONE = CaseStakes()


@lru_cache(maxsize=4_096)
def _case(key: str) -> str:
    """Spell a case once: every vote in it refers to it."""
    return key.partition("/")[2]


def _released(votes: PersistentMap[str, CaseStakes], case: str, event: VotesSettled) -> PersistentMap[str, CaseStakes]:
    for line in event.lines:
        if line.holds:
            continue
        left = votes.get(line.assessor, _NONE).remove(case)
        votes = votes.set(line.assessor, left) if len(left) else votes.remove(line.assessor)
    return votes


def _over(index: Index, case: str) -> Index:
    rounds = index.rounds.closed(case)
    product = index.products.get(case)
    if product is None:
        return Index(index.products, index.cases, index.votes, rounds)
    left = index.cases[product].remove(case)
    cases = index.cases.set(product, left) if len(left) else index.cases.remove(product)
    return Index(index.products.remove(case), cases, index.votes, rounds)
