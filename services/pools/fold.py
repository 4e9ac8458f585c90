"""The fold of a pool's events."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.envelope import Event
from schemas.pools import (
    CapitalDeposited,
    CapitalWithdrawalRequested,
    CapitalWithdrawn,
    CoversLapsed,
    CoverSold,
    IncidentSettled,
    PayoutBooked,
    PoolOpened,
    PoolTermsChanged,
    ReserveChanged,
    SettlementClosed,
    SettlementLines,
    SettlementMoved,
    SettlementOpened,
    Tranche,
)
from services.kernel.persistent import PersistentMap
from services.pools.books import post, posted
from services.pools.exposure import accounted, hold, lapse, lapse_of, pay, release, sell
from services.pools.lines import lines_of, queued, told
from services.pools.pool import (
    Borne,
    Claim,
    Cover,
    Incident,
    Pool,
    Shares,
    TrancheShares,
    shares_of,
    starts_anew,
    tranche,
)


def evolve(pool: Pool, event: Event) -> Pool:
    """Fold one event."""
    fold = _FOLDS.get(type(event))
    return pool if fold is None else fold(pool, event)


def _opened(pool: Pool, event: PoolOpened) -> Pool:
    return replace(pool, title=event.title, asset=event.asset, terms=event.terms)


def _changed(pool: Pool, event: PoolTermsChanged) -> Pool:
    return replace(pool, title=event.title, terms=event.terms)


def _deposited(pool: Pool, event: CapitalDeposited) -> Pool:
    epoch = tranche(pool, event.tranche).epoch + starts_anew(pool, event.tranche)
    pool = _with_tranche(pool, event.tranche, TrancheShares(event.tranche_shares_minor, epoch))
    held = shares_of(pool, event.tranche, event.provider)
    held = replace(held, shares_minor=held.shares_minor + event.shares_minor)
    return replace(
        pool,
        books=post(pool.books, event.postings),
        shares=pool.shares.set(f"{event.tranche}/{event.provider}", held),
        transactions=_counted(pool, event.provider, event.transaction, f"a deposit of {event.amount_minor}"),
    )


def _requested(pool: Pool, event: CapitalWithdrawalRequested) -> Pool:
    held = replace(
        shares_of(pool, event.tranche, event.provider),
        leaving_minor=event.shares_minor,
        available_at=event.available_at,
    )
    return replace(pool, shares=pool.shares.set(f"{event.tranche}/{event.provider}", held))


def _withdrawn(pool: Pool, event: CapitalWithdrawn) -> Pool:
    held = shares_of(pool, event.tranche, event.provider)
    left = Shares(held.shares_minor - event.shares_minor, held.epoch)
    name = f"{event.tranche}/{event.provider}"
    shares = pool.shares.set(name, left) if left.shares_minor else pool.shares.remove(name)
    epoch = tranche(pool, event.tranche).epoch
    pool = _with_tranche(pool, event.tranche, TrancheShares(event.tranche_shares_minor, epoch))
    if event.payout is not None:
        leaving = pool.leaving.set(event.payout, event.amount_minor)
        pool = replace(pool, leaving=leaving, withdrawals=pool.withdrawals + 1)
    return replace(pool, books=post(pool.books, event.postings), shares=shares)


def _sold(pool: Pool, event: CoverSold) -> Pool:
    of_product: PersistentMap[str, int] = pool.rulebooks.get(event.product, PersistentMap())
    until = max(of_product.get(event.rulebook, 0), event.claimable_until)
    cover = Cover(event.product, event.amount_minor, lapse_of(event.claimable_until))
    return replace(
        pool,
        exposure=sell(pool.exposure, event.cover, cover),
        books=post(pool.books, event.postings),
        sold=pool.sold + 1,
        rulebooks=pool.rulebooks.set(event.product, of_product.set(event.rulebook, until)),
        transactions=_counted(pool, event.holder, event.transaction, f"cover {event.cover}"),
    )


def _lapsed(pool: Pool, event: CoversLapsed) -> Pool:
    return replace(pool, exposure=lapse(pool.exposure, event.claimable_until))


def _settlement_opened(pool: Pool, event: SettlementOpened) -> Pool:
    incident = Incident(event.product, event.decided_at, event.window, event.cut_off_at)
    pool = replace(pool, incidents=pool.incidents.set(event.incident, incident))
    return replace(pool, unclosed=_with(pool.unclosed, event.incident))


def _settlement_moved(pool: Pool, event: SettlementMoved) -> Pool:
    incident = replace(pool.incidents[event.incident], cut_off_at=event.cut_off_at)
    return replace(pool, incidents=pool.incidents.set(event.incident, incident))


def _reserve_changed(pool: Pool, event: ReserveChanged) -> Pool:
    """Reserve for a claim at another amount; of what it was allocated it keeps its share of that, the rest is freed.

    A claim that asks for less keeps the same share of less (rounded down, from the last line it was told of), not the
    larger amount: claiming too much and asking for less after the settlement brings nothing.
    """
    incident = pool.incidents[event.incident]
    before = incident.claims.get(event.claim, Claim(0, "closed"))
    kept_minor = before.line_minor * event.amount_minor // before.line_of_minor if before.line_of_minor else 0
    after = Claim(event.amount_minor, event.status, kept_minor, before.line_minor, before.line_of_minor)
    cover = pool.exposure.covers[event.cover]
    incident = replace(
        incident,
        claims=incident.claims.set(event.claim, after),
        reserved_minor=incident.reserved_minor + after.amount_minor - before.amount_minor,
        allocated_minor=incident.allocated_minor + after.allocated_minor - before.allocated_minor,
        freed_minor=incident.freed_minor + before.allocated_minor - after.allocated_minor,
        undecided=incident.undecided + (after.status == "undecided") - (before.status == "undecided"),
        accounted_minor=incident.accounted_minor + accounted(cover, after) - accounted(cover, before),
        stage="settled" if incident.stage == "closed" else incident.stage,
    )
    through = after.status == "closed" or (after.status == "approved" and incident.stage != "open")
    return replace(
        pool,
        exposure=release(pool.exposure, (event.claim,)) if through else hold(pool.exposure, event.claim),
        incidents=pool.incidents.set(event.incident, incident),
        claims=pool.claims.set(event.claim, event.incident),
        unclosed=_with(pool.unclosed, event.incident),
    )


def _settled(pool: Pool, event: IncidentSettled) -> Pool:
    """Allocate to every claim what follows from the event, and leave what is to be told of it to later events."""
    incident = pool.incidents[event.incident]
    lines = lines_of(incident, event)
    claims, epochs = incident.claims, (pool.junior.epoch, pool.senior.epoch)
    for line in lines:
        claim = claims[line.claim]
        after = Claim(claim.amount_minor, claim.status, line.allocated_minor, line.allocated_minor, claim.amount_minor)
        claims = claims.set(line.claim, after)
    freed_minor = event.distributed_minor + posted(event.postings, "payable") if event.cause == "freed" else 0
    incident = replace(
        incident,
        claims=claims,
        allocated_minor=incident.allocated_minor + event.distributed_minor,
        allocations=event.allocation,
        committed=incident.committed or event.cause == "ample",
        stage="settled" if event.cause == "cut-off" else incident.stage,
        freed_minor=incident.freed_minor - freed_minor,
        junior=_bear(incident.junior, epochs[0], posted(event.postings, "capital:junior")),
        senior=_bear(incident.senior, epochs[1], posted(event.postings, "capital:senior")),
    )
    return replace(
        _through(pool, event.incident, incident),
        books=post(pool.books, event.postings),
        owing=_with(pool.owing, event.incident) if event.deferred_minor else _without(pool.owing, event.incident),
        pending=queued(pool.pending, event, lines),
    )


def _told(pool: Pool, event: SettlementLines) -> Pool:
    return replace(pool, pending=told(pool.pending, event))


def _closed(pool: Pool, event: SettlementClosed) -> Pool:
    incident = replace(pool.incidents[event.incident], stage="closed")
    return replace(_through(pool, event.incident, incident), unclosed=_without(pool.unclosed, event.incident))


def _booked(pool: Pool, event: PayoutBooked) -> Pool:
    if event.cover is not None:
        pool = _paid(pool, event.cover, event.amount_minor)
    return replace(
        pool,
        books=post(pool.books, event.postings),
        booked=pool.booked.set(event.payout, event.amount_minor),
        leaving=pool.leaving.remove(event.payout),
    )


_FOLDS: dict[type[Event], Callable[[Pool, Any], Pool]] = {
    PoolOpened: _opened,
    PoolTermsChanged: _changed,
    CapitalDeposited: _deposited,
    CapitalWithdrawalRequested: _requested,
    CapitalWithdrawn: _withdrawn,
    CoverSold: _sold,
    CoversLapsed: _lapsed,
    SettlementOpened: _settlement_opened,
    SettlementMoved: _settlement_moved,
    ReserveChanged: _reserve_changed,
    IncidentSettled: _settled,
    SettlementLines: _told,
    SettlementClosed: _closed,
    PayoutBooked: _booked,
}


def _through(pool: Pool, name: str, incident: Incident) -> Pool:
    """Keep an incident; when its claims are settled together, let go what approved ones hold."""
    settled_now = pool.incidents[name].stage == "open" and incident.stage != "open"
    pool = replace(pool, incidents=pool.incidents.set(name, incident))
    if not settled_now:
        return pool
    approved = (claim for claim, held in incident.claims.sorted_items() if held.status == "approved")
    return replace(pool, exposure=release(pool.exposure, approved))


def _paid(pool: Pool, name: str, amount_minor: int) -> Pool:
    """Lower a cover, and with it what claims under it take out of the provisions for their incidents."""
    before, exposure = pool.exposure.covers[name], pay(pool.exposure, name, amount_minor)
    incidents = pool.incidents
    for live in before.live:
        incident = incidents[pool.claims[live]]
        claim = incident.claims[live]
        change = accounted(exposure.covers[name], claim) - accounted(before, claim)
        changed = replace(incident, accounted_minor=incident.accounted_minor + change)
        incidents = incidents.set(pool.claims[live], changed)
    return replace(pool, exposure=exposure, incidents=incidents)


def _bear(borne: Borne, epoch: int, amount_minor: int) -> Borne:
    if not amount_minor:
        return borne
    return Borne(epoch, amount_minor + (borne.amount_minor if borne.epoch == epoch else 0))


def _counted(pool: Pool, account: str, transaction: str, what: str) -> PersistentMap[str, str]:
    return pool.transactions.set(f"{account} {transaction}", what)


def _with_tranche(pool: Pool, name: Tranche, shares: TrancheShares) -> Pool:
    return replace(pool, junior=shares) if name == "junior" else replace(pool, senior=shares)


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else tuple(sorted((*names, name)))


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)
