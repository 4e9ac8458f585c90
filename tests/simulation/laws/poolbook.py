"""A pool as its events tell it: balances, shares, covers, and claims of incidents. Sums are taken when asked for."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from schemas.instants import DAY
from schemas.pools import CoverSold, Line, PoolTerms, Postings, SettlementOpened
from tests.simulation.entries import Entry
from tests.simulation.laws.law import broken, demand

_DEBIT = ("cash", "unfunded")


@dataclass(slots=True)
class SharesBook:
    """What a provider has of a tranche; shares of an earlier life of the tranche are void."""

    life: int
    held_minor: int = 0
    leaving_minor: int = 0
    available_at: int = 0


@dataclass(slots=True)
class TrancheBook:
    """All shares of a tranche; one that was wiped out begins another life with the next deposit."""

    life: int = 0
    shares_minor: int = 0


@dataclass(slots=True)
class ClaimBook:
    """A claim as the pool knows it; `roundings` counts how often it came to less."""

    cover: str
    amount_minor: int
    status: Literal["undecided", "approved", "closed"]
    allocated_minor: int = 0
    late: bool = False
    roundings: int = 0

    @property
    def owed_minor(self) -> int:
        """What it still is owed."""
        return 0 if self.status == "closed" else self.amount_minor - self.allocated_minor


@dataclass(slots=True)
class IncidentBook:
    """An incident; `ample` says that a claim of it was paid in full before the others were decided."""

    opened: SettlementOpened
    cut_off_at: int
    stage: Literal["open", "settled", "closed"] = "open"
    claims: dict[str, ClaimBook] = field(default_factory=dict)
    allocations: int = 0
    freed_minor: int = 0
    ample: bool = False

    @property
    def owed_minor(self) -> int:
        """What its claims still are owed."""
        return sum(claim.owed_minor for claim in self.claims.values())


@dataclass(slots=True)
class CoverBook:
    """A cover; `remaining_minor` is its amount less what was paid."""

    sold: CoverSold
    remaining_minor: int

    @property
    def lapses_at(self) -> int:
        """When it counts no more: at the end of the day on which it cannot be claimed on any more."""
        return self.sold.claimable_until - self.sold.claimable_until % DAY + DAY


@dataclass(slots=True)
class PoolBook:
    """A pool; `untold` are lines that are worked out and that no event has told yet, by incident and allocation."""

    name: str
    asset: str
    terms: PoolTerms
    balances: Counter[str] = field(default_factory=Counter)
    tranches: dict[str, TrancheBook] = field(default_factory=lambda: {"junior": TrancheBook(), "senior": TrancheBook()})
    shares: dict[tuple[str, str], SharesBook] = field(default_factory=dict)
    transactions: set[tuple[str, str]] = field(default_factory=set)
    covers: dict[str, CoverBook] = field(default_factory=dict)
    lapsed_at: int = 0
    incidents: dict[str, IncidentBook] = field(default_factory=dict)
    leaving: dict[str, int] = field(default_factory=dict)
    booked: dict[str, int] = field(default_factory=dict)
    withdrawals: int = 0
    untold: list[tuple[str, int, list[Line]]] = field(default_factory=list)
    cause: object = None

    # --- balances

    @property
    def capital_minor(self) -> int:
        """What providers own."""
        return self.balances["capital:junior"] + self.balances["capital:senior"]

    @property
    def free_minor(self) -> int:
        """What can bear losses."""
        return self.capital_minor + self.balances["reserve"]

    def post(self, entry: Entry, postings: Postings) -> None:
        """Enter postings: they sum to zero, and what there is belongs to somebody (law 3)."""
        demand(entry, "the sum of the postings", sum(int(posting.amount_minor) for posting in postings), 0)
        held = self.balances
        for posting in postings:
            amount = int(posting.amount_minor)
            held[posting.account] += amount if posting.account in _DEBIT else -amount
        demand(entry, "cash", held["cash"], self.free_minor + held["payable"])
        demand(entry, "what is deferred", held["deferred"], held["unfunded"])
        if min(held.values(), default=0) < 0:
            broken(entry, f"the balances are {dict(held)}")

    def check(self, entry: Entry) -> None:
        """Hold the books against claims and withdrawals, once a decision is whole: what is payable, what deferred."""
        claims = [claim for incident in self.incidents.values() for claim in incident.claims.values()]
        booked = sum(amount for payout, amount in self.booked.items() if not payout.startswith("pool:"))
        payable = sum(claim.allocated_minor for claim in claims) - booked + sum(self.leaving.values())
        demand(entry, "what was payable before", self.balances["payable"], payable)
        settled = [incident for incident in self.incidents.values() if incident.stage != "open"]
        deferred = sum(incident.owed_minor for incident in settled)
        demand(entry, "what was deferred before", self.balances["deferred"], deferred)

    # --- shares

    def held(self, tranche: str, provider: str) -> SharesBook:
        """Return what a provider has of a tranche now."""
        life = self.tranches[tranche].life
        held = self.shares.get((tranche, provider))
        if held is None or held.life != life:
            held = self.shares[tranche, provider] = SharesBook(life)
        return held

    def worth(self, tranche: str, shares_minor: int) -> int:
        """Return what shares of a tranche are worth."""
        book = self.tranches[tranche]
        return shares_minor * self.balances[f"capital:{tranche}"] // book.shares_minor if book.shares_minor else 0

    def part_bps(self, provider: str) -> int:
        """Return which part of all capital a provider has, rounded up."""
        own = sum(self.worth(tranche, self.held(tranche, provider).held_minor) for tranche in self.tranches)
        return -(-own * 10_000 // self.capital_minor) if self.capital_minor else 0

    # --- exposure

    def counts(self, name: str) -> bool:
        """Tell whether a cover may still bring something: it has not lapsed, or a claim on it is not through."""
        if self.covers[name].lapses_at > self.lapsed_at:
            return True
        return self.is_held(name)

    def is_held(self, name: str) -> bool:
        """Tell whether a claim on a cover is not through."""
        return any(
            claim.cover == name and (claim.status == "undecided" or (claim.status == "approved" and not_settled))
            for incident in self.incidents.values()
            for not_settled in (incident.stage == "open",)
            for claim in incident.claims.values()
        )

    def exposure(self, *products: str) -> int:
        """Return what covers may still bring, of some products or of all."""
        return sum(
            cover.remaining_minor
            for name, cover in self.covers.items()
            if (not products or cover.sold.product in products) and self.counts(name)
        )

    def provision(self, incident: IncidentBook) -> int:
        """Return what covers may still bring to an incident besides its claims."""
        taken = 0
        for claim in incident.claims.values():
            remaining = self.covers[claim.cover].remaining_minor
            if claim.status == "undecided":
                taken += min(claim.amount_minor, remaining)
            elif claim.status == "approved":
                taken += remaining
        return max(0, self.exposure(incident.opened.product) - taken)
