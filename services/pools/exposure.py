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
from services.pools.pool import Claim, Cover, Exposure, cover_of


def lapse_of(claimable_until: int) -> int:
    """Return when a cover lapses: at the end of the day on which it can no longer be claimed on."""
    return (claimable_until // DAY + 1) * DAY


def counts(exposure: Exposure, cover: Cover) -> bool:
    """Tell whether a cover counts as exposure."""
    return bool(cover.live) or cover.lapses_at > exposure.lapsed_at


def sell(exposure: Exposure, name: str, cover: Cover) -> Exposure:
    """Let a new cover count."""
    exposure = _counted(exposure, cover.product, cover.remaining_minor)
    exposure = _lapsing(exposure, cover.lapses_at, cover.product, cover.remaining_minor)
    return replace(exposure, covers=exposure.covers.set(name, cover))


def hold(exposure: Exposure, claim: str) -> Exposure:
    """Let a cover count for as long as a claim is not through."""
    cover = exposure.covers[cover_of(claim)]
    if claim in cover.live:
        return exposure
    if not counts(exposure, cover):
        exposure = _counted(exposure, cover.product, cover.remaining_minor)
    elif not cover.live:
        exposure = _lapsing(exposure, cover.lapses_at, cover.product, -cover.remaining_minor)
    held = replace(cover, live=(*cover.live, claim))
    return replace(exposure, covers=exposure.covers.set(cover_of(claim), held))


def release(exposure: Exposure, claims: Iterable[str]) -> Exposure:
    """Let covers lapse that no other claims hold: at once, when their day has passed.

    A settlement lets go of as many as it has claims, so that sums are changed once for each day and product.
    """
    covers, changes = exposure.covers, Counter[tuple[int, str]]()
    for claim in claims:
        cover = covers[cover_of(claim)]
        if claim in cover.live:
            cover = replace(cover, live=tuple(other for other in cover.live if other != claim))
            covers = covers.set(cover_of(claim), cover)
            if not cover.live:
                changes[cover.lapses_at, cover.product] += cover.remaining_minor
    for (lapses_at, product), amount_minor in sorted(changes.items()):
        if lapses_at > exposure.lapsed_at:
            exposure = _lapsing(exposure, lapses_at, product, amount_minor)
        else:
            exposure = _counted(exposure, product, -amount_minor)
    return replace(exposure, covers=covers)


def lapse(exposure: Exposure, lapses_at: int) -> Exposure:
    """Free what covers of one day counted."""
    for product, amount_minor in exposure.lapsing[lapses_at].sorted_items():
        exposure = _counted(exposure, product, -amount_minor)
    return replace(
        exposure,
        lapsing=exposure.lapsing.remove(lapses_at),
        lapses=tuple(instant for instant in exposure.lapses if instant != lapses_at),
        lapsed_at=max(exposure.lapsed_at, lapses_at),
    )


def pay(exposure: Exposure, name: str, amount_minor: int) -> Exposure:
    """Lower a cover by what was paid on it."""
    before = exposure.covers[name]
    assert amount_minor <= before.remaining_minor, f"{amount_minor} paid on cover {name}: {before}"
    after = replace(before, remaining_minor=before.remaining_minor - amount_minor)
    if counts(exposure, before):
        exposure = _counted(exposure, before.product, -amount_minor)
        if not before.live:
            exposure = _lapsing(exposure, before.lapses_at, before.product, -amount_minor)
    return replace(exposure, covers=exposure.covers.set(name, after))


def accounted(cover: Cover, claim: Claim) -> int:
    """Return what of a cover's exposure a claim takes out of the provision for its incident.

    While it is undecided, what it is reserved at; once it is approved all, for a cover pays for an incident once.
    """
    if claim.status == "undecided":
        return min(claim.amount_minor, cover.remaining_minor)
    return cover.remaining_minor if claim.status == "approved" else 0


def _counted(exposure: Exposure, product: str, change_minor: int) -> Exposure:
    amount_minor = exposure.products.get(product, 0) + change_minor
    assert amount_minor >= 0, f"exposure of {product} falls by more than it is: {change_minor}"
    return replace(
        exposure,
        total_minor=exposure.total_minor + change_minor,
        products=exposure.products.set(product, amount_minor),
    )


def _lapsing(exposure: Exposure, lapses_at: int, product: str, change_minor: int) -> Exposure:
    """Change what lapses at an instant; one at which nothing lapses is forgotten."""
    amounts: PersistentMap[str, int] = exposure.lapsing.get(lapses_at, PersistentMap())
    amount_minor = amounts.get(product, 0) + change_minor
    amounts = amounts.set(product, amount_minor) if amount_minor else amounts.remove(product)
    if not len(amounts):
        lapses = tuple(instant for instant in exposure.lapses if instant != lapses_at)
        return replace(exposure, lapsing=exposure.lapsing.remove(lapses_at), lapses=lapses)
    lapses = exposure.lapses
    if lapses_at not in exposure.lapsing:
        place = bisect(lapses, lapses_at)
        lapses = (*lapses[:place], lapses_at, *lapses[place:])
    return replace(exposure, lapsing=exposure.lapsing.set(lapses_at, amounts), lapses=lapses)
