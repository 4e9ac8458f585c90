"""Taking a cover into the register: one that was sold elsewhere, or by a pool."""

from schemas.claims import CoverRegistered, RegisterCover
from schemas.instants import format_instant
from schemas.outcomes import NextStep
from schemas.pools import IssueCover
from schemas.rulebook import Intake
from services.claims.cover import Cover
from services.claims.facts import Facts
from services.claims.periods import covered_from, grace_end, until
from services.kernel.decider import Refused


def register(cover: Cover, facts: Facts, content: RegisterCover) -> CoverRegistered | Refused:
    """Decide a registration; what is only unknown is looked at last, so that nothing else is wrong then."""
    return (
        _recorded(cover, content)
        or _reserved(content)
        or _period(content)
        or _product(facts, content)
        or _registered(facts, content)
    )


def issue(cover: Cover, facts: Facts, content: IssueCover) -> tuple[CoverRegistered, ...]:
    """Take note of a cover that a pool sold, once."""
    if cover.terms is not None:
        return ()
    return (_registered(facts, content, content.pool, content.premium_minor),)


def _recorded(cover: Cover, content: RegisterCover) -> Refused | None:
    if cover.terms is None:
        return None
    return Refused(
        rule="cover.already-registered",
        value=f"cover {content.cover}, registered for {cover.terms.holder} with {cover.terms.rulebook}",
        accepted="the id of a cover that is not registered; a registered cover is never changed",
    )


def _reserved(content: RegisterCover) -> Refused | None:
    """Leave to pools the ids of the covers that they sell."""
    name, _, number = content.cover.rpartition(".")
    if not name or not number.isdecimal():
        return None
    return Refused(
        rule="cover.id-reserved",
        value=f"cover {content.cover}",
        accepted="an id that does not end in a dot and digits: so end those of covers that pools sell",
    )


def _period(content: RegisterCover) -> Refused | None:
    if content.starts_at < content.expires_at:
        return None
    return Refused(
        rule="cover.period-empty",
        value=f"from {format_instant(content.starts_at)} to {format_instant(content.expires_at)}",
        accepted=f"an expiry after {format_instant(content.starts_at)}",
    )


def _product(facts: Facts, content: RegisterCover) -> Refused | None:
    product = facts.products.get(content.product)
    if product is None:
        return Refused(
            rule="cover.product-unknown",
            value=f"product {content.product}",
            accepted="a product that governance has listed",
            unknown=True,
        )
    if product.pool is not None:
        return Refused(
            rule="cover.sold-by-pool",
            value=f"product {content.product}",
            accepted=f"a product without a pool; ask for this cover on cover.requests, of pool {product.pool}",
        )
    if content.asset != product.asset:
        return Refused(
            rule="cover.other-asset",
            value=f"asset {content.asset}",
            accepted=f"{product.asset}, the asset of product {content.product}",
        )
    if content.rulebook not in facts.rulebooks:
        return Refused(
            rule="cover.rulebook-unknown",
            value=f"rulebook {content.rulebook}",
            accepted=f"a published version; new cover of {content.product} gets {product.rulebook}",
            unknown=True,
        )
    return None


def _registered(
    facts: Facts, content: RegisterCover | IssueCover, pool: str | None = None, premium_minor: int = 0
) -> CoverRegistered:
    intake = facts.rulebooks[content.rulebook].intake
    return CoverRegistered(
        cover=content.cover,
        product=content.product,
        holder=content.holder,
        amount_minor=content.amount_minor,
        asset=content.asset,
        starts_at=content.starts_at,
        expires_at=content.expires_at,
        rulebook=content.rulebook,
        pool=pool,
        premium_minor=premium_minor,
        claimable_until=grace_end(content.expires_at, intake),
        next=_next_step(content, intake),
    )


def _next_step(content: RegisterCover | IssueCover, intake: Intake) -> NextStep:
    begin = format_instant(covered_from(content.starts_at, intake))
    end = until(content.expires_at, inclusive=intake.expiry_inclusive)
    return NextStep(
        step=f"the holder may claim for confirmed incidents from {begin} {end}, until the grace ends",
        due_at=grace_end(content.expires_at, intake),
    )
