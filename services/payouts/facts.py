"""What payouts know of their siblings: registered principals, who may write receipts and act as operators."""

from dataclasses import dataclass, field

from schemas.envelope import Message
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Facts:
    """Registered principals."""

    principals: Principals = field(default_factory=PersistentMap)


class PayoutsFacts:
    """The fold over broadcasts of governance."""

    state = Facts
    types: tuple[type[Message], ...] = PRINCIPAL_FACTS

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        return Facts(fold_principals(facts.principals, fact))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.principals.get(principal)
