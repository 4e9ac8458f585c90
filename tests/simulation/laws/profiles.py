"""What others reckon with of an account: exactly what it said, put in, holds and provides."""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.assessors import (
    AssessorProfiled,
    AssessorRegistered,
    CapitalNoted,
    HoldingNoted,
    InterestsDeclared,
)
from schemas.claims import CoverRegistered
from schemas.pools import CapitalDeposited, CapitalWithdrawn
from tests.simulation.entries import Entry
from tests.simulation.laws.law import Handlers, LawBroken, broken, demand
from tests.simulation.laws.stakes import Stakes


@dataclass(slots=True)
class _Account:
    registered: bool = False
    linked: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    covers: dict[str, tuple[str, int]] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)


class Profiles:
    """Every account, as assessors know it and as claims and pools say."""

    def __init__(self, stakes: Stakes) -> None:
        self.stakes = stakes
        self._accounts: dict[str, _Account] = defaultdict(_Account)
        self._covers: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
        self._shares: dict[str, dict[str, int]] = defaultdict(dict)
        self.handlers: Handlers = {
            AssessorRegistered: self._registered,
            InterestsDeclared: self._declared,
            HoldingNoted: self._holding,
            CapitalNoted: self._capital,
            AssessorProfiled: self._profiled,
            CoverRegistered: self._cover,
            CapitalDeposited: self._moved,
            CapitalWithdrawn: self._moved,
        }

    def _registered(self, entry: Entry, event: AssessorRegistered) -> None:
        account = self._accounts[event.assessor]
        if account.registered:
            broken(entry, "it is an assessor")
        account.registered, account.linked = True, event.linked_accounts

    def _declared(self, entry: Entry, event: InterestsDeclared) -> None:
        account = self._accounts[event.assessor]
        if not account.registered:
            broken(entry, "it is no assessor")
        account.linked, account.interests = event.linked_accounts, event.products

    def _cover(self, entry: Entry, event: CoverRegistered) -> None:
        self._covers[event.holder][event.cover] = (event.product, event.claimable_until)

    def _moved(self, entry: Entry, event: CapitalDeposited | CapitalWithdrawn) -> None:
        self._shares[event.provider][event.pool] = event.share_bps

    def _holding(self, entry: Entry, event: HoldingNoted) -> None:
        demand(entry, "the cover", (event.product, event.until), self._covers[event.account][event.cover])
        self._accounts[event.account].covers[event.cover] = (event.product, event.until)

    def _capital(self, entry: Entry, event: CapitalNoted) -> None:
        self._accounts[event.account].shares[event.pool] = event.share_bps

    def _profiled(self, entry: Entry, event: AssessorProfiled) -> None:
        """The last profile says all that is known, and of covers the one of each product that lasts longest."""
        account = self._accounts[event.assessor]
        if not account.registered:
            broken(entry, "it is no assessor")
        demand(entry, "what weighs", event.stake_minor, self.stakes.weighing(event.assessor))
        demand(entry, "what it declared", (event.linked_accounts, event.interests), (account.linked, account.interests))
        longest: dict[str, tuple[int, str]] = {}
        for cover, (product, until) in account.covers.items():
            longest[product] = max(longest.get(product, (0, "")), (until, cover))
        held = {(product, cover, until) for product, (until, cover) in longest.items() if until > entry.since}
        demand(entry, "what it holds", {(each.product, each.cover, each.until) for each in event.holdings}, held)
        shares = {pool: share for pool, share in account.shares.items() if share}
        demand(entry, "what it provides", {each.pool: each.share_bps for each in event.shares}, shares)

    def at_the_end(self) -> None:
        """Everything that claims and pools said is known."""
        for name in sorted(self._covers.keys() | self._shares.keys()):
            account = self._accounts[name]
            shares = {pool: share for pool, share in self._shares[name].items() if share}
            noted = {pool: share for pool, share in account.shares.items() if share}
            if (account.covers, noted) != (self._covers[name], shares):
                raise LawBroken(f"{name} holds {self._covers[name]} and {shares}, noted are {account!r}")
