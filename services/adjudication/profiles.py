"""Assessors as they are profiled: their stakes, over time, and who of them is close to whom and to what.

The indexes answer what the opening of a round asks, so that its cost grows with who is excluded and not with how many
assessors there are.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from schemas.assessors import AssessorProfiled, StakeWithdrawalAnnounced
from services.kernel.persistent import PersistentMap

Accounts = PersistentMap[str, None]
"""A set of accounts."""
K = TypeVar("K")
V = TypeVar("V")


class Stake(NamedTuple):
    """An assessor's stake (base units) from facts version `version` on; `leaves` where some of it is withdrawn."""

    version: int
    stake_minor: int
    leaves: bool = False


class Cover(NamedTuple):
    """A cover that an assessor holds, and until when it can be claimed on."""

    cover: str
    until: int


class Ties(NamedTuple):
    """What a profile says besides the stake: linked accounts, products, covers by product, shares by pool."""

    linked_accounts: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    holdings: tuple[tuple[str, Cover], ...] = ()
    shares: tuple[tuple[str, int], ...] = ()


_NO_TIES = Ties()


@dataclass(frozen=True, slots=True)
class Profiles:
    """All assessors.

    `stakes` has those of an account, oldest first, from the one that the oldest open round reckons with. `ties` are
    those of today, where there are any. `linking` says which assessors name an account as linked, `holders` who holds
    cover of a product, `providers` who has which share of a pool (by basis points), `interested` who declared an
    interest in a product. The eligible sums are over all assessors with stake today.
    """

    stakes: PersistentMap[str, tuple[Stake, ...]] = field(default_factory=PersistentMap)
    ties: PersistentMap[str, Ties] = field(default_factory=PersistentMap)
    linking: PersistentMap[str, Accounts] = field(default_factory=PersistentMap)
    holders: PersistentMap[str, PersistentMap[str, Cover]] = field(default_factory=PersistentMap)
    providers: PersistentMap[str, PersistentMap[int, Accounts]] = field(default_factory=PersistentMap)
    interested: PersistentMap[str, Accounts] = field(default_factory=PersistentMap)
    eligible_stake_minor: int = 0
    eligible_heads: int = 0

    def stake_at(self, account: str, version: int) -> int:
        """Return the stake (base units) an account had at a facts version: O(log changes of the account)."""
        history = self.stakes.get(account)
        if history is None:
            return 0
        if history[-1].version <= version:
            return history[-1].stake_minor
        known = bisect_right(history, version, key=_version)
        return history[known - 1].stake_minor if known else 0

    def stake_left(self, account: str, version: int) -> int:
        """Return what is left of the stake an account had at a facts version: what it withdrew since counts no more."""
        history = self.stakes.get(account)
        if history is None:
            return 0
        if history[-1].version <= version:
            return history[-1].stake_minor
        known = bisect_right(history, version, key=_version)
        stake_minor = history[known - 1].stake_minor if known else 0
        return min([stake_minor, *(later.stake_minor for later in history[known:] if later.leaves)])

    def linked_from(self, account: str) -> tuple[str, ...]:
        """List the accounts that an account's own profile names as linked today."""
        return self.ties.get(account, _NO_TIES).linked_accounts

    def linking_to(self, account: str) -> list[str]:
        """List the assessors that name an account as linked today, in order."""
        return self.linking.get(account, Accounts()).sorted_keys()

    def holding(self, product: str) -> Iterator[tuple[str, Cover]]:
        """Go through the assessors that hold cover of a product, each with the cover that ends last, in order."""
        return self.holders.get(product, PersistentMap[str, Cover]()).sorted_items()

    def providing(self, pool: str, more_than_bps: int) -> Iterator[tuple[str, int]]:
        """Go through the assessors that have more than a share of a pool's capital, with what they have."""
        for share_bps, accounts in self.providers.get(pool, PersistentMap[int, Accounts]()).sorted_items():
            if share_bps > more_than_bps:
                yield from ((account, share_bps) for account in accounts.sorted_keys())

    def declaring(self, product: str) -> list[str]:
        """List the assessors that declared an interest in a product, in order."""
        return self.interested.get(product, Accounts()).sorted_keys()


