"""What assessors know of their siblings: the terms of stakes, and principals."""

from dataclasses import dataclass, field

from schemas.envelope import Message
from schemas.governance import StakeTermsSet
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Facts:
    """The terms of today, None before governance set any; and registered principals."""

    terms: StakeTermsSet | None = None
    principals: Principals = field(default_factory=PersistentMap)


class AssessorsFacts:
    """The fold over broadcasts of governance."""

    state = Facts
    types: tuple[type[Message], ...] = (StakeTermsSet, *PRINCIPAL_FACTS)

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        if isinstance(fact, StakeTermsSet):
            return Facts(fact, facts.principals)
        return Facts(facts.terms, fold_principals(facts.principals, fact))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.principals.get(principal)
