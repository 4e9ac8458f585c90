"""What each log partition was told by its siblings, and that it was told the truth."""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.envelope import decode
from schemas.governance import AssessorProfiled, ProductListed, RulebookPublished
from schemas.incidents import IncidentDecided
from schemas.rulebook import Rulebook
from services.kernel.records import FactNoted
from tests.simulation.entries import Entry
from tests.simulation.laws.law import Handlers, broken


@dataclass(slots=True)
class Told:
    """The facts in one log partition as of its last record."""

    stakes: dict[str, int] = field(default_factory=dict)
    linked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    products: dict[str, ProductListed] = field(default_factory=dict)
    incidents: dict[str, IncidentDecided] = field(default_factory=dict)


class Facts:
    """Law 5 of product.md section 13, its ground: a published rulebook is one text for ever, everywhere."""

    def __init__(self) -> None:
        self.rulebooks: dict[str, Rulebook] = {}
        self._told: dict[tuple[str, int], Told] = defaultdict(Told)
        self.handlers: Handlers = {RulebookPublished: self._published, FactNoted: self._noted}

    def told(self, entry: Entry) -> Told:
        """Return the facts in the log partition of a record."""
        return self._told[entry.log, entry.partition]

    def _published(self, entry: Entry, event: RulebookPublished) -> None:
        if event.rulebook.id in self.rulebooks:
            broken(entry, f"{event.rulebook.id} was published before")
        self.rulebooks[event.rulebook.id] = event.rulebook

    def _noted(self, entry: Entry, event: FactNoted) -> None:
        told = self.told(entry)
        match decode(event.fact_type, event.fact_json.encode()):
            case RulebookPublished(rulebook=rulebook):
                if self.rulebooks.get(rulebook.id) != rulebook:
                    broken(entry, f"{rulebook.id} is not what was published")
            case AssessorProfiled() as fact:
                told.stakes[fact.assessor] = fact.stake_minor
                told.linked[fact.assessor] = fact.linked_accounts
            case ProductListed() as fact:
                told.products[fact.product] = fact
            case IncidentDecided() as fact:
                if fact.incident in told.incidents:
                    broken(entry, f"incident {fact.incident} was decided before")
                told.incidents[fact.incident] = fact
            case _:
                pass
