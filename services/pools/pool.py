"""The state of a pool: its books, who owns its capital, what it sold, and the incidents it settles."""

from dataclasses import dataclass, field
from typing import Literal

from schemas.ids import parent
from schemas.money import share_down
from schemas.pools import Line, PoolTerms, Tranche
from services.kernel.persistent import PersistentMap
from services.pools.allocation import Owed
from services.pools.books import Books

Status = Literal["undecided", "approved", "closed"]
Stage = Literal["open", "settled", "closed"]


@dataclass(frozen=True, slots=True)
class TrancheShares:
    """Shares of a tranche in all. A new epoch begins when the tranche, wiped out, starts anew: older ones are void."""

    shares_minor: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """What one provider holds of a tranche: shares of an epoch; `leaving_minor` of them from `available_at` on."""

    shares_minor: int
    epoch: int
    leaving_minor: int = 0
    available_at: int = 0


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover that was sold; `remaining_minor` is its amount less what was paid.

    It counts as exposure until `lapses_at`, the end of the day on which it can no longer be claimed on. While the
    claims in `live` are not closed and not settled, it counts for as long as that takes.
    """

    product: str
    remaining_minor: int
    lapses_at: int
    live: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What all covers may still bring: `total_minor`, and by product.

    `lapsing` has those that no claim holds, by the instant of their lapse and product, and `lapses` these instants in
    order; the last of them that passed is `lapsed_at`.
    """

    covers: PersistentMap[str, Cover] = field(default_factory=PersistentMap)
    total_minor: int = 0
    products: PersistentMap[str, int] = field(default_factory=PersistentMap)
    lapsing: PersistentMap[int, PersistentMap[str, int]] = field(default_factory=PersistentMap)
    lapses: tuple[int, ...] = ()
    lapsed_at: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as the pool may owe it; `allocated_minor` is what allocations gave it, held or to be paid.

    The last line it was told of gave it `line_minor` of `line_of_minor` in all: its share of less follows from that.
    """

    amount_minor: int
    status: Status
    allocated_minor: int = 0
    line_minor: int = 0
    line_of_minor: int = 0


@dataclass(frozen=True, slots=True)
class Borne:
    """What a tranche, of an epoch, bore of an incident, less what came back."""

    epoch: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Incident:
    """A confirmed incident of a product that the pool carries.

    It is open until its claims are settled together, settled until none of them is undecided, then closed; what is
    deferred may still be paid down. The sums are over claims that are not closed: what they are reserved at and were
    allocated, how many are undecided, and what of the product's exposure their covers can no longer bring beyond that.
    `committed` says that a claim was paid in full because capital bore everything: so the others will be, too.
    """

    product: str
    decided_at: int
    window: int
    cut_off_at: int
    stage: Stage = "open"
    committed: bool = False
    claims: PersistentMap[str, Claim] = field(default_factory=PersistentMap)
    reserved_minor: int = 0
    allocated_minor: int = 0
    undecided: int = 0
    accounted_minor: int = 0
    allocations: int = 0
    freed_minor: int = 0
    junior: Borne = Borne()
    senior: Borne = Borne()

    @property
    def unallocated_minor(self) -> int:
        """What its claims are still owed: to be settled while it is open, deferred from then on."""
        return self.reserved_minor - self.allocated_minor


@dataclass(frozen=True, slots=True)
class Pending:
    """Lines of an allocation that are still to be told, in chunks; `chunk` numbers the first of them, from 1."""

    incident: str
    allocation: int
    settled_at: int
    owed_minor: int
    distributed_minor: int
    chunk: int
    chunks: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool; without terms it is not open.

    `shares` are by `<tranche>/<provider>`, `transactions` (what each was counted for) by `<account> <transaction>`.
    `rulebooks` are those a product's cover was sold with, and the last instant at which one of it can be claimed on.
    `leaving` are withdrawals that are to be transferred, `booked` all payouts that were. `claims` names each claim's
    incident; `unclosed` are incidents that are not closed, `owing` those with deferred amounts, both in order.
    """

    title: str = ""
    asset: str = ""
    terms: PoolTerms | None = None
    books: Books = field(default_factory=Books)
    junior: TrancheShares = TrancheShares()
    senior: TrancheShares = TrancheShares()
    shares: PersistentMap[str, Shares] = field(default_factory=PersistentMap)
    transactions: PersistentMap[str, str] = field(default_factory=PersistentMap)
    withdrawals: int = 0
    leaving: PersistentMap[str, int] = field(default_factory=PersistentMap)
    booked: PersistentMap[str, int] = field(default_factory=PersistentMap)
    sold: int = 0
    rulebooks: PersistentMap[str, PersistentMap[str, int]] = field(default_factory=PersistentMap)
    exposure: Exposure = field(default_factory=Exposure)
    incidents: PersistentMap[str, Incident] = field(default_factory=PersistentMap)
    claims: PersistentMap[str, str] = field(default_factory=PersistentMap)
    unclosed: tuple[str, ...] = ()
    owing: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()


def tranche(pool: Pool, name: Tranche) -> TrancheShares:
    """Return the shares of a tranche."""
    return pool.junior if name == "junior" else pool.senior


def value(books: Books, name: Tranche) -> int:
    """Return the capital of a tranche."""
    return books.junior if name == "junior" else books.senior


def starts_anew(pool: Pool, name: Tranche) -> bool:
    """Tell whether a tranche was wiped out: there are shares and they are worth nothing."""
    return tranche(pool, name).shares_minor > 0 and not value(pool.books, name)


def shares_of(pool: Pool, name: Tranche, provider: str) -> Shares:
    """Return what a provider holds of a tranche now; shares of an earlier epoch are void."""
    epoch = tranche(pool, name).epoch
    held = pool.shares.get(f"{name}/{provider}")
    return held if held is not None and held.epoch == epoch else Shares(0, epoch)


def capacity(pool: Pool, terms: PoolTerms) -> int:
    """Return how much cover the capital carries."""
    return share_down(pool.books.capital, terms.capacity_bps)


def owed(claim: Claim) -> int:
    """Return what a claim is owed and was not allocated."""
    return claim.amount_minor - claim.allocated_minor if claim.status != "closed" else 0


def owing_claims(incident: Incident) -> list[Owed]:
    """List the claims of an incident that are still owed something, by id: for settlements only."""
    listed = (Owed(name, owed(claim)) for name, claim in incident.claims.sorted_items())
    return [each for each in listed if each.amount_minor]


def provision(pool: Pool, incident: Incident) -> int:
    """Return what covers could still bring to an incident beyond what its claims are reserved at."""
    if incident.stage != "open":
        return 0
    return max(0, pool.exposure.products.get(incident.product, 0) - incident.accounted_minor)


def cover_of(claim: str) -> str:
    """Name the cover of a claim."""
    return parent(claim)
