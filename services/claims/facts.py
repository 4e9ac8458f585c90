"""What claims know of their siblings: rulebooks, products, decided incidents, principals."""

from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.envelope import Message
from schemas.governance import ProductListed, RulebookPublished
from schemas.incidents import IncidentDecided
from schemas.rulebook import ClaimRules
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Product:
    """A listed product: the asset its cover is in, and the rulebook that new cover of it gets."""

    asset: str
    rulebook: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that was ruled on; `occurred_at` is the event's time in milliseconds."""

    product: str
    occurred_at: int
    status: Literal["confirmed", "rejected", "drawn"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Rulebooks by `name@version`, products and decided incidents by id, registered principals."""

    principals: Principals = field(default_factory=PersistentMap)
    rulebooks: PersistentMap[str, ClaimRules] = field(default_factory=PersistentMap)
    products: PersistentMap[str, Product] = field(default_factory=PersistentMap)
    incidents: PersistentMap[str, Incident] = field(default_factory=PersistentMap)


class ClaimsFacts:
    """The fold over broadcasts of governance and incidents."""

    state = Facts
    types: tuple[type[Message], ...] = (RulebookPublished, ProductListed, IncidentDecided, *PRINCIPAL_FACTS)

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        match fact:
            case RulebookPublished():
                return replace(facts, rulebooks=facts.rulebooks.set(fact.rulebook.id, fact.rulebook.claim))
            case ProductListed():
                product = Product(fact.asset, fact.rulebook)
                return replace(facts, products=facts.products.set(fact.product, product))
            case IncidentDecided():
                incident = Incident(fact.product, fact.occurred_at, fact.status)
                return replace(facts, incidents=facts.incidents.set(fact.incident, incident))
            case _:
                return replace(facts, principals=fold_principals(facts.principals, fact))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.principals.get(principal)
