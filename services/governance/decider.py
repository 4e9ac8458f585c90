"""Governance of one scope: what exists, in which version, and who may speak for whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from schemas.envelope import Event
from schemas.governance import (
    GovernanceInput,
    ListProduct,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductListed,
    PublishRulebook,
    RegisterPrincipal,
    RevokePrincipal,
    RulebookPublished,
)
from schemas.topics import OWNED
from services.governance import accounts, offers
from services.governance.accounts import Registration
from services.governance.facts import Facts
from services.governance.offers import Product, Published
from services.kernel.decider import Deadline, Received, Refused
from services.kernel.persistent import PersistentMap

ROOT = OWNED["governance.actions"]
"""The only sender whose actions count."""


@dataclass(frozen=True, slots=True)
class Scope:
    """All that governance decided in one scope.

    `rulebooks` is keyed by `name@version`, `latest_versions` by name, the others by the id of what they hold.
    """

    rulebooks: PersistentMap[str, Published]
    latest_versions: PersistentMap[str, int]
    products: PersistentMap[str, Product]
    principals: PersistentMap[str, Registration]


class ScopeDecider:
    """Decides acts of governance; only `root` acts (product.md section 8, architecture: owned topics)."""

    state = Scope

    def initial(self, key: str) -> Scope:
        """Return a scope in which nothing exists."""
        return Scope(PersistentMap(), PersistentMap(), PersistentMap(), PersistentMap())

    def evolve(self, state: Scope, event: Event) -> Scope:
        """Fold one event."""
        match event:
            case RulebookPublished(rulebook=rulebook):
                return replace(
                    state,
                    rulebooks=state.rulebooks.set(rulebook.id, Published(rulebook, event.sha256)),
                    latest_versions=state.latest_versions.set(rulebook.name, rulebook.version),
                )
            case ProductListed():
                return replace(state, products=state.products.set(event.product, Product.of(event)))
            case PrincipalRegistered():
                registration = Registration(event.public_key, event.streams, event.accounts)
                return replace(state, principals=state.principals.set(event.principal, registration))
            case PrincipalRevoked():
                return replace(state, principals=state.principals.remove(event.principal))
            case _:
                return state

    def decide(self, state: Scope, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one act of governance."""
        action = received.content
        if not isinstance(action, GovernanceInput):
            return ()
        if received.sender != ROOT:
            sender = received.sender or "no proven sender"
            return [Refused(rule="governance.not-root", value=sender, accepted=ROOT)]
        return [_act(state, action)]

    def deadlines(self, state: Scope, facts: Facts) -> Iterable[Deadline]:
        """List nothing: no act of governance waits for anything."""
        return ()


def _act(state: Scope, action: GovernanceInput) -> Event:
    """Apply the rules of one action."""
    match action:
        case PublishRulebook():
            return offers.publish(state.rulebooks, state.latest_versions, action)
        case ListProduct():
            return offers.list_product(state.products, state.rulebooks, action)
        case RegisterPrincipal():
            return accounts.register(state.principals, action)
        case RevokePrincipal():
            return accounts.revoke(state.principals, action)
        case _:
            raise AssertionError(action.wire)
