"""Laws 2, 5 and 6 of product.md section 13, for covers and claims: what is paid, by which rules, and only once."""

from dataclasses import dataclass, field

from schemas.claims import (
    ClaimAllocated,
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    ClaimReduced,
    ClaimShareHeld,
    ClaimWithdrawn,
    CoverRegistered,
    EvidenceAdded,
)
from schemas.instants import LAST
from schemas.pools import CoverSold, Line
from schemas.rulebook import ClaimRules
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.debts import Debts, of_claim
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, broken, demand


@dataclass(slots=True)
class ClaimBook:
    """A claim as its events tell it; `amounts` has all that was claimed and approved, `payouts` what was asked for."""

    filed: ClaimFiled
    amount_minor: int
    evidence: list[str]
    status: str = "filed"
    approved: ClaimApproved | None = None
    amounts: set[int] = field(default_factory=set)
    held_minor: int = 0
    payouts: dict[str, int] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)
    allocations: set[int] = field(default_factory=set)

    @property
    def given_minor(self) -> int:
        """What it was given, held or asked for."""
        return self.held_minor + sum(self.payouts.values())


@dataclass(slots=True)
class _CoverBook:
    registered: CoverRegistered
    claims: dict[str, ClaimBook] = field(default_factory=dict)
    paid_minor: int = 0
    owed_minor: int = 0


