"""What claims know of their siblings: rulebooks, products and their halts, decided incidents, principals."""

from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.envelope import Message
from schemas.governance import ProductHalted, ProductListed, ProductOpened, RulebookPublished
from schemas.halts import NO_HALTS, Halts, noted
from schemas.incidents import IncidentDecided
from schemas.rulebook import ClaimRules
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Product:
    """A listed product: the asset its cover is in, the rulebook new cover gets, the pool that sells it, if one does."""

    asset: str
    rulebook: str
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that was decided, at `decided_at`; `occurred_at` is the event's time. Both are milliseconds."""

    product: str
    occurred_at: int
    status: Literal["confirmed", "rejected", "drawn"]
    decided_at: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Rulebooks by `name@version`, products, decided incidents and halts by id, registered principals."""

    principals: Principals = field(default_factory=PersistentMap)
    rulebooks: PersistentMap[str, ClaimRules] = field(default_factory=PersistentMap)
    products: PersistentMap[str, Product] = field(default_factory=PersistentMap)
    incidents: PersistentMap[str, Incident] = field(default_factory=PersistentMap)
    halts: PersistentMap[str, Halts] = field(default_factory=PersistentMap)


class ClaimsFacts:
    """The fold over broadcasts of governance and incidents."""

    state = Facts
    types: tuple[type[Message], ...] = (
        RulebookPublished,
        ProductListed,
        ProductHalted,
        ProductOpened,
        IncidentDecided,
        *PRINCIPAL_FACTS,
    )

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        match fact:
            case RulebookPublished():
                return replace(facts, rulebooks=facts.rulebooks.set(fact.rulebook.id, fact.rulebook.claim))
            case ProductListed():
                product = Product(fact.asset, fact.rulebook, fact.pool)
                return replace(facts, products=facts.products.set(fact.product, product))
            case IncidentDecided():
                incident = Incident(fact.product, fact.occurred_at, fact.status, fact.decided_at)
                return replace(facts, incidents=facts.incidents.set(fact.incident, incident))
            case ProductHalted() | ProductOpened():
                halts = noted(facts.halts.get(fact.product, NO_HALTS), fact)
                return replace(facts, halts=facts.halts.set(fact.product, halts))
            case _:
                return replace(facts, principals=fold_principals(facts.principals, fact))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.principals.get(principal)
