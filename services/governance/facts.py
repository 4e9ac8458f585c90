"""What governance knows besides its scope: the principals it registered itself, so that guardians' vouchers count."""

from dataclasses import dataclass, field

from schemas.envelope import Event, Message
from schemas.principals import PrincipalRegistered, PrincipalRevoked
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Facts:
    """Live principals; no sibling tells governance anything."""

    principals: Principals = field(default_factory=PersistentMap)


class GovernanceFacts:
    """A fold over governance's own log: a principal can vouch from the input after the one that registered it."""

    state = Facts
    types: tuple[type[Message], ...] = ()
    own: tuple[type[Event], ...] = (PrincipalRegistered, PrincipalRevoked)

    def initial(self) -> Facts:
        """Return the facts before the first event."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Return the facts as they are: there are no broadcasts."""
        return facts

    def evolve_own(self, facts: Facts, key: str, event: Event) -> Facts:
        """Fold one event of governance about principals."""
        return Facts(fold_principals(facts.principals, event))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a live principal; inputs of root need no voucher, for the stream is its own."""
        return facts.principals.get(principal)
