"""What incidents knows of its siblings: products, the incident rules of rulebooks, and principals."""

from dataclasses import dataclass, replace

from schemas.envelope import Message
from schemas.governance import ProductListed, RulebookPublished
from schemas.rulebook import IncidentRules
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its rulebook (`name@version`), its pool, and from which weight on a producer's report is credible."""

    rulebook: str
    pool: str | None
    alarm_weight: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Products by id, the incident rules of each rulebook, and live principals."""

    products: PersistentMap[str, Product]
    rules: PersistentMap[str, IncidentRules]
    principals: Principals


class IncidentFacts:
    """A fold over governance's broadcasts; a product comes after its rulebook, for governance publishes it first."""

    state = Facts
    types: tuple[type[Message], ...] = (RulebookPublished, ProductListed, *PRINCIPAL_FACTS)

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts(PersistentMap(), PersistentMap(), PersistentMap())

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        match fact:
            case RulebookPublished(rulebook=rulebook):
                return replace(facts, rules=facts.rules.set(rulebook.id, rulebook.incident))
            case ProductListed():
                product = Product(fact.rulebook, fact.pool, fact.alarm_weight)
                return replace(facts, products=facts.products.set(fact.product, product))
            case _:
                return replace(facts, principals=fold_principals(facts.principals, fact))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a live principal."""
        return facts.principals.get(principal)
