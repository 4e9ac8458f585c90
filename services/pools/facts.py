"""What pools know of their siblings: rulebooks, products and their halts, alarms, principals; and which pools exist."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from schemas.envelope import Event, Message
from schemas.governance import ProductHalted, ProductListed, ProductOpened, RulebookPublished
from schemas.halts import Halt, Halts, halted, noted
from schemas.ids import pool_key
from schemas.incidents import IncidentAlarmed, IncidentDecided
from schemas.pools import PoolOpened
from schemas.rulebook import ClaimRules
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Product:
    """A listed product, and the rulebook that new cover of it gets; `pool` sells it, if one does."""

    pool: str | None
    asset: str
    peril: str
    dependencies: tuple[str, ...]
    rulebook: str
    rulebook_sha256: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A credible report of an incident that is not decided: it holds until an instant, in milliseconds."""

    incident: str
    until: int


Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Rulebooks by `name@version`; products, their halts and their alarms by id; registered principals.

    `dependents` lists the products that name a dependency; `perils` the products of a pool and a peril, spelled
    `<pool>/<peril>`; both in order. `pools` are those that this partition has opened.
    """

    principals: Principals = field(default_factory=PersistentMap)
    rulebooks: PersistentMap[str, ClaimRules] = field(default_factory=PersistentMap)
    products: PersistentMap[str, Product] = field(default_factory=PersistentMap)
    dependents: PersistentMap[str, Names] = field(default_factory=PersistentMap)
    perils: PersistentMap[str, Names] = field(default_factory=PersistentMap)
    halts: PersistentMap[str, Halts] = field(default_factory=PersistentMap)
    alarms: PersistentMap[str, tuple[Alarm, ...]] = field(default_factory=PersistentMap)
    pools: PersistentMap[str, bool] = field(default_factory=PersistentMap)


def related(facts: Facts, product: str) -> Names:
    """List what an event of a product may be an event of too, in order: itself, and what stands on the same.

    That is what shares a dependency with it, names it as a dependency, or is named by it.
    """
    known = facts.products.get(product)
    names = {product, *facts.dependents.get(product, ())}
    for dependency in known.dependencies if known else ():
        names |= {dependency, *facts.dependents.get(dependency, ())}
    return tuple(sorted(name for name in names if name in facts.products))


def halt_of(facts: Facts, product: str, at: int) -> Halt | None:
    """Return the halt of a product in which an instant lies."""
    return halted(facts.halts.get(product, ()), at)


def alarm_of(facts: Facts, product: str, at: int) -> Alarm | None:
    """Return the alarm of a product that holds longest of those that hold at an instant."""
    alarms = [alarm for alarm in facts.alarms.get(product, ()) if at < alarm.until]
    return max(alarms, key=lambda alarm: (alarm.until, alarm.incident), default=None)


class PoolsFacts:
    """The fold over broadcasts of governance and incidents, and over the pools opened here."""

    state = Facts
    types: tuple[type[Message], ...] = (
        RulebookPublished,
        ProductListed,
        ProductHalted,
        ProductOpened,
        IncidentAlarmed,
        IncidentDecided,
        *PRINCIPAL_FACTS,
    )
    own: tuple[type[Event], ...] = (PoolOpened,)

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        match fact:
            case RulebookPublished():
                return replace(facts, rulebooks=facts.rulebooks.set(fact.rulebook.id, fact.rulebook.claim))
            case ProductListed():
                return _listed(facts, fact)
            case ProductHalted() | ProductOpened():
                halts = noted(facts.halts.get(fact.product, ()), fact)
                return replace(facts, halts=facts.halts.set(fact.product, halts))
            case IncidentAlarmed():
                return _alarmed(facts, fact.product, fact.incident, Alarm(fact.incident, fact.until))
            case IncidentDecided():
                return _alarmed(facts, fact.product, fact.incident, None)
            case _:
                return replace(facts, principals=fold_principals(facts.principals, fact))

    def evolve_own(self, facts: Facts, key: str, event: Event) -> Facts:
        """Fold one event of a pool of this partition: its opening."""
        return replace(facts, pools=facts.pools.set(key, True))  # noqa: FBT003 - a set

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.principals.get(principal)


def audience(facts: Facts, message: Message) -> Iterator[str]:
    """Name the pool here, if it is here, whose cut-offs a halt or its early end moves."""
    if isinstance(message, ProductHalted | ProductOpened):
        product = facts.products.get(message.product)
        if product is not None and product.pool is not None and pool_key(product.pool) in facts.pools:
            yield pool_key(product.pool)


def _listed(facts: Facts, fact: ProductListed) -> Facts:
    before, dependents = facts.products.get(fact.product), facts.dependents
    for dependency in before.dependencies if before else ():
        others = tuple(name for name in dependents[dependency] if name != fact.product)
        dependents = dependents.set(dependency, others) if others else dependents.remove(dependency)
    for dependency in fact.dependencies:
        dependents = dependents.set(dependency, _with(dependents.get(dependency, ()), fact.product))
    perils = facts.perils
    if fact.pool is not None:
        peril = f"{fact.pool}/{fact.peril}"
        perils = perils.set(peril, _with(perils.get(peril, ()), fact.product))
    product = Product(fact.pool, fact.asset, fact.peril, fact.dependencies, fact.rulebook, fact.rulebook_sha256)
    return replace(facts, products=facts.products.set(fact.product, product), dependents=dependents, perils=perils)


def _with(names: Names, name: str) -> Names:
    return tuple(sorted({*names, name}))


def _alarmed(facts: Facts, product: str, incident: str, alarm: Alarm | None) -> Facts:
    alarms = tuple(other for other in facts.alarms.get(product, ()) if other.incident != incident)
    if alarm is not None:
        alarms += (alarm,)
    held = facts.alarms.set(product, alarms) if alarms else facts.alarms.remove(product)
    return replace(facts, alarms=held)