class Covers:
    """Every cover, with its claims; `lines` are those that pools told, by claim and allocation."""

    def __init__(self, facts: Facts, cases: Cases, debts: Debts) -> None:
        self.facts = facts
        self.cases = cases
        self.debts = debts
        self.claims: dict[str, ClaimBook] = {}
        self.lines: dict[tuple[str, int], Line] = {}
        self.sold: dict[str, CoverSold] = {}
        self._books: dict[str, _CoverBook] = {}
        self.handlers: Handlers = {
            CoverRegistered: self._registered,
            ClaimFiled: self._filed,
            EvidenceAdded: self._added,
            ClaimReduced: self._reduced,
            ClaimWithdrawn: self._withdrawn,
            ClaimApproved: self._approved,
            ClaimDenied: self._ended,
            ClaimDrawn: self._ended,
            ClaimShareHeld: self._held,
            ClaimAllocated: self._allocated,
            ClaimPaid: self._paid,
            CoverSold: self._sold,
        }

    def rules(self, claim: str) -> ClaimRules:
        """Return the rules pinned when a claim's cover was sold."""
        return self.facts.rulebooks[self._books[claim.rpartition("/")[0]].registered.rulebook].claim

    def _sold(self, entry: Entry, event: CoverSold) -> None:
        self.sold[event.cover] = event

    def _registered(self, entry: Entry, event: CoverRegistered) -> None:
        if event.cover in self._books:
            broken(entry, "the cover was registered before")
        product = self.facts.told(entry).products[event.product]
        demand(entry, "the asset", event.asset, product.asset)
        demand(entry, "the pool", event.pool, product.pool)
        if event.pool is not None:
            sold = self.sold[event.cover]
            for name in ("product", "holder", "amount_minor", "starts_at", "expires_at", "rulebook", "premium_minor"):
                demand(entry, name, getattr(event, name), getattr(sold, name))
            demand(entry, "the end", event.claimable_until, sold.claimable_until)
        self._books[event.cover] = _CoverBook(event)

    def _filed(self, entry: Entry, event: ClaimFiled) -> None:
        """Check every intake rule again, by the pinned rulebook and no other."""
        book = self._books[event.cover]
        told, sold = self.facts.told(entry), book.registered
        incident, rules = told.incidents[event.incident], self.facts.rulebooks[sold.rulebook].claim
        intake = rules.intake
        demand(entry, "the rulebook", event.rulebook, sold.rulebook)
        demand(entry, "the claimant", event.claimant, sold.holder)
        demand(entry, "the product and the pool", (event.product, event.pool), (sold.product, sold.pool))
        demand(entry, "the sender", entry.headers["ce_sender"], sold.holder)
        demand(entry, "the claim's number", event.claim, f"{event.cover}/{len(book.claims) + 1}")
        demand(entry, "the incident", (incident.status, incident.product), ("confirmed", sold.product))
        covered_until = sold.expires_at + intake.expiry_inclusive
        claimable_until = told.after(sold.product, sold.expires_at, intake.grace) + intake.grace_inclusive
        claimable_from = told.after(sold.product, incident.occurred_at, intake.not_before)
        if sold.pool is not None and rules.settlement is not None:
            cut_off_at = told.after(sold.product, incident.decided_at, rules.settlement.cut_off)
            claimable_until = min(claimable_until, cut_off_at)
        in_time = (
            min(sold.starts_at + intake.waiting_period, LAST) <= incident.occurred_at < covered_until
            and claimable_from <= entry.at < claimable_until
        )
        open_ones = [claim for claim in book.claims.values() if claim.status == "filed"]
        paid = [claim for claim in book.claims.values() if claim.approved and claim.filed.incident == event.incident]
        remaining = sold.amount_minor - book.paid_minor - book.owed_minor
        if not in_time or open_ones or paid or event.amount_minor > remaining:
            broken(entry, f"in time: {in_time}, open: {open_ones}, paid: {paid}, remaining: {remaining}")
        claim = ClaimBook(event, event.amount_minor, [], amounts={event.amount_minor})
        book.claims[event.claim] = self.claims[event.claim] = claim
        self._documents(entry, claim, [document.sha256 for document in event.evidence])

    def _documents(self, entry: Entry, claim: ClaimBook, added: list[str]) -> None:
        claim.evidence += added
        if len(claim.evidence) > min(self.rules(claim.filed.claim).intake.evidence_max, len(set(claim.evidence))):
            broken(entry, f"documents {claim.evidence}")

    def _open(self, entry: Entry, claim: str) -> ClaimBook:
        book = self.claims[claim]
        demand(entry, "the claim's status before", book.status, "filed")
        return book

    def _added(self, entry: Entry, event: EvidenceAdded) -> None:
        self._documents(entry, self._open(entry, event.claim), [document.sha256 for document in event.evidence])

    def _reduced(self, entry: Entry, event: ClaimReduced) -> None:
        claim = self._open(entry, event.claim)
        if event.amount_minor >= claim.amount_minor:
            broken(entry, f"{claim.amount_minor} was claimed")
        claim.held_minor = claim.held_minor * event.amount_minor // claim.amount_minor
        claim.amount_minor = event.amount_minor
        claim.amounts.add(event.amount_minor)

    def _withdrawn(self, entry: Entry, event: ClaimWithdrawn) -> None:
        claim = self._open(entry, event.claim)
        claim.status, claim.held_minor = "withdrawn", 0

    def _approved(self, entry: Entry, event: ClaimApproved) -> None:
        """What is approved is what was ruled and is still claimed, fits the cover, and is explained step by step."""
        claim, book = self._open(entry, event.claim), self._books[event.cover]
        case = self.cases.books[f"claim/{event.claim}"]
        demand(entry, "the ruling", case.outcome, "accept")
        demand(entry, "the amount", event.amount_minor, min(case.amount_minor, claim.amount_minor))
        demand(entry, "the payout terms", event.payout_terms, self.rules(event.claim).payout)
        demand(entry, "the recipient", event.recipient, claim.filed.claimant)
        remaining = book.registered.amount_minor - book.paid_minor - book.owed_minor
        explained = {
            "ruled_minor": case.amount_minor,
            "claimed_minor": claim.amount_minor,
            "remaining_minor": remaining,
        }
        (step,) = event.arithmetic
        demand(entry, "what went in", {name: int(value) for name, value in step.inputs.items()}, explained)
        demand(entry, "what came out", int(step.result_minor), event.amount_minor)
        book.owed_minor += event.amount_minor
        if book.paid_minor + book.owed_minor > book.registered.amount_minor:
            broken(entry, f"more than the cover's {book.registered.amount_minor} is owed")
        claim.status, claim.approved, claim.amount_minor = "approved", event, event.amount_minor
        claim.amounts.add(event.amount_minor)
        pool = claim.filed.pool
        demand(entry, "the pool", event.pool, pool)
        demand(entry, "the payout", event.payout, f"{event.claim}/1" if pool is None else None)
        if event.payout is not None:
            claim.payouts[event.payout] = event.amount_minor
            self.debts[event.payout] = of_claim(event)

    def _line(self, entry: Entry, event: ClaimShareHeld | ClaimAllocated, claim: ClaimBook) -> int:
        """Return what of a pool's line a claim takes, once: the same share of less, where less is claimed than then."""
        if event.allocation is None or event.allocation in claim.allocations:
            broken(entry, f"allocations taken so far are {claim.allocations}")
        claim.allocations.add(event.allocation)
        line = self.lines[event.claim, event.allocation]
        reckoned = line.allocated_minor + line.deferred_minor
        if claim.amount_minor < reckoned:
            return max(0, line.allocated_minor * claim.amount_minor // reckoned - claim.given_minor)
        return min(line.amount_minor, claim.amount_minor - claim.given_minor)

    def _held(self, entry: Entry, event: ClaimShareHeld) -> None:
        claim = self.claims[event.claim]
        demand(entry, "what is held of the line", event.amount_minor, self._line(entry, event, claim))
        if claim.status != "filed" and event.amount_minor:
            broken(entry, f"the claim is {claim.status}")
        claim.held_minor += event.amount_minor
        demand(entry, "what is held", event.held_minor, claim.held_minor)

    def _allocated(self, entry: Entry, event: ClaimAllocated) -> None:
        """What an approved claim was given by its pool is asked for, once."""
        claim = self.claims[event.claim]
        if claim.approved is None:
            broken(entry, "the claim is not approved")
        if event.allocation is None:
            demand(entry, "what was held", event.amount_minor, min(claim.held_minor, claim.amount_minor))
            claim.held_minor = 0
        else:
            demand(entry, "what of the line is paid", event.amount_minor, self._line(entry, event, claim))
        demand(entry, "the payout", event.payout, f"{event.claim}/{len(claim.payouts) + 1}")
        claim.payouts[event.payout] = event.amount_minor
        given, amount = claim.given_minor, claim.amount_minor
        demand(entry, "the sums", (event.allocated_minor, event.deferred_minor), (given, amount - given))
        if given > amount:
            broken(entry, f"{given} is more than {amount}")
        demand(entry, "the recipient", event.recipient, claim.approved.recipient)
        demand(entry, "the payout terms", event.payout_terms, claim.approved.payout_terms)
        self.debts[event.payout] = of_claim(event)

    def _ended(self, entry: Entry, event: ClaimDenied | ClaimDrawn) -> None:
        claim = self._open(entry, event.claim)
        claim.status = "denied" if isinstance(event, ClaimDenied) else "drawn"
        outcome = "deny" if isinstance(event, ClaimDenied) else "draw"
        demand(entry, "the ruling", self.cases.books[event.case].outcome, outcome)
        claim.held_minor = 0

    def _paid(self, entry: Entry, event: ClaimPaid) -> None:
        claim, book = self.claims[event.claim], self._books[event.claim.rpartition("/")[0]]
        if claim.approved is None or event.payout in claim.paid:
            broken(entry, f"the claim is {claim.status}, of its payouts {claim.paid} happened")
        demand(entry, "what is paid", event.amount_minor, claim.payouts[event.payout])
        claim.paid.add(event.payout)
        book.paid_minor += event.amount_minor
        book.owed_minor -= event.amount_minor
        if book.paid_minor > book.registered.amount_minor:
            broken(entry, f"more than the cover's {book.registered.amount_minor} is paid")
        demand(entry, "what remains", event.remaining_minor, book.registered.amount_minor - book.paid_minor)
        unpaid = claim.amount_minor - sum(claim.payouts[payout] for payout in claim.paid)
        demand(entry, "what is unpaid", event.unpaid_minor, unpaid)
        claim.status = "partly-paid" if unpaid else "paid"
