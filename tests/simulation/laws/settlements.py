"""Laws 3 and 7 of product.md section 13, for incidents: who bears what, and equal claims get equal shares.

Every line is worked out again here from the claims as the pool's log tells them.
"""

from fractions import Fraction

from schemas.pools import (
    Cut,
    IncidentSettled,
    Line,
    ReserveChanged,
    SettlementClosed,
    SettlementLines,
    SettlementMoved,
    SettlementOpened,
)
from tests.simulation.entries import Entry
from tests.simulation.laws.covers import Covers
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, LawBroken, broken, demand
from tests.simulation.laws.poolbook import ClaimBook, IncidentBook, PoolBook
from tests.simulation.laws.pools import Pools

_LINES_MAX = 200


class Settlements:
    """Every incident of every pool."""

    def __init__(self, facts: Facts, pools: Pools, covers: Covers) -> None:
        self.facts = facts
        self.pools = pools
        self.covers = covers
        self.handlers: Handlers = {
            SettlementOpened: self._opened,
            SettlementMoved: self._moved,
            ReserveChanged: self._reserved,
            IncidentSettled: self._settled,
            SettlementLines: self._told,
            SettlementClosed: self._closed,
        }

    def _opened(self, entry: Entry, event: SettlementOpened) -> None:
        book, told = self.pools.book(entry), self.facts.told(entry)
        if event.incident in book.incidents:
            broken(entry, "the incident was opened before")
        decided = told.incidents[event.incident]
        demand(entry, "the incident", (decided.status, decided.product), ("confirmed", event.product))
        halted = sum(end - begin for begin, end in told.halts[event.product].items())
        windows = [
            settlement.cut_off
            for cover in book.covers.values()
            if cover.sold.product == event.product and cover.sold.claimable_until + halted >= event.decided_at
            if (settlement := self.facts.rulebooks[cover.sold.rulebook].claim.settlement) is not None
        ]
        demand(entry, "the window", event.window, max(windows))
        cut_off_at = told.after(event.product, decided.decided_at, event.window)
        demand(entry, "the cut-off", event.cut_off_at, cut_off_at)
        demand(entry, "the provision", event.provision_minor, book.exposure(event.product))
        book.incidents[event.incident] = IncidentBook(event, cut_off_at)

    def _moved(self, entry: Entry, event: SettlementMoved) -> None:
        incident = self.pools.book(entry).incidents[event.incident]
        opened = incident.opened
        moved_to = self.facts.told(entry).after(opened.product, opened.decided_at, opened.window)
        demand(entry, "the cut-off", event.cut_off_at, moved_to)
        if incident.stage != "open" or moved_to == incident.cut_off_at:
            broken(entry, f"the cut-off is at {incident.cut_off_at}")
        incident.cut_off_at = moved_to

    def _reserved(self, entry: Entry, event: ReserveChanged) -> None:
        """A pool reserves for a claim at what claims said of it; after the settlement, at no more than then."""
        incident = self.pools.book(entry).incidents[event.incident]
        before, said = incident.claims.get(event.claim), self.covers.claims[event.claim]
        demand(entry, "the incident", (said.filed.incident, said.filed.cover), (event.incident, event.cover))
        if before is not None and before.status != "undecided":
            broken(entry, f"the claim is {before.status}")
        if event.status == "closed":
            demand(entry, "the amount", event.amount_minor, 0)
        elif event.amount_minor not in said.amounts:
            broken(entry, f"it was claimed and approved at {said.amounts}")
        claim = ClaimBook(event.cover, event.amount_minor, event.status)
        if before is not None:
            # Of what it was allocated it keeps the same share of less.
            claim.allocated_minor = before.allocated_minor * event.amount_minor // max(1, before.amount_minor)
            claim.late = before.late
            claim.roundings = before.roundings + (event.amount_minor < before.amount_minor)
            incident.freed_minor += before.allocated_minor - claim.allocated_minor
        elif incident.stage != "open":
            claim.late = True
            incident.stage = "settled"
        incident.claims[event.claim] = claim
        reserved = sum(each.amount_minor for each in incident.claims.values())
        demand(entry, "what is reserved", event.reserved_minor, reserved)

    def _settled(self, entry: Entry, event: IncidentSettled) -> None:
        book = self.pools.book(entry)
        incident = book.incidents[event.incident]
        incident.allocations += 1
        demand(entry, "the allocation", event.allocation, incident.allocations)
        demand(entry, "when", event.settled_at, entry.since)
        owed = {name: claim.owed_minor for name, claim in sorted(incident.claims.items()) if claim.owed_minor}
        if event.claims:
            owed = {name: owed[name] for name in event.claims}
        elif event.cause == "freed" and not incident.freed_minor:
            owed = {}
        demand(entry, "what is owed", (event.owed_minor, event.claims_count), (sum(owed.values()), len(owed)))
        self._enough(entry, book, incident, event)
        lines, cut = _shares(owed, event.distributed_minor)
        demand(entry, "the cut", event.cut, cut)
        _bear(entry, book, event)
        if event.cause == "freed":
            returned = incident.freed_minor - event.distributed_minor
            demand(entry, "what is distributed", event.distributed_minor, min(incident.freed_minor, event.owed_minor))
            demand(entry, "what went back", sum(_posted(event, name) for name in _BEARERS), -returned)
            incident.freed_minor = 0
        told = []
        for name, amount in lines.items():
            claim = incident.claims[name]
            claim.allocated_minor += amount
            if amount or event.cause in ("ample", "cut-off"):
                told.append(_line(name, owed[name], amount, claim.allocated_minor))
        if told:
            book.untold.append((event.incident, event.allocation, told))
        incident.ample = incident.ample or event.cause == "ample"
        if event.cause == "cut-off":
            incident.stage = "settled"
        if event.cause != "ample":
            demand(entry, "what is deferred", event.deferred_minor, incident.owed_minor)

    def _enough(self, entry: Entry, book: PoolBook, incident: IncidentBook, event: IncidentSettled) -> None:
        """Demand what each cause says of the capital there is, before it is taken."""
        others = [other for other in book.incidents.values() if other is not incident and other.stage == "open"]
        needed = incident.owed_minor + sum(other.owed_minor for other in others)
        promised = sum(book.provision(other) for other in others if other.ample)
        full = event.distributed_minor == event.owed_minor
        if event.cause == "ample":
            needed += promised + book.provision(incident)
            if incident.stage != "open" or not full or len(event.claims) != 1 or book.free_minor < needed:
                broken(entry, f"{book.free_minor} is there, {needed} may be needed")
        elif event.cause == "cut-off" and not full:
            late = bool(event.claims)
            if not late and (incident.ample or book.free_minor >= needed + promised):
                broken(
                    entry, f"{book.free_minor} is there, {needed} needed, {promised} promised; ample: {incident.ample}"
                )
        if event.cause == "cut-off" and entry.deadline is not None and not event.claims:
            demand(entry, "the cut-off", entry.deadline[1], incident.cut_off_at)
        if event.cause == "cut-off" and entry.deadline is None and not event.claims:
            undecided = [name for name, claim in incident.claims.items() if claim.status == "undecided"]
            demand(entry, "what may still come before the cut-off", (undecided, book.provision(incident)), ([], 0))

    def _told(self, entry: Entry, event: SettlementLines) -> None:
        book = self.pools.book(entry)
        incident, allocation, lines = book.untold[0]
        demand(entry, "the allocation", (event.incident, event.allocation), (incident, allocation))
        demand(entry, "the lines", list(event.lines), lines[:_LINES_MAX])
        demand(entry, "more", event.more, len(lines) > _LINES_MAX)
        del lines[:_LINES_MAX]
        if not lines:
            book.untold.pop(0)
        for line in event.lines:
            self.covers.lines[line.claim, event.allocation] = line

    def _closed(self, entry: Entry, event: SettlementClosed) -> None:
        incident = self.pools.book(entry).incidents[event.incident]
        if any(claim.status == "undecided" for claim in incident.claims.values()):
            broken(entry, f"claims are {incident.claims}")
        demand(entry, "what is deferred", event.deferred_minor, incident.owed_minor)
        incident.stage = "closed"

    def at_the_end(self) -> None:
        """Every incident is closed and told, each claim has what its pool gave it, equal claims have equal shares."""
        for book in self.pools.books.values():
            still_open = [name for name, incident in book.incidents.items() if incident.stage != "closed"]
            if still_open or book.untold:
                raise LawBroken(f"pool {book.name}: incidents {still_open} are open, {book.untold} is not told")
            for name, incident in book.incidents.items():
                self._given(name, incident)
                _equal(name, incident)

    def _given(self, name: str, incident: IncidentBook) -> None:
        for claim, held in incident.claims.items():
            given = self.covers.claims[claim].given_minor
            if held.status == "approved" and given != held.allocated_minor:
                raise LawBroken(f"incident {name}: claim {claim} has {given}, its pool gave {held.allocated_minor}")


