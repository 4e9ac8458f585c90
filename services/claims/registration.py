"""Taking a cover into the register."""

from schemas.claims import CoverRegistered, RegisterCover
from schemas.instants import format_instant
from schemas.outcomes import NextStep
from schemas.rulebook import Intake
from services.claims.cover import Cover
from services.claims.facts import Facts
from services.claims.periods import covered_from, grace_end, until
from services.kernel.decider import Refused


def register(cover: Cover, facts: Facts, content: RegisterCover) -> CoverRegistered | Refused:
    """Decide a registration; what is only unknown is looked at last, so that nothing else is wrong then."""
    return _recorded(cover, content) or _period(content) or _product(facts, content) or _registered(facts, content)


def _recorded(cover: Cover, content: RegisterCover) -> Refused | None:
    if cover.terms is None:
        return None
    return Refused(
        rule="cover.already-registered",
        value=f"cover {content.cover}, registered for {cover.terms.holder} with {cover.terms.rulebook}",
        accepted="the id of a cover that is not registered; a registered cover is never changed",
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


def _registered(facts: Facts, content: RegisterCover) -> CoverRegistered:
    return CoverRegistered(
        cover=content.cover,
        product=content.product,
        holder=content.holder,
        amount_minor=content.amount_minor,
        asset=content.asset,
        starts_at=content.starts_at,
        expires_at=content.expires_at,
        rulebook=content.rulebook,
        claimable_until=grace_end(content.expires_at, facts.rulebooks[content.rulebook].intake),
        next=_next_step(content, facts.rulebooks[content.rulebook].intake),
    )


def _next_step(content: RegisterCover, intake: Intake) -> NextStep:
    begin = format_instant(covered_from(content.starts_at, intake))
    end = until(content.expires_at, inclusive=intake.expiry_inclusive)
    return NextStep(
        step=f"the holder may claim for confirmed incidents from {begin} {end}, until the grace ends",
        due_at=grace_end(content.expires_at, intake),
    )
