"""What covers may still bring: exposure by product, how it lapses, and how claims hold it.

Most covers are never claimed on, and all that end on one day lapse together, without being looked at. A claim that is
not closed and not settled takes its cover out of that, so that its exposure stays until the claim is through.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from schemas.instants import DAY
from services.kernel.persistent import PersistentMap
from services.pools.pool import Claim, Cover, Pool, counts, cover_of


def lapse_of(claimable_until: int) -> int:
    """Return when a cover lapses: at the end of the day on which it can no longer be claimed on."""
    return (claimable_until // DAY + 1) * DAY


def sell(pool: Pool, name: str, cover: Cover) -> Pool:
    """Let a new cover count."""
    pool = _counted(pool, cover.product, cover.remaining_minor)
    pool = _lapsing(pool, cover.lapses_at, cover.product, cover.remaining_minor)
    return replace(pool, covers=pool.covers.set(name, cover))


def hold(pool: Pool, claim: str) -> Pool:
    """Let a cover count for as long as a claim is not through."""
    cover = pool.covers[cover_of(claim)]
    if claim in cover.live:
        return pool
    if not counts(pool, cover):
        pool = _counted(pool, cover.product, cover.remaining_minor)
    elif not cover.live:
        pool = _lapsing(pool, cover.lapses_at, cover.product, -cover.remaining_minor)
    held = replace(cover, live=(*cover.live, claim))
    return replace(pool, covers=pool.covers.set(cover_of(claim), held))


def release(pool: Pool, claims: Iterable[str]) -> Pool:
    """Let covers lapse that no other claims hold: at once, when their day has passed.

    A settlement lets go of as many as it has claims, so that sums are changed once for each day and product.
    """
    covers, changes = pool.covers, Counter[tuple[int, str]]()
    for claim in claims:
        cover = covers[cover_of(claim)]
        if claim in cover.live:
            cover = replace(cover, live=tuple(other for other in cover.live if other != claim))
            covers = covers.set(cover_of(claim), cover)
            if not cover.live:
                changes[cover.lapses_at, cover.product] += cover.remaining_minor
    for (lapses_at, product), amount_minor in sorted(changes.items()):
        if lapses_at > pool.lapsed_at:
            pool = _lapsing(pool, lapses_at, product, amount_minor)
        else:
            pool = _counted(pool, product, -amount_minor)
    return replace(pool, covers=covers)


def lapse(pool: Pool, lapses_at: int) -> Pool:
    """Free what covers of one day counted."""
    for product, amount_minor in pool.lapsing[lapses_at].sorted_items():
        pool = _counted(pool, product, -amount_minor)
    return replace(
        pool,
        lapsing=pool.lapsing.remove(lapses_at),
        lapses=tuple(instant for instant in pool.lapses if instant != lapses_at),
        lapsed_at=max(pool.lapsed_at, lapses_at),
    )


def pay(pool: Pool, name: str, amount_minor: int) -> Pool:
    """Lower a cover by what was paid on it."""
    before = pool.covers[name]
    assert amount_minor <= before.remaining_minor, f"{amount_minor} paid on cover {name}: {before}"
    after = replace(before, remaining_minor=before.remaining_minor - amount_minor)
    if counts(pool, before):
        pool = _counted(pool, before.product, -amount_minor)
        if not before.live:
            pool = _lapsing(pool, before.lapses_at, before.product, -amount_minor)
    for claim in before.live:
        pool = _reaccounted(pool, claim, before, after)
    return replace(pool, covers=pool.covers.set(name, after))


def accounted(cover: Cover, claim: Claim) -> int:
    """Return what of a cover's exposure a claim takes out of the provision for its incident.

    While it is undecided, what it is reserved at; once it is approved all, for a cover pays for an incident once.
    """
    if claim.status == "undecided":
        return min(claim.amount_minor, cover.remaining_minor)
    return cover.remaining_minor if claim.status == "approved" else 0


def _reaccounted(pool: Pool, name: str, before: Cover, after: Cover) -> Pool:
    incident = pool.incidents[pool.claims[name]]
    claim = incident.claims[name]
    change = accounted(after, claim) - accounted(before, claim)
    incident = replace(incident, accounted_minor=incident.accounted_minor + change)
    return replace(pool, incidents=pool.incidents.set(pool.claims[name], incident))


def _counted(pool: Pool, product: str, change_minor: int) -> Pool:
    exposure_minor = pool.exposures.get(product, 0) + change_minor
    assert exposure_minor >= 0, f"exposure of {product} falls by more than it is: {change_minor}"
    return replace(
        pool,
        exposure_minor=pool.exposure_minor + change_minor,
        exposures=pool.exposures.set(product, exposure_minor),
    )


def _lapsing(pool: Pool, lapses_at: int, product: str, change_minor: int) -> Pool:
    """Change what lapses at an instant; one at which nothing lapses is forgotten."""
    amounts: PersistentMap[str, int] = pool.lapsing.get(lapses_at, PersistentMap())
    amount_minor = amounts.get(product, 0) + change_minor
    amounts = amounts.set(product, amount_minor) if amount_minor else amounts.remove(product)
    if not len(amounts):
        lapses = tuple(instant for instant in pool.lapses if instant != lapses_at)
        return replace(pool, lapsing=pool.lapsing.remove(lapses_at), lapses=lapses)
    lapses = pool.lapses
    if lapses_at not in pool.lapsing:
        place = bisect(lapses, lapses_at)
        lapses = (*lapses[:place], lapses_at, *lapses[place:])
    return replace(pool, lapsing=pool.lapsing.set(lapses_at, amounts), lapses=lapses)
