"""Law 2 of product.md section 13, for payouts: each is instructed as it is owed, and transferred once."""

from dataclasses import dataclass

from schemas.instants import LAST
from schemas.payouts import (
    PayoutConfirmed,
    PayoutFailed,
    PayoutInstructed,
    PayoutResumed,
    PayoutRetried,
    PayoutSubmitted,
    PayoutSuspended,
)
from tests.simulation.entries import Entry
from tests.simulation.laws.debts import Debt, Debts
from tests.simulation.laws.law import Handlers, broken, demand


@dataclass(slots=True)
class PayoutBook:
    """A payout as its events tell it; `status` is instructed, waiting, suspended or confirmed."""

    instructed: PayoutInstructed
    attempt: int = 1
    status: str = "instructed"


class Payouts:
    """Every payout."""

    def __init__(self, debts: Debts) -> None:
        self.debts = debts
        self.books: dict[str, PayoutBook] = {}
        self.handlers: Handlers = {
            PayoutInstructed: self._instructed,
            PayoutRetried: self._retried,
            PayoutSubmitted: self._submitted,
            PayoutFailed: self._failed,
            PayoutSuspended: self._suspended,
            PayoutResumed: self._resumed,
            PayoutConfirmed: self._confirmed,
        }

    def is_confirmed(self, payout: str) -> bool:
        """Tell whether a transfer happened."""
        return payout in self.books and self.books[payout].status == "confirmed"

    def _instructed(self, entry: Entry, event: PayoutInstructed) -> None:
        if event.payout in self.books:
            broken(entry, "the payout was instructed before")
        if event.payout not in self.debts:
            broken(entry, "nobody owes it")
        said = Debt._make(getattr(event, name) for name in Debt._fields)
        demand(entry, "what is to be transferred", said, self.debts[event.payout])
        demand(entry, "the attempt", event.attempt, 1)
        self._receipt_due(entry, event, event)
        self.books[event.payout] = PayoutBook(event)

    def _receipt_due(self, entry: Entry, first: PayoutInstructed, event: PayoutInstructed | PayoutRetried) -> None:
        demand(
            entry, "the receipt's due time", event.receipt_due_at, min(entry.since + first.terms.receipt_within, LAST)
        )

    def _retried(self, entry: Entry, event: PayoutRetried) -> None:
        book = self.books[event.payout]
        for name in ("claim", "cover", "pool", "assessor", "asset", "recipient", "amount_minor", "arithmetic"):
            demand(entry, name, getattr(event, name), getattr(book.instructed, name))
        demand(entry, "the attempt", event.attempt, book.attempt + 1)
        demand(entry, "the status before", book.status, "waiting")
        self._receipt_due(entry, book.instructed, event)
        book.attempt, book.status = event.attempt, "instructed"

    def _submitted(self, entry: Entry, event: PayoutSubmitted) -> None:
        demand(entry, "the attempt", event.attempt, self.books[event.payout].attempt)

    def _failed(self, entry: Entry, event: PayoutFailed) -> None:
        book = self.books[event.payout]
        demand(entry, "the attempt", event.attempt, book.attempt)
        terms = book.instructed.terms
        if book.status == "instructed" and event.attempt < terms.attempts_max:
            wait = min(terms.first_retry * terms.multiplier ** (event.attempt - 1), terms.longest_retry)
            demand(entry, "the time of the next attempt", event.retry_at, min(entry.since + wait, LAST))
            book.status = "waiting"
        else:
            demand(entry, "the time of the next attempt", event.retry_at, None)

    def _suspended(self, entry: Entry, event: PayoutSuspended) -> None:
        book = self.books[event.payout]
        demand(entry, "the status before", book.status, "instructed")
        book.status = "suspended"

    def _resumed(self, entry: Entry, event: PayoutResumed) -> None:
        book = self.books[event.payout]
        demand(entry, "the status before", book.status, "suspended")
        book.status = "waiting"

    def _confirmed(self, entry: Entry, event: PayoutConfirmed) -> None:
        book = self.books[event.payout]
        if book.status == "confirmed":
            broken(entry, "the payout was confirmed before")
        demand(entry, "the amount", event.amount_minor, book.instructed.amount_minor)
        if event.attempt > book.attempt:
            broken(entry, f"attempt {book.attempt} is the last that was instructed")
        book.status = "confirmed"
