"""The sale of cover: the rules in their order, and the cover that a request which meets them all becomes."""

from collections.abc import Sequence

from schemas.envelope import Event
from schemas.instants import LAST, format_duration, format_instant
from schemas.money import share_down
from schemas.outcomes import NextStep
from schemas.pools import CoverSold, PoolTerms, Postings, RequestCover
from services.kernel.decider import Received, Refused
from services.pools.books import Books, entry
from services.pools.draft import Draft
from services.pools.facts import Facts, Product, halt_of
from services.pools.later import pay_down
from services.pools.limits import limits
from services.pools.pool import Pool, capacity
from services.pools.price import Price, price
from services.pools.refusals import pool_unknown, transaction_counted
from services.pools.standstill import alarm_near


def sell(pool: Pool, facts: Facts, received: Received, content: RequestCover) -> Sequence[Event]:
    """Decide a request: the first broken rule refuses it (the order is the README's table)."""
    terms, product = pool.terms, facts.products.get(content.product)
    if terms is None:
        return (pool_unknown("cover", content),)
    refused = transaction_counted("cover", pool, content.holder, content.transaction) or _product(content, product)
    if refused is not None or product is None:
        return (refused or _product_unknown(content),)
    refused = (
        _stopped(facts, received.at, content)
        or _period(terms, content)
        or _asset(pool, content, product)
        or _fits(pool, terms, facts, content, product)
    )
    if refused is not None:
        return (refused,)
    used_minor = pool.exposure.total_minor + content.amount_minor
    priced = price(terms, content.amount_minor, content.period, used_minor, capacity(pool, terms))
    if priced.premium_minor > content.premium_max_minor:
        return (_too_dear(content, priced),)
    return _sold(pool, terms, facts, received.since, content, product, priced)


def split(books: Books, terms: PoolTerms, premium_minor: int, income_minor: int) -> Postings:
    """Enter a premium: what pays deferred claims is payable; of the rest a share is put aside, the rest is capital's.

    Shares are rounded down; what is cut off the reserve is capital's, what is cut off junior capital is senior's. A
    tranche without capital gets nothing: the other gets all.
    """
    rest_minor = premium_minor - income_minor
    reserve_minor = share_down(rest_minor, terms.reserve_bps)
    capital_minor = rest_minor - reserve_minor
    junior_minor = share_down(capital_minor, terms.junior_bps)
    if not books.senior:
        junior_minor = capital_minor
    elif not books.junior:
        junior_minor = 0
    return entry(
        debit=(("cash", premium_minor),),
        credit=(
            ("payable", income_minor),
            ("reserve", reserve_minor),
            ("capital:junior", junior_minor),
            ("capital:senior", capital_minor - junior_minor),
        ),
    )


def _product_unknown(content: RequestCover) -> Refused:
    return Refused(
        rule="cover.product-unknown",
        value=f"product {content.product}",
        accepted="a product that governance has listed",
        unknown=True,
    )


def _product(content: RequestCover, product: Product | None) -> Refused | None:
    if product is None:
        return _product_unknown(content)
    if product.pool != content.pool:
        return Refused(
            rule="cover.other-pool",
            value=f"product {content.product} from pool {content.pool}",
            accepted="a product of this pool"
            if product.pool is None
            else f"product {content.product} from pool {product.pool}",
        )
    return None


def _stopped(facts: Facts, at: int, content: RequestCover) -> Refused | None:
    halt = halt_of(facts, content.product, at)
    if halt is not None:
        return Refused(
            rule="cover.product-halted",
            value=f"product {content.product}, halted",
            accepted=f"a request from {format_instant(halt.until)}",
            not_before=halt.until,
        )
    alarm = alarm_near(facts, content.product, at)
    if alarm is not None:
        name, (incident, until) = alarm[0], (alarm[1].incident, alarm[1].until)
        near = "" if name == content.product else f", which stands on the same as {content.product}"
        return Refused(
            rule="cover.product-alarmed",
            value=f"a request while incident {incident} of product {name}{near} is reported",
            accepted=f"a request once that is decided, at the latest from {format_instant(until)}",
            not_before=until,
        )
    return None


def _period(terms: PoolTerms, content: RequestCover) -> Refused | None:
    if terms.period_min <= content.period <= terms.period_max and content.period:
        return None
    return Refused(
        rule="cover.period",
        value=f"a period of {format_duration(content.period)}",
        accepted=f"from {format_duration(terms.period_min)} to {format_duration(terms.period_max)}, more than nothing",
    )


def _asset(pool: Pool, content: RequestCover, product: Product) -> Refused | None:
    if product.asset == pool.asset:
        return None
    return Refused(
        rule="cover.other-asset",
        value=f"product {content.product}, whose cover is in {product.asset}",
        accepted=f"a product whose cover is in {pool.asset}, which the pool holds",
    )


def _fits(pool: Pool, terms: PoolTerms, facts: Facts, content: RequestCover, product: Product) -> Refused | None:
    met = limits(pool, terms, facts, content.product, product)
    broken = next((limit for limit in met if content.amount_minor > limit.fits_minor), None)
    if broken is None:
        return None
    return Refused(
        rule=broken.rule,
        value=f"{content.amount_minor}, with {broken.what} of {broken.used_minor} and a limit of {broken.limit_minor}",
        accepted=f"at most {min(limit.fits_minor for limit in met)}",
    )


def _too_dear(content: RequestCover, priced: Price) -> Refused:
    rate_bps = priced.arithmetic[0].result_minor
    return Refused(
        rule="cover.premium-above-max",
        value=f"a premium of at most {content.premium_max_minor}",
        accepted=f"at least {priced.premium_minor}, at {rate_bps} basis points a year",
    )


def _sold(
    pool: Pool, terms: PoolTerms, facts: Facts, since: int, content: RequestCover, product: Product, priced: Price
) -> Sequence[Event]:
    draft, cover = Draft(content.pool, pool), f"{content.pool}.{pool.sold + 1}"
    expires_at = min(since + content.period, LAST)
    claimable_until = min(expires_at + facts.rulebooks[product.rulebook].intake.grace, LAST)
    income_minor = min(priced.premium_minor, pool.books.deferred)
    draft.add(
        CoverSold(
            pool=content.pool,
            cover=cover,
            product=content.product,
            holder=content.holder,
            amount_minor=content.amount_minor,
            asset=pool.asset,
            starts_at=since,
            expires_at=expires_at,
            claimable_until=claimable_until,
            rulebook=product.rulebook,
            rulebook_sha256=product.rulebook_sha256,
            premium_minor=priced.premium_minor,
            transaction=content.transaction,
            arithmetic=priced.arithmetic,
            postings=split(pool.books, terms, priced.premium_minor, income_minor),
            next=NextStep(
                step=f"the premium of {priced.premium_minor} is due by transaction {content.transaction}; cover "
                f"{cover} can be claimed on until the grace after its expiry ends",
                due_at=claimable_until,
            ),
        )
    )
    if income_minor:
        pay_down(draft, income_minor, since)
    return draft.events
