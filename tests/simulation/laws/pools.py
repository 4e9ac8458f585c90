"""Law 3 of product.md section 13, for pools: the books balance after every event; and what is sold, comes and leaves.

Prices, limits and shares are worked out again here.
"""

from fractions import Fraction
from math import ceil

from schemas.instants import DAY, LAST
from schemas.pools import (
    CapitalDeposited,
    CapitalWithdrawalRequested,
    CapitalWithdrawn,
    CoversLapsed,
    CoverSold,
    PayoutBooked,
    PoolOpened,
    PoolTermsChanged,
)
from tests.simulation.entries import Entry
from tests.simulation.laws.debts import Debts, of_capital
from tests.simulation.laws.facts import Facts, Told
from tests.simulation.laws.law import Handlers, broken, demand
from tests.simulation.laws.poolbook import CoverBook, PoolBook, TrancheBook


class Pools:
    """Every pool."""

    def __init__(self, facts: Facts, debts: Debts) -> None:
        self.facts = facts
        self.debts = debts
        self.books: dict[str, PoolBook] = {}
        self.begun_anew = 0
        self.handlers: Handlers = {
            PoolOpened: self._opened,
            PoolTermsChanged: self._changed,
            CapitalDeposited: self._deposited,
            CapitalWithdrawalRequested: self._requested,
            CapitalWithdrawn: self._withdrawn,
            CoverSold: self._sold,
            CoversLapsed: self._lapsed,
            PayoutBooked: self._booked,
        }

    def book(self, entry: Entry) -> PoolBook:
        """Return the pool of a record; when another decision begins, hold its books against what it owes."""
        book = self.books[entry.key.removeprefix("pool/")]
        cause = (entry.input, entry.deadline)
        if book.cause != cause:
            book.check(entry)
        book.cause = cause
        return book

    def _opened(self, entry: Entry, event: PoolOpened) -> None:
        if event.pool in self.books:
            broken(entry, "the pool was opened before")
        self.books[event.pool] = PoolBook(event.pool, event.asset, event.terms)

    def _changed(self, entry: Entry, event: PoolTermsChanged) -> None:
        self.book(entry).terms = event.terms

    # --- capital

    def _deposited(self, entry: Entry, event: CapitalDeposited) -> None:
        book = self.book(entry)
        _counts_once(entry, book, event.provider, event.transaction)
        tranche, worth = book.tranches[event.tranche], book.balances[f"capital:{event.tranche}"]
        if tranche.shares_minor and not worth:
            tranche = book.tranches[event.tranche] = TrancheBook(tranche.life + 1)
            self.begun_anew += 1
        shares = event.amount_minor * tranche.shares_minor // worth if tranche.shares_minor else event.amount_minor
        demand(entry, "the shares", event.shares_minor, shares)
        if not shares:
            broken(entry, "it is given away")
        book.post(entry, event.postings)
        tranche.shares_minor += shares
        book.held(event.tranche, event.provider).held_minor += shares
        demand(entry, "all shares", event.tranche_shares_minor, tranche.shares_minor)
        demand(entry, "the capital", book.balances[f"capital:{event.tranche}"], worth + event.amount_minor)
        demand(entry, "the part of all capital", event.share_bps, book.part_bps(event.provider))

    def _requested(self, entry: Entry, event: CapitalWithdrawalRequested) -> None:
        book = self.book(entry)
        held = book.held(event.tranche, event.provider)
        if held.leaving_minor or event.shares_minor > held.held_minor:
            broken(entry, f"the provider has {held!r}")
        demand(entry, "the end of the notice", event.available_at, entry.since + book.terms.notice)
        held.leaving_minor, held.available_at = event.shares_minor, event.available_at

    def _withdrawn(self, entry: Entry, event: CapitalWithdrawn) -> None:
        book, told = self.book(entry), self.facts.told(entry)
        held, tranche = book.held(event.tranche, event.provider), book.tranches[event.tranche]
        demand(entry, "the shares", event.shares_minor, held.leaving_minor)
        demand(entry, "the amount", event.amount_minor, book.worth(event.tranche, event.shares_minor))
        if entry.at < held.available_at or not event.shares_minor:
            broken(entry, f"the provider has {held!r}")
        unclosed = [name for name, incident in book.incidents.items() if incident.stage != "closed"]
        if unclosed or _stopped(
            told, entry.at, {name for name, held in told.products.items() if held.pool == book.name}
        ):
            broken(entry, f"losses may come: {unclosed}, {told.halts}, {told.alarms}")
        book.post(entry, event.postings)
        tranche.shares_minor -= event.shares_minor
        held.held_minor -= event.shares_minor
        held.leaving_minor = 0
        demand(entry, "all shares", event.tranche_shares_minor, tranche.shares_minor)
        demand(entry, "the part of all capital", event.share_bps, book.part_bps(event.provider))
        if event.amount_minor and book.capital_minor * book.terms.capacity_bps < book.exposure() * 10_000:
            broken(entry, f"{book.capital_minor} carries {book.exposure()}")
        demand(entry, "a payout", event.payout is not None, event.amount_minor > 0)
        if event.payout is not None:
            book.withdrawals += 1
            demand(entry, "the payout", event.payout, f"pool:{book.name}/{book.withdrawals}")
            self.debts[event.payout] = of_capital(event)
            book.leaving[event.payout] = event.amount_minor

    def _booked(self, entry: Entry, event: PayoutBooked) -> None:
        book = self.book(entry)
        demand(entry, "the amount", event.amount_minor, self.debts[event.payout].amount_minor)
        if event.payout in book.booked:
            broken(entry, "it was booked before")
        book.post(entry, event.postings)
        book.booked[event.payout] = event.amount_minor
        book.leaving.pop(event.payout, None)
        if event.cover is not None:
            cover = book.covers[event.cover]
            cover.remaining_minor -= event.amount_minor
            if cover.remaining_minor < 0:
                broken(entry, f"the cover was for {cover.sold.amount_minor}")

    # --- cover

    def _sold(self, entry: Entry, event: CoverSold) -> None:
        """Cover is sold within every limit, at the price of its utilisation, and never while an event may be near."""
        book, told = self.book(entry), self.facts.told(entry)
        product, terms = told.products[event.product], book.terms
        _counts_once(entry, book, event.holder, event.transaction)
        demand(entry, "the pool and the asset", (product.pool, product.asset), (book.name, book.asset))
        demand(entry, "the cover", event.cover, f"{book.name}.{len(book.covers) + 1}")
        rulebook = (product.rulebook, self.facts.hashes[product.rulebook])
        demand(entry, "the rulebook", (event.rulebook, event.rulebook_sha256), rulebook)
        if _stopped(told, entry.at, {event.product}, halts_near=False):
            broken(entry, f"an event may be near: {told.halts}, {told.alarms}")
        grace = self.facts.rulebooks[event.rulebook].claim.intake.grace
        demand(entry, "the beginning", event.starts_at, entry.since)
        demand(entry, "the end", event.claimable_until, min(event.expires_at + grace, LAST))
        _within_limits(entry, book, told, event)
        period = event.expires_at - event.starts_at
        if not terms.period_min <= period <= terms.period_max:
            broken(entry, f"the terms are {terms!r}")
        used = Fraction(book.exposure() + event.amount_minor, _capacity(book))
        rate = ceil(terms.floor_rate_bps + (terms.ceiling_rate_bps - terms.floor_rate_bps) * used)
        premium = max(1, ceil(Fraction(event.amount_minor * rate * period, 10_000 * 365 * DAY)))
        demand(entry, "the premium", event.premium_minor, premium)
        deferred, reserve, free = book.balances["deferred"], book.balances["reserve"], book.free_minor
        book.post(entry, event.postings)
        rest = premium - min(premium, deferred)
        demand(entry, "what providers and the reserve get", book.free_minor - free, rest)
        demand(entry, "what the reserve gets", book.balances["reserve"] - reserve, rest * terms.reserve_bps // 10_000)
        book.covers[event.cover] = CoverBook(event, event.amount_minor)

    def _lapsed(self, entry: Entry, event: CoversLapsed) -> None:
        book = self.book(entry)
        amounts: dict[str, int] = {}
        for name, cover in book.covers.items():
            if cover.lapses_at == event.claimable_until and not book.is_held(name) and cover.remaining_minor:
                amounts[cover.sold.product] = amounts.get(cover.sold.product, 0) + cover.remaining_minor
        demand(entry, "what lapses", event.amounts_minor, amounts)
        book.lapsed_at = max(book.lapsed_at, event.claimable_until)


def _counts_once(entry: Entry, book: PoolBook, account: str, transaction: str) -> None:
    if (account, transaction) in book.transactions:
        broken(entry, "the transaction counted before")
    book.transactions.add((account, transaction))


def _capacity(book: PoolBook) -> int:
    return book.capital_minor * book.terms.capacity_bps // 10_000


def _stopped(told: Told, at: int, products: set[str], *, halts_near: bool = True) -> bool:
    """Tell whether a product, or one that stands on the same, is reported or halted."""
    near = set().union(*(told.near(product) for product in products)) if products else set()
    return any(told.alarmed(product, at) for product in near) or any(
        told.halted(product, at) for product in (near if halts_near else products)
    )


def _within_limits(entry: Entry, book: PoolBook, told: Told, event: CoverSold) -> None:
    """Demand that the cover fits into the capital, and into what a product, a dependency or a peril may use of it."""
    product, capacity = told.products[event.product], _capacity(book)
    ours = {name: other for name, other in told.products.items() if other.pool == book.name}
    of_many = capacity * book.terms.dependency_bps // 10_000
    peril = {name for name, other in ours.items() if other.peril == product.peril}
    groups = [{name for name, other in ours.items() if what in other.dependencies} for what in product.dependencies]
    limits = [
        (set[str](), capacity),
        ({event.product}, capacity * book.terms.product_bps // 10_000),
        *((group, of_many) for group in (peril, *groups)),
    ]
    for products, limit in limits:
        used = book.exposure(*products)
        if used + event.amount_minor > limit:
            broken(entry, f"cover of {products or 'all'} is {used}, the limit {limit}")
