"""Governance of one scope: what exists, in which version, who may speak for whom, and what is halted or found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from schemas.envelope import Event
from schemas.governance import (
    FindIncident,
    GovernanceInput,
    GroupSet,
    HaltProduct,
    HaltRequested,
    IncidentFound,
    ListProduct,
    OpenPool,
    OpenProduct,
    PoolListed,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductHalted,
    ProductListed,
    ProductOpened,
    PublishRulebook,
    RegisterPrincipal,
    RevokePrincipal,
    RulebookPublished,
    SetGroup,
    SetStakeTerms,
    StakeTermsSet,
)
from services.governance import accounts, capital, findings, halts, offers
from services.governance.accounts import Registration
from services.governance.capital import Pool, StakeTerms
from services.governance.facts import Facts
from services.governance.findings import Finding
from services.governance.halts import ROOT, Halts, Persons
from services.governance.offers import Product, Published
from services.kernel.decider import Deadline, Received, Refused
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Scope:
    """All that governance decided in one scope.

    `rulebooks` is keyed by `name@version`, `latest_versions` by name, the others by the id of what they hold;
    `groups` holds members in order, `findings` the last on each incident.
    """

    rulebooks: PersistentMap[str, Published] = field(default_factory=PersistentMap)
    latest_versions: PersistentMap[str, int] = field(default_factory=PersistentMap)
    products: PersistentMap[str, Product] = field(default_factory=PersistentMap)
    pools: PersistentMap[str, Pool] = field(default_factory=PersistentMap)
    principals: PersistentMap[str, Registration] = field(default_factory=PersistentMap)
    groups: PersistentMap[str, tuple[str, ...]] = field(default_factory=PersistentMap)
    findings: PersistentMap[str, Finding] = field(default_factory=PersistentMap)
    stake_terms: StakeTerms | None = None
    halts: Halts = field(default_factory=Halts)


class ScopeDecider:
    """Decides acts of governance: root acts (architecture: owned topics), guardians halt (product.md section 8)."""

    state = Scope

    def initial(self, key: str) -> Scope:
        """Return a scope in which nothing exists."""
        return Scope()

    def evolve(self, state: Scope, event: Event) -> Scope:  # noqa: PLR0911 - one return per event
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
            case PoolListed():
                pool = Pool(event.title, event.asset, event.terms)
                return replace(state, pools=state.pools.set(event.pool, pool))
            case StakeTermsSet():
                return replace(state, stake_terms=StakeTerms.of(event))
            case GroupSet():
                return replace(state, groups=state.groups.set(event.group, event.members))
            case HaltRequested() | ProductHalted() | ProductOpened():
                return replace(state, halts=halts.fold(state.halts, event))
            case IncidentFound():
                finding = (event.finding, event.reason)
                return replace(state, findings=state.findings.set(event.incident, finding))
            case PrincipalRegistered():
                registration = Registration(event.public_key, event.streams, event.accounts)
                return replace(state, principals=state.principals.set(event.principal, registration))
            case PrincipalRevoked():
                return replace(state, principals=state.principals.remove(event.principal))
            case _:
                return state

    def decide(self, state: Scope, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one act of governance."""
        match received.content:
            case HaltProduct() | OpenProduct() as action:
                return [_halt_or_open(state, received, action)]
            case GovernanceInput() as action:
                return [_act(state, action) if received.sender == ROOT else _not_root(received.sender)]
            case _:
                return ()

    def deadlines(self, state: Scope, facts: Facts) -> Iterable[Deadline]:
        """List nothing: a halt says itself when it ends, and a request for one when it lapses."""
        return ()


def _not_root(sender: str) -> Refused:
    return Refused(rule="governance.not-root", value=sender or "no proven sender", accepted=ROOT)


def _act(state: Scope, action: GovernanceInput) -> Event:  # noqa: PLR0911 - one return per action
    """Apply the rules of one action of root."""
    match action:
        case PublishRulebook():
            return offers.publish(state.rulebooks, state.latest_versions, action)
        case ListProduct():
            return offers.list_product(state.products, state.rulebooks, state.pools, action)
        case OpenPool():
            return capital.open_pool(state.pools, action)
        case SetStakeTerms():
            return capital.set_stake_terms(state.stake_terms, action)
        case SetGroup():
            return accounts.set_group(state.groups, state.principals, action)
        case RegisterPrincipal():
            return accounts.register(state.principals, action)
        case RevokePrincipal():
            return accounts.revoke(state.principals, action)
        case FindIncident():
            return findings.find(state.products, state.findings, action)
        case _:
            raise AssertionError(action.wire)


def _halt_or_open(state: Scope, received: Received, action: HaltProduct | OpenProduct) -> Event:
    """Apply the rules of a halt: the product's rulebook says who may ask for one."""
    product = state.products.get(action.product)
    if product is None:
        return Refused(
            rule="halt.product-unknown",
            value=action.product,
            accepted="a product that governance listed",
            unknown=True,
        )
    rules = state.rulebooks[product.rulebook].rulebook.halt
    group = () if rules is None else state.groups.get(rules.group, ())
    members = frozenset(member for member in group if member in state.principals)
    persons = Persons(product.rulebook, rules, members)
    if isinstance(action, HaltProduct):
        return halts.halt(state.halts, persons, received, action)
    return halts.open_product(state.halts, persons, received, action)
