"""What each log partition was told by its siblings, and that it was told the truth."""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.assessors import AssessorProfiled, StakeWithdrawalAnnounced
from schemas.envelope import Message, decode
from schemas.governance import ProductHalted, ProductListed, ProductOpened, RulebookPublished, StakeTermsSet
from schemas.incidents import IncidentAlarmed, IncidentDecided
from schemas.instants import LAST
from schemas.rulebook import Rulebook
from services.kernel.records import FactNoted
from tests.simulation.entries import Entry
from tests.simulation.laws.law import Handlers, broken


@dataclass(slots=True)
class Told:
    """The facts in one log partition as of its last record.

    `stakes` has what each assessor weighs in new votes, `leaving` the last of those that were announced to leave, by
    how many there were; `halts` the ends of a product's halts by their beginnings, `alarms` the ends of a product's
    alarms by incident.
    """

    stakes: dict[str, int] = field(default_factory=dict)
    terms: StakeTermsSet | None = None
    profiles: dict[str, AssessorProfiled] = field(default_factory=dict)
    leaving: list[StakeWithdrawalAnnounced] = field(default_factory=list)
    products: dict[str, ProductListed] = field(default_factory=dict)
    incidents: dict[str, IncidentDecided] = field(default_factory=dict)
    halts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    alarms: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def halted(self, product: str | None, at: int) -> bool:
        """Tell whether a product is halted at an instant."""
        return any(begin <= at < end for begin, end in self.halts[product or ""].items())

    def alarmed(self, product: str, at: int) -> bool:
        """Tell whether an incident of a product is reported, and not decided, at an instant."""
        return any(at < until for until in self.alarms[product].values())

    def after(self, product: str, start: int, span: int) -> int:
        """Return when a span has passed since an instant, outside the halts of a product."""
        now, left = start, span
        for begin, end in sorted(self.halts[product].items()):
            if end <= now:
                continue
            if max(begin, now) >= now + left:
                break
            left -= max(0, begin - now)
            now = end
        return min(now + left, LAST)

    def near(self, product: str) -> set[str]:
        """List the listed products that stand on the same: by a shared dependency, or one as the other's."""
        own = self.products[product].dependencies if product in self.products else ()
        return {
            name
            for name, other in self.products.items()
            if name == product or product in other.dependencies or name in own or set(own) & set(other.dependencies)
        }


class Facts:
    """Law 5 of product.md section 13, its ground: a published rulebook is one text for ever, everywhere."""

    def __init__(self) -> None:
        self.rulebooks: dict[str, Rulebook] = {}
        self.hashes: dict[str, str] = {}
        self._told: dict[tuple[str, int], Told] = defaultdict(Told)
        self._said: dict[str, AssessorProfiled] = {}
        self.handlers: Handlers = {
            RulebookPublished: self._published,
            FactNoted: self._noted,
            AssessorProfiled: self._profiled,
        }

    def told(self, entry: Entry) -> Told:
        """Return the facts in the log partition of a record."""
        return self._told[entry.log, entry.partition]

    def _published(self, entry: Entry, event: RulebookPublished) -> None:
        if event.rulebook.id in self.rulebooks:
            broken(entry, f"{event.rulebook.id} was published before")
        self.rulebooks[event.rulebook.id] = event.rulebook
        self.hashes[event.rulebook.id] = event.sha256

    def _profiled(self, entry: Entry, event: AssessorProfiled) -> None:
        """Others hear of a profile only when it differs from the one they know."""
        said = event.model_copy(update={"next": None})
        if self._said.get(event.assessor) == said:
            broken(entry, "the same was said before")
        self._said[event.assessor] = said

    def _noted(self, entry: Entry, event: FactNoted) -> None:
        fact = decode(event.fact_type, event.fact_json.encode())
        if isinstance(fact, RulebookPublished) and self.rulebooks.get(fact.rulebook.id) != fact.rulebook:
            broken(entry, f"{fact.rulebook.id} is not what was published")
        if isinstance(fact, IncidentDecided) and fact.incident in self.told(entry).incidents:
            broken(entry, f"incident {fact.incident} was decided before")
        _note(self.told(entry), fact)


def _note(told: Told, fact: Message) -> None:
    match fact:
        case AssessorProfiled():
            told.profiles[fact.assessor] = fact
            told.stakes[fact.assessor] = fact.stake_minor
        case StakeWithdrawalAnnounced():
            told.stakes[fact.assessor] = fact.stake_minor
            told.leaving.append(fact)
        case StakeTermsSet():
            told.terms = fact
        case ProductListed():
            told.products[fact.product] = fact
        case ProductHalted():
            told.halts[fact.product][fact.effective_at] = fact.until
        case ProductOpened() if fact.effective_at in told.halts[fact.product]:
            told.halts[fact.product][fact.effective_at] = fact.until
        case IncidentAlarmed():
            told.alarms[fact.product][fact.incident] = fact.until
        case IncidentDecided():
            told.incidents[fact.incident] = fact
            told.alarms[fact.product].pop(fact.incident, None)
        case _:
            pass
