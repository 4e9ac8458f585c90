"""Whose money stands behind cover and votes: pools, and what assessors put at stake."""

from dataclasses import dataclass
from typing import Self

from schemas.envelope import Event
from schemas.governance import OpenPool, PoolListed, SetStakeTerms, StakeTermsSet
from schemas.instants import SECOND, format_duration
from schemas.outcomes import NextStep
from schemas.pools import PoolTerms
from schemas.rulebook import PayoutTerms
from services.kernel.decider import Refused
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as governance wants it; its books are its own."""

    title: str
    asset: str
    terms: PoolTerms


@dataclass(frozen=True, slots=True)
class StakeTerms:
    """What assessors put at stake: at least `stake_min_minor` base units of `asset`, for `notice` milliseconds more."""

    asset: str
    stake_min_minor: int
    notice: int
    payout: PayoutTerms

    @classmethod
    def of(cls, terms: SetStakeTerms | StakeTermsSet) -> Self:
        """Take the terms out of an action or an event."""
        return cls(terms.asset, terms.stake_min_minor, terms.notice, terms.payout)


def open_pool(pools: PersistentMap[str, Pool], action: OpenPool) -> Event:
    """List a pool, or change what it sells and how; its asset is fixed, because its books are kept in it."""
    held, wanted = pools.get(action.pool), Pool(action.title, action.asset, action.terms)
    if held == wanted:
        return Refused(
            rule="pool.unchanged",
            value=f"{action.pool} with the terms it has",
            accepted="another title, or other terms",
        )
    if held is not None and held.asset != wanted.asset:
        return Refused(rule="pool.asset-fixed", value=wanted.asset, accepted=f"{held.asset}, or another pool")
    return _crossed(action.terms) or PoolListed(
        pool=action.pool,
        title=action.title,
        asset=action.asset,
        terms=action.terms,
        next=NextStep(step=f"pool {action.pool} opens, or sells on these terms, from when it hears of this"),
    )


def _crossed(terms: PoolTerms) -> Refused | None:
    """Refuse terms under which a price could fall as a pool fills, or no cover could be sold."""
    if terms.floor_rate_bps > terms.ceiling_rate_bps:
        return Refused(
            rule="pool.rates-crossed",
            value=f"floor_rate_bps {terms.floor_rate_bps}, ceiling_rate_bps {terms.ceiling_rate_bps}",
            accepted="a floor that is not above the ceiling",
        )
    if not SECOND <= terms.period_min <= terms.period_max:
        return Refused(
            rule="pool.periods-crossed",
            value=f"period_min {format_duration(terms.period_min)}, period_max {format_duration(terms.period_max)}",
            accepted="a period_min of at least 1s that is not above period_max",
        )
    return None


def set_stake_terms(held: StakeTerms | None, action: SetStakeTerms) -> Event:
    """Set what assessors put at stake; the asset stays what it was first, because stakes are held in it."""
    wanted = StakeTerms.of(action)
    if held == wanted:
        return Refused(
            rule="stake.unchanged",
            value="the terms of stakes as they are",
            accepted="another minimum, notice or payout",
        )
    if held is not None and held.asset != wanted.asset:
        return Refused(rule="stake.asset-fixed", value=wanted.asset, accepted=held.asset)
    return StakeTermsSet(
        asset=wanted.asset,
        stake_min_minor=wanted.stake_min_minor,
        notice=wanted.notice,
        payout=wanted.payout,
        next=NextStep(step="stakes are added and leave on these terms, from when assessors hears of this"),
    )
