"""What happens to a pool by itself or by what siblings confirm: its opening, transfers out of it, covers that lapse."""

from collections.abc import Sequence

from schemas.governance import PoolListed
from schemas.payouts import PayoutConfirmed
from schemas.pools import CoversLapsed, PayoutBooked, PoolOpened, PoolTermsChanged
from services.pools.books import entry
from services.pools.pool import Pool


def listed(pool: Pool, content: PoolListed) -> Sequence[PoolOpened | PoolTermsChanged]:
    """Open a pool, or note what changed of what it sells and how."""
    if pool.terms is None:
        return (PoolOpened(pool=content.pool, title=content.title, asset=content.asset, terms=content.terms),)
    if (pool.title, pool.terms) == (content.title, content.terms):
        return ()
    return (PoolTermsChanged(pool=content.pool, title=content.title, terms=content.terms),)


def book(name: str, pool: Pool, confirmed: PayoutConfirmed) -> Sequence[PayoutBooked]:
    """Book a transfer out of the pool, once: of an allocation to a claim, or of capital that was withdrawn."""
    if pool.terms is None or confirmed.payout in pool.booked:
        return ()
    known = confirmed.payout in pool.leaving if confirmed.cover is None else confirmed.claim in pool.claims
    if not known:
        return ()
    postings = entry(debit=(("payable", confirmed.amount_minor),), credit=(("cash", confirmed.amount_minor),))
    booked = PayoutBooked(
        pool=name,
        payout=confirmed.payout,
        cover=confirmed.cover,
        amount_minor=confirmed.amount_minor,
        postings=postings,
    )
    return (booked,)


def lapse(name: str, pool: Pool, lapses_at: int) -> CoversLapsed:
    """Free what covers of a day that has passed can no longer bring."""
    amounts_minor = dict(pool.exposure.lapsing[lapses_at].sorted_items())
    return CoversLapsed(pool=name, claimable_until=lapses_at, amounts_minor=amounts_minor)
