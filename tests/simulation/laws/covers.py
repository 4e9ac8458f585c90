"""Laws 2, 5 and 6 of product.md section 13, for covers and claims: what is paid, by which rules, and only once."""

from dataclasses import dataclass, field

from schemas.claims import (
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    ClaimReduced,
    ClaimWithdrawn,
    CoverRegistered,
    EvidenceAdded,
)
from schemas.instants import LAST
from schemas.rulebook import ClaimRules
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, broken, demand


@dataclass(slots=True)
class ClaimBook:
    """A claim as its events tell it."""

    filed: ClaimFiled
    amount_minor: int
    evidence: list[str]
    status: str = "filed"
    approved: ClaimApproved | None = None


@dataclass(slots=True)
class _CoverBook:
    registered: CoverRegistered
    claims: dict[str, ClaimBook] = field(default_factory=dict)
    paid_minor: int = 0
    owed_minor: int = 0


class Covers:
    """Every cover, with its claims."""

    def __init__(self, facts: Facts, cases: Cases) -> None:
        self.facts = facts
        self.cases = cases
        self.claims: dict[str, ClaimBook] = {}
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
            ClaimPaid: self._paid,
        }

    def rules(self, claim: str) -> ClaimRules:
        """Return the rules pinned when a claim's cover was sold."""
        return self.facts.rulebooks[self._books[claim.rpartition("/")[0]].registered.rulebook].claim

    def _registered(self, entry: Entry, event: CoverRegistered) -> None:
        if event.cover in self._books:
            broken(entry, "the cover was registered before")
        demand(entry, "the asset", event.asset, self.facts.told(entry).products[event.product].asset)
        self._books[event.cover] = _CoverBook(event)

    def _filed(self, entry: Entry, event: ClaimFiled) -> None:
        """Check every intake rule again, by the pinned rulebook and no other."""
        book = self._books[event.cover]
        sold, incident = book.registered, self.facts.told(entry).incidents[event.incident]
        intake = self.facts.rulebooks[sold.rulebook].claim.intake
        demand(entry, "the rulebook", event.rulebook, sold.rulebook)
        demand(entry, "the claimant", event.claimant, sold.holder)
        demand(entry, "the sender", entry.headers["ce_sender"], sold.holder)
        demand(entry, "the claim's number", event.claim, f"{event.cover}/{len(book.claims) + 1}")
        demand(entry, "the incident", (incident.status, incident.product), ("confirmed", sold.product))
        covered_until = sold.expires_at + intake.expiry_inclusive
        claimable_until = min(sold.expires_at + intake.grace, LAST) + intake.grace_inclusive
        in_time = (
            sold.starts_at + intake.waiting_period <= incident.occurred_at < covered_until
            and incident.occurred_at + intake.not_before <= entry.at < claimable_until
        )
        open_ones = [claim for claim in book.claims.values() if claim.status == "filed"]
        paid = [claim for claim in book.claims.values() if claim.approved and claim.filed.incident == event.incident]
        remaining = sold.amount_minor - book.paid_minor - book.owed_minor
        if not in_time or open_ones or paid or event.amount_minor > remaining:
            broken(entry, f"in time: {in_time}, open: {open_ones}, paid: {paid}, remaining: {remaining}")
        claim = ClaimBook(event, event.amount_minor, [])
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
        claim.amount_minor = event.amount_minor

    def _withdrawn(self, entry: Entry, event: ClaimWithdrawn) -> None:
        self._open(entry, event.claim).status = "withdrawn"

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
        claim.status, claim.approved = "approved", event

    def _ended(self, entry: Entry, event: ClaimDenied | ClaimDrawn) -> None:
        claim = self._open(entry, event.claim)
        claim.status = "denied" if isinstance(event, ClaimDenied) else "drawn"
        outcome = "deny" if isinstance(event, ClaimDenied) else "draw"
        demand(entry, "the ruling", self.cases.books[event.case].outcome, outcome)

    def _paid(self, entry: Entry, event: ClaimPaid) -> None:
        claim, book = self.claims[event.claim], self._books[event.claim.rpartition("/")[0]]
        demand(entry, "the claim's status before", claim.status, "approved")
        assert claim.approved is not None
        demand(
            entry,
            "what is paid",
            (event.payout, event.amount_minor),
            (claim.approved.payout, claim.approved.amount_minor),
        )
        book.paid_minor += event.amount_minor
        book.owed_minor -= event.amount_minor
        demand(entry, "what remains", event.remaining_minor, book.registered.amount_minor - book.paid_minor)
        claim.status = "paid"