def with_profile(profiles: Profiles, version: int, oldest: int, fact: AssessorProfiled) -> Profiles:
    """Fold a profile, noted as facts version `version`; no open round reckons with a version before `oldest`."""
    account = fact.assessor
    ties = _ties(fact)
    before = profiles.ties.get(account, _NO_TIES)
    linking, holders, providers, interested = (
        profiles.linking,
        profiles.holders,
        profiles.providers,
        profiles.interested,
    )
    if ties != before:
        linking = _moved(linking, account, before.linked_accounts, ties.linked_accounts)
        interested = _moved(interested, account, before.interests, ties.interests)
        for product, _ in before.holdings:
            holders = _without(holders, product, account)
        for product, cover in ties.holdings:
            holders = holders.set(product, holders.get(product, PersistentMap[str, Cover]()).set(account, cover))
        for pool, share_bps in before.shares:
            providers = _with_share(providers, pool, share_bps, account, present=False)
        for pool, share_bps in ties.shares:
            providers = _with_share(providers, pool, share_bps, account, present=True)
    history, stake_minor, heads = _with_stake(profiles, account, Stake(version, fact.stake_minor), oldest)
    # Most facts are profiles, and replace() takes twice as long.
    return Profiles(
        stakes=profiles.stakes.set(account, history),
        ties=profiles.ties.set(account, ties) if ties != _NO_TIES else profiles.ties.remove(account),
        linking=linking,
        holders=holders,
        providers=providers,
        interested=interested,
        eligible_stake_minor=stake_minor,
        eligible_heads=heads,
    )


def with_withdrawal(profiles: Profiles, version: int, oldest: int, fact: StakeWithdrawalAnnounced) -> Profiles:
    """Fold a withdrawal: no vote weighs what leaves, in no round that is open either."""
    stake = Stake(version, fact.stake_minor, leaves=True)
    history, stake_minor, heads = _with_stake(profiles, fact.assessor, stake, oldest)
    return Profiles(
        stakes=profiles.stakes.set(fact.assessor, history),
        ties=profiles.ties,
        linking=profiles.linking,
        holders=profiles.holders,
        providers=profiles.providers,
        interested=profiles.interested,
        eligible_stake_minor=stake_minor,
        eligible_heads=heads,
    )


def _version(stake: Stake) -> int:
    return stake.version


def _with_stake(profiles: Profiles, account: str, stake: Stake, oldest: int) -> tuple[tuple[Stake, ...], int, int]:
    """Return the history with a stake, and both sums; what no open round reckons with is forgotten."""
    history = profiles.stakes.get(account, ())
    before_minor = history[-1].stake_minor if history else 0
    needed = len(history) if oldest >= stake.version else max(0, bisect_right(history, oldest, key=_version) - 1)
    return (
        (*history[needed:], stake),
        profiles.eligible_stake_minor + stake.stake_minor - before_minor,
        profiles.eligible_heads + (stake.stake_minor > 0) - (before_minor > 0),
    )


def _ties(fact: AssessorProfiled) -> Ties:
    if not (fact.linked_accounts or fact.interests or fact.holdings or fact.shares):
        return _NO_TIES
    longest: dict[str, Cover] = {}
    for holding in fact.holdings:
        cover = Cover(holding.cover, holding.until)
        known = longest.get(holding.product)
        if known is None or (known.until, known.cover) < (cover.until, cover.cover):
            longest[holding.product] = cover
    shares = {share.pool: share.share_bps for share in fact.shares if share.share_bps}
    return Ties(fact.linked_accounts, fact.interests, tuple(longest.items()), tuple(shares.items()))


def _moved(
    index: PersistentMap[str, Accounts], account: str, before: Iterable[str], after: Iterable[str]
) -> PersistentMap[str, Accounts]:
    for key in before:
        index = _without(index, key, account)
    for key in after:
        index = index.set(key, index.get(key, Accounts()).set(account, None))
    return index


def _with_share(
    providers: PersistentMap[str, PersistentMap[int, Accounts]],
    pool: str,
    share_bps: int,
    account: str,
    *,
    present: bool,
) -> PersistentMap[str, PersistentMap[int, Accounts]]:
    shares = providers.get(pool, PersistentMap[int, Accounts]())
    if present:
        return providers.set(pool, shares.set(share_bps, shares.get(share_bps, Accounts()).set(account, None)))
    shares = _without(shares, share_bps, account)
    return providers.set(pool, shares) if len(shares) else providers.remove(pool)


def _without(
    index: PersistentMap[K, PersistentMap[str, V]], key: K, account: str
) -> PersistentMap[K, PersistentMap[str, V]]:
    """Take an account out of the set of a key; an empty set goes."""
    held = index.get(key)
    if held is None:
        return index
    held = held.remove(account)
    return index.set(key, held) if len(held) else index.remove(key)
