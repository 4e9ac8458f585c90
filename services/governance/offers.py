"""What can be covered, and by which rules: rulebooks and products."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from schemas.envelope import Event
from schemas.governance import ListProduct, ProductListed, PublishRulebook, RulebookPublished
from schemas.outcomes import NextStep
from schemas.rulebook import Rulebook
from services.kernel.decider import Refused
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Published:
    """A rulebook version; `sha256` is of its canonical bytes."""

    rulebook: Rulebook
    sha256: str


@dataclass(frozen=True, slots=True)
class Product:
    """The terms of a product; `rulebook` is what new cover of it gets."""

    title: str
    peril: str
    asset: str
    rulebook: str

    @classmethod
    def of(cls, terms: ListProduct | ProductListed) -> Self:
        """Take the terms out of an action or an event."""
        return cls(terms.title, terms.peril, terms.asset, terms.rulebook)


def publish(
    rulebooks: PersistentMap[str, Published],
    latest_versions: PersistentMap[str, int],
    action: PublishRulebook,
) -> Event:
    """Publish the version after the latest; a published version never changes (product.md 2 and 13.5)."""
    rulebook = action.rulebook
    digest = sha256(rulebook.to_bytes()).hexdigest()
    next_id = f"{rulebook.name}@{latest_versions.get(rulebook.name, 0) + 1}"
    held = rulebooks.get(rulebook.id)
    if held is not None:
        return _published_before(held, rulebook, digest, next_id)
    if rulebook.id != next_id:
        return Refused(rule="rulebook.version-gap", value=rulebook.id, accepted=next_id)
    step = NextStep(step=f"products and covers can name {rulebook.id}")
    return RulebookPublished(rulebook=rulebook, sha256=digest, next=step)


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
    products: PersistentMap[str, Product], rulebooks: PersistentMap[str, Published], action: ListProduct
) -> Event:
    """List a product under a published rulebook, or change its title or rulebook; what it covers is fixed."""
    held, terms = products.get(action.product), Product.of(action)
    refusal = None if held is None else _unchangeable(action.product, held, terms)
    if refusal is not None:
        return refusal
    if terms.rulebook not in rulebooks:
        return Refused(
            rule="product.rulebook-unknown",
            value=terms.rulebook,
            accepted="a published rulebook, as name@version",
            unknown=True,
        )
    return ProductListed(
        product=action.product,
        title=terms.title,
        peril=terms.peril,
        asset=terms.asset,
        rulebook=terms.rulebook,
        rulebook_sha256=rulebooks[terms.rulebook].sha256,
        next=NextStep(step=f"{terms.rulebook} governs new cover and new incidents of {action.product}"),
    )


def _unchangeable(product: str, held: Product, terms: Product) -> Refused | None:
    if held == terms:
        return Refused(
            rule="product.unchanged",
            value=f"{product} with the terms it has, under {terms.rulebook}",
            accepted="another title, or another published rulebook",
        )
    for rule, before, after in (
        ("product.asset-fixed", held.asset, terms.asset),
        ("product.peril-fixed", held.peril, terms.peril),
    ):
        if before != after:
            return Refused(rule=rule, value=after, accepted=f"{before}, or another product")
    return None
