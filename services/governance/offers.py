"""What can be covered, and by which rules: rulebooks and products."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from schemas.envelope import Event
from schemas.governance import ListProduct, ProductListed, PublishRulebook, RulebookPublished
from schemas.outcomes import NextStep
from schemas.rulebook import Rulebook
from services.governance.capital import Pool
from services.governance.changes import changes
from services.kernel.decider import Refused
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Published:
    """A rulebook version; `sha256` is of its canonical bytes."""

    rulebook: Rulebook
    sha256: str


@dataclass(frozen=True, slots=True)
class Product:
    """The terms of a product; `rulebook` is what new cover of it gets, `dependencies` are in order without repeats."""

    title: str
    peril: str
    asset: str
    rulebook: str
    pool: str | None
    dependencies: tuple[str, ...]
    alarm_weight: int | None

    @classmethod
    def of(cls, terms: ListProduct | ProductListed) -> Self:
        """Take the terms out of an action or an event."""
        dependencies = tuple(sorted(dict.fromkeys(terms.dependencies)))
        return cls(terms.title, terms.peril, terms.asset, terms.rulebook, terms.pool, dependencies, terms.alarm_weight)


def publish(
    rulebooks: PersistentMap[str, Published],
    latest_versions: PersistentMap[str, int],
    action: PublishRulebook,
) -> Event:
    """Publish the version after the latest; a published version never changes (product.md 2 and 13.5)."""
    rulebook = action.rulebook
    digest = sha256(rulebook.to_bytes()).hexdigest()
    latest = latest_versions.get(rulebook.name, 0)
    next_id = f"{rulebook.name}@{latest + 1}"
    held = rulebooks.get(rulebook.id)
    if held is not None:
        return _published_before(held, rulebook, digest, next_id)
    if rulebook.id != next_id:
        return Refused(rule="rulebook.version-gap", value=rulebook.id, accepted=next_id)
    return RulebookPublished(
        rulebook=rulebook,
        sha256=digest,
        changes=changes(rulebooks[f"{rulebook.name}@{latest}"].rulebook, rulebook) if latest else (),
        next=NextStep(step=f"products and covers can name {rulebook.id}"),
    )


def _published_before(held: Published, rulebook: Rulebook, digest: str, next_id: str) -> Refused:
    if held.rulebook == rulebook:
        return Refused(
            rule="rulebook.already-published",
            value=f"{rulebook.id} with the content it has, sha256 {held.sha256}",
            accepted=next_id,
        )
    return Refused(
        rule="rulebook.immutable",
        value=f"{rulebook.id} with sha256 {digest}, where sha256 {held.sha256} is published",
        accepted=f"the changed content as {next_id}",
    )


def list_product(
    products: PersistentMap[str, Product],
    rulebooks: PersistentMap[str, Published],
    pools: PersistentMap[str, Pool],
    action: ListProduct,
) -> Event:
    """List a product under a published rulebook, or change what may change of it; what it covers and who pays may not.

    What only does not exist yet is asked last, so that `unknown` is the only reason.
    """
    product, held, terms = action.product, products.get(action.product), Product.of(action)
    rulebook = rulebooks.get(terms.rulebook)
    refusal = (None if held is None else _unchangeable(product, held, terms)) or _unfit(terms, rulebook, pools)
    if refusal is not None:
        return refusal
    if terms.pool is not None and terms.pool not in pools:
        return Refused(
            rule="product.pool-unknown", value=terms.pool, accepted="a pool that governance opened", unknown=True
        )
    if rulebook is None:
        return Refused(
            rule="product.rulebook-unknown",
            value=terms.rulebook,
            accepted="a published rulebook, as name@version",
            unknown=True,
        )
    return ProductListed(
        product=product,
        title=terms.title,
        peril=terms.peril,
        asset=terms.asset,
        rulebook=terms.rulebook,
        rulebook_sha256=rulebook.sha256,
        pool=terms.pool,
        dependencies=terms.dependencies,
        alarm_weight=terms.alarm_weight,
        next=NextStep(step=f"{terms.rulebook} governs new cover and new incidents of {product}"),
    )


def _unchangeable(product: str, held: Product, terms: Product) -> Refused | None:
    if held == terms:
        return Refused(
            rule="product.unchanged",
            value=f"{product} with the terms it has, under {terms.rulebook}",
            accepted="another title, published rulebook or alarm level, or other dependencies",
        )
    for rule, before, after in (
        ("product.asset-fixed", held.asset, terms.asset),
        ("product.peril-fixed", held.peril, terms.peril),
        ("product.pool-fixed", held.pool or "no pool", terms.pool or "no pool"),
    ):
        if before != after:
            return Refused(rule=rule, value=after, accepted=f"{before}, or another product")
    return None


def _unfit(terms: Product, published: Published | None, pools: PersistentMap[str, Pool]) -> Refused | None:
    """Refuse a product that its pool could not pay for, or its rulebook says too little about."""
    pool = None if terms.pool is None else pools.get(terms.pool)
    if pool is not None and pool.asset != terms.asset:
        return Refused(
            rule="product.pool-asset",
            value=f"{terms.asset}, where pool {terms.pool} holds {pool.asset}",
            accepted=f"{pool.asset}, or a pool that holds {terms.asset}",
        )
    rules = None if published is None else published.rulebook
    if rules is not None and terms.pool is not None and rules.claim.settlement is None:
        return Refused(
            rule="product.rulebook-without-settlement",
            value=f"{terms.rulebook} for cover that pool {terms.pool} sells",
            accepted="a rulebook with claim.settlement, or a product without a pool",
        )
    if rules is not None and terms.alarm_weight is not None and rules.incident.alarm is None:
        return Refused(
            rule="product.rulebook-without-alarm",
            value=f"{terms.rulebook} for alarms by reports of weight {terms.alarm_weight}",
            accepted="a rulebook with incident.alarm, or a product without alarm_weight",
        )
    return None