_BEARERS = ("reserve", "capital:junior", "capital:senior")


def _posted(event: IncidentSettled, account: str) -> int:
    return sum(int(posting.amount_minor) for posting in event.postings if posting.account == account)


def _bear(entry: Entry, book: PoolBook, event: IncidentSettled) -> None:
    """Enter an allocation: the reserve bears it first, then junior, then senior capital."""
    if event.cause in ("ample", "cut-off"):
        left, bears = event.distributed_minor, []
        for account in _BEARERS:
            bears.append(min(left, book.balances[account]))
            left -= bears[-1]
        told = event.waterfall
        demand(entry, "who bears it", [told.reserve_minor, told.junior_minor, told.senior_minor], bears)
        demand(entry, "what is posted", [_posted(event, account) for account in _BEARERS], bears)
        demand(entry, "what nobody bears", left, 0)
    book.post(entry, event.postings)


def _shares(owed: dict[str, int], distributed: int) -> tuple[dict[str, int], Cut | None]:
    """Share an amount pro rata: whole units first, one unit more to the largest remainders, ties by claim."""
    whole = sum(owed.values())
    exact = {name: Fraction(amount * distributed, whole) for name, amount in owed.items()}
    lines = {name: int(share) for name, share in exact.items()}
    first = sorted(exact, key=lambda name: (lines[name] - exact[name], name))[: distributed - sum(lines.values())]
    cut = None
    if first:
        remainder = (exact[first[-1]] - lines[first[-1]]) * whole
        cut = Cut(remainder_minor=int(remainder), claim=first[-1])
    return {name: amount + (name in first) for name, amount in lines.items()}, cut


def _line(name: str, owed: int, amount: int, allocated: int) -> Line:
    return Line(
        claim=name, owed_minor=owed, amount_minor=amount, allocated_minor=allocated, deferred_minor=owed - amount
    )


def _equal(name: str, incident: IncidentBook) -> None:
    """Demand equal shares of equal claims, but for a unit an allocation and a reduction.

    A claim that was heard of late has its share by another rule.
    """
    alike: dict[int, list[int]] = {}
    for claim in incident.claims.values():
        if claim.status == "approved" and not claim.late:
            alike.setdefault(claim.amount_minor, []).append(claim.allocated_minor)
    units = incident.allocations + sum(claim.roundings for claim in incident.claims.values())
    for amount, shares in alike.items():
        if max(shares) - min(shares) > units:
            raise LawBroken(f"incident {name}: claims of {amount} get {shares}")
