"""Law 6 of product.md section 13, for incidents: which reports are one event, and one decision that stays."""

from dataclasses import dataclass

from schemas.incidents import IncidentDecided, IncidentOpened, Reported, ReportJoined
from schemas.rulebook import IncidentRules
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, broken, demand

_STATUSES = {"accept": "confirmed", "deny": "rejected", "draw": "drawn"}


@dataclass(slots=True)
class _Book:
    opened: IncidentOpened
    status: str = "open"


class Incidents:
    """Every incident of every product."""

    def __init__(self, facts: Facts, cases: Cases) -> None:
        self.facts = facts
        self.cases = cases
        self._books: dict[str, dict[str, _Book]] = {}
        self._seen: set[tuple[str, str, str]] = set()
        self.handlers: Handlers = {
            IncidentOpened: self._opened,
            ReportJoined: self._joined,
            IncidentDecided: self._decided,
        }

    def _opened(self, entry: Entry, event: IncidentOpened) -> None:
        books = self._books.setdefault(event.product, {})
        demand(entry, "the incident's number", event.incident, f"{event.product}/{len(books) + 1}")
        demand(entry, "the rulebook", event.rulebook, self.facts.told(entry).products[event.product].rulebook)
        demand(entry, "the incident to join", self._nearest(entry, event.product, event), None)
        self._reported(entry, event.product, event)
        books[event.incident] = _Book(event)

    def _joined(self, entry: Entry, event: ReportJoined) -> None:
        product = event.incident.rpartition("/")[0]
        demand(entry, "the incident to join", event.incident, self._nearest(entry, product, event))
        self._reported(entry, product, event)

    def _reported(self, entry: Entry, product: str, event: Reported) -> None:
        rules = self._rules(entry, product)
        if not entry.at - rules.report_within <= event.occurred_at <= entry.at:
            broken(entry, f"it is reported at {entry.at}, within {rules.report_within}")
        demand(entry, "the producer", event.producer, entry.headers["ce_sender"])
        name = (product, event.producer, event.reference)
        if name in self._seen:
            broken(entry, "the same producer's same reference was taken before")
        self._seen.add(name)

    def _rules(self, entry: Entry, product: str) -> IncidentRules:
        return self.facts.rulebooks[self.facts.told(entry).products[product].rulebook].incident

    def _nearest(self, entry: Entry, product: str, event: Reported) -> str | None:
        window = self._rules(entry, product).join_window
        near = [
            (abs(book.opened.occurred_at - event.occurred_at), book.opened.occurred_at, incident)
            for incident, book in self._books.get(product, {}).items()
            if book.status in ("open", "confirmed")
        ]
        return next((incident for distance, _, incident in sorted(near) if distance <= window), None)

    def _decided(self, entry: Entry, event: IncidentDecided) -> None:
        book = self._books[event.product][event.incident]
        demand(entry, "the status before", book.status, "open")
        ruling = self.cases.books[f"incident/{event.incident}"]
        demand(entry, "the status", event.status, _STATUSES[str(ruling.outcome)] if ruling.over else "none yet")
        demand(entry, "when it occurred", event.occurred_at, book.opened.occurred_at)
        book.status = event.status
