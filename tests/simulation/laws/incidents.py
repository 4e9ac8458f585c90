"""Law 6 of product.md section 13, for incidents: which reports are one event, and one decision that stays."""

from collections import defaultdict
from dataclasses import dataclass

from schemas.governance import IncidentFound
from schemas.incidents import IncidentAlarmed, IncidentDecided, IncidentOpened, Reported, ReportJoined
from schemas.rulebook import IncidentRules
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, LawBroken, broken, demand

_STATUSES = {"accept": "confirmed", "deny": "rejected", "draw": "drawn"}


@dataclass(slots=True)
class _Book:
    opened: IncidentOpened
    status: str = "open"
    alarmed: bool = False


class Incidents:
    """Every incident of every product."""

    def __init__(self, facts: Facts, cases: Cases) -> None:
        self.facts = facts
        self.cases = cases
        self._books: dict[str, dict[str, _Book]] = {}
        self._findings: dict[str, set[str]] = defaultdict(set)
        self._last: Reported | None = None
        self._seen: set[tuple[str, str, str]] = set()
        self.handlers: Handlers = {
            IncidentOpened: self._opened,
            ReportJoined: self._joined,
            IncidentAlarmed: self._alarmed,
            IncidentFound: self._found,
            IncidentDecided: self._decided,
        }

    def _opened(self, entry: Entry, event: IncidentOpened) -> None:
        books = self._books.setdefault(event.product, {})
        demand(entry, "the incident's number", event.incident, f"{event.product}/{len(books) + 1}")
        product = self.facts.told(entry).products[event.product]
        demand(entry, "the rulebook and the pool", (event.rulebook, event.pool), (product.rulebook, product.pool))
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
        self._last = event

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

    def _alarmed(self, entry: Entry, event: IncidentAlarmed) -> None:
        """A report alarms once, while the incident is open, when its producer weighs enough by the incident's rules."""
        book, report = self._books[event.product][event.incident], self._last
        if book.status != "open" or book.alarmed or report is None:
            broken(entry, f"the incident is {book!r}")
        demand(entry, "the report", (event.incident, event.producer), (report.incident, report.producer))
        rules = self.facts.rulebooks[book.opened.rulebook].incident
        corroboration, level = rules.corroboration, self.facts.told(entry).products[event.product].alarm_weight
        if rules.alarm is None or corroboration is None or level is None:
            broken(entry, "nothing says that a report could be credible")
        weight = corroboration.weights.get(event.producer, corroboration.default_weight)
        demand(entry, "the weight", event.weight, weight)
        demand(entry, "the end", event.until, entry.since + rules.alarm)
        if weight < level:
            broken(entry, f"{level} is credible")
        book.alarmed = True

    def _found(self, entry: Entry, event: IncidentFound) -> None:
        self._findings[event.incident].add(event.finding)

    def _decided(self, entry: Entry, event: IncidentDecided) -> None:
        """An incident is decided once, by the ruling on its case or by a finding."""
        book = self._books[event.product][event.incident]
        demand(entry, "the status before", book.status, "open")
        if event.by_finding:
            if event.status not in self._findings[event.incident]:
                broken(entry, f"findings are {self._findings[event.incident]}")
        else:
            ruling = self.cases.books[f"incident/{event.incident}"]
            ruled = ruling.over and not ruling.withdrawn
            demand(entry, "the status", event.status, _STATUSES[str(ruling.outcome)] if ruled else "none yet")
        demand(entry, "when it occurred", event.occurred_at, book.opened.occurred_at)
        demand(entry, "the pool", event.pool, book.opened.pool)
        book.status = event.status

    def at_the_end(self) -> None:
        """Nothing stays open for ever."""
        still_open = [name for books in self._books.values() for name, book in books.items() if book.status == "open"]
        if still_open:
            raise LawBroken(f"incidents {still_open} are open")
