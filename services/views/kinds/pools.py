"""Pools with their books, sales, capital positions, what is reserved for claims, and settlements with their lines."""

from collections.abc import Iterable
from typing import Literal

from schemas.envelope import Event, Message
from schemas.instants import Instant
from schemas.money import AmountMinor
from schemas.outcomes import ArithmeticStep
from schemas.pools import (
    Account,
    CapitalDeposited,
    CapitalWithdrawalRequested,
    CapitalWithdrawn,
    CoversLapsed,
    CoverSold,
    Cut,
    IncidentSettled,
    PayoutBooked,
    PoolOpened,
    PoolTerms,
    PoolTermsChanged,
    Postings,
    ReserveChanged,
    SettlementClosed,
    SettlementLines,
    SettlementMoved,
    SettlementOpened,
    SignedMinor,
    Tranche,
    Waterfall,
)
from services.views.kind import Joined, Kind, Meta, Part, Row, base, by, change

LOGS = ("pools.events",)


_ACCOUNTS: tuple[Account, ...] = (
    "cash",
    "capital:junior",
    "capital:senior",
    "reserve",
    "payable",
    "unfunded",
    "deferred",
)


class PoolRow(Row):
    """A pool. `books` are debits positive, credits negative, zero in all.

    `reserved_minor` is what claims may cost, by incident; `sold_minor` is all cover that was ever sold, `lapsed_minor`
    what of it ended without being paid. Shares are those of each tranche.
    """

    title: str
    asset: str
    opened_at: Instant
    books: dict[str, SignedMinor]
    junior_shares_minor: AmountMinor = 0
    senior_shares_minor: AmountMinor = 0
    reserved_minor: dict[str, AmountMinor]
    covers_sold: int = 0
    sold_minor: AmountMinor = 0
    lapsed_minor: AmountMinor = 0
    premiums_minor: AmountMinor = 0
    paid_out_minor: AmountMinor = 0
    terms: PoolTerms


def _booked(books: dict[str, str], postings: Postings) -> dict[str, str]:
    after = dict(books)
    for posting in postings:
        after[posting.account] = str(int(after[posting.account]) + int(posting.amount_minor))
    return after


def _pool(row: PoolRow | None, event: Event, meta: Meta) -> PoolRow | None:
    if isinstance(event, PoolOpened):
        return PoolRow(
            **base(meta),
            title=event.title,
            asset=event.asset,
            opened_at=meta.at,
            books=dict.fromkeys(_ACCOUNTS, "0"),
            reserved_minor={},
            terms=event.terms,
        )
    return row and _next_pool(row, event, meta)


def _next_pool(row: PoolRow, event: Event, meta: Meta) -> PoolRow:
    match event:
        case PoolTermsChanged():
            return change(row, meta, title=event.title, terms=event.terms)
        case CapitalDeposited() | CapitalWithdrawn():
            shares = {f"{event.tranche}_shares_minor": event.tranche_shares_minor}
            return change(row, meta, books=_booked(row.books, event.postings), **shares)
        case CoverSold():
            return change(
                row,
                meta,
                books=_booked(row.books, event.postings),
                covers_sold=row.covers_sold + 1,
                sold_minor=row.sold_minor + event.amount_minor,
                premiums_minor=row.premiums_minor + event.premium_minor,
            )
        case CoversLapsed():
            return change(row, meta, lapsed_minor=row.lapsed_minor + sum(event.amounts_minor.values()))
        case ReserveChanged():
            reserved = {**row.reserved_minor, event.incident: event.reserved_minor}
            return change(row, meta, reserved_minor={name: held for name, held in sorted(reserved.items()) if held})
        case IncidentSettled():
            return change(row, meta, books=_booked(row.books, event.postings))
        case PayoutBooked():
            return change(
                row,
                meta,
                books=_booked(row.books, event.postings),
                paid_out_minor=row.paid_out_minor + event.amount_minor,
            )
        case _:
            return row


class SaleRow(Row):
    """A cover as its pool sold it, with the arithmetic of its premium; by the cover's id."""

    pool: str
    product: str
    holder: str
    amount_minor: AmountMinor
    asset: str
    starts_at: Instant
    expires_at: Instant
    claimable_until: Instant
    rulebook: str
    rulebook_sha256: str
    premium_minor: AmountMinor
    transaction: str
    sold_at: Instant
    arithmetic: tuple[ArithmeticStep, ...]


def _sale(row: SaleRow | None, event: Event, meta: Meta) -> SaleRow | None:
    if not isinstance(event, CoverSold):
        return row
    return SaleRow(
        **base(meta),
        pool=event.pool,
        product=event.product,
        holder=event.holder,
        amount_minor=event.amount_minor,
        asset=event.asset,
        starts_at=event.starts_at,
        expires_at=event.expires_at,
        claimable_until=event.claimable_until,
        rulebook=event.rulebook,
        rulebook_sha256=event.rulebook_sha256,
        premium_minor=event.premium_minor,
        transaction=event.transaction,
        sold_at=meta.at,
        arithmetic=event.arithmetic,
    )


class Leaving(Part):
    """Shares that are to leave, and from when on they may."""

    shares_minor: AmountMinor
    available_at: Instant


class PositionRow(Row):
    """What a provider has in a tranche, `<pool>/<tranche>/<provider>`; `share_bps` is of the pool's whole capital.

    The share is as of this provider's last movement. Shares of a tranche that losses wiped out are worth nothing.
    """

    pool: str
    tranche: Tranche
    provider: str
    shares_minor: AmountMinor
    share_bps: int
    deposited_minor: AmountMinor
    withdrawn_minor: AmountMinor = 0
    leaving: Leaving | None = None


def _position(row: PositionRow | None, event: Event, meta: Meta) -> PositionRow | None:
    match event:
        case CapitalDeposited() if row is None:
            return PositionRow(
                **base(meta),
                pool=event.pool,
                tranche=event.tranche,
                provider=event.provider,
                shares_minor=event.shares_minor,
                share_bps=event.share_bps,
                deposited_minor=event.amount_minor,
            )
        case CapitalDeposited() if row:
            # A deposit that is all the tranche has begins it anew: what was there is void.
            fresh = event.shares_minor == event.tranche_shares_minor
            return change(
                row,
                meta,
                shares_minor=event.shares_minor + (0 if fresh else row.shares_minor),
                share_bps=event.share_bps,
                deposited_minor=row.deposited_minor + event.amount_minor,
            )
        case CapitalWithdrawalRequested() if row:
            leaving = Leaving(shares_minor=event.shares_minor, available_at=event.available_at)
            return change(row, meta, leaving=leaving)
        case CapitalWithdrawn() if row:
            return change(
                row,
                meta,
                shares_minor=max(row.shares_minor - event.shares_minor, 0),
                share_bps=event.share_bps,
                withdrawn_minor=row.withdrawn_minor + event.amount_minor,
                leaving=None,
            )
        case _:
            return row


class ReserveRow(Row):
    """What a pool may owe for a claim, `<pool>/<claim>`."""

    pool: str
    claim: str
    cover: str
    incident: str
    status: Literal["undecided", "approved", "closed"]
    amount_minor: AmountMinor


def _reserve(row: ReserveRow | None, event: Event, meta: Meta) -> ReserveRow | None:
    if not isinstance(event, ReserveChanged):
        return row
    return ReserveRow(
        **base(meta),
        pool=event.pool,
        claim=event.claim,
        cover=event.cover,
        incident=event.incident,
        status=event.status,
        amount_minor=event.amount_minor,
    )


class SettlementRow(Row):
    """The settlement of an incident by the pool that carries it, by the incident's id."""

    status: Literal["open", "settled", "closed"]
    pool: str
    product: str
    occurred_at: Instant
    opened_at: Instant
    cut_off_at: Instant
    provision_minor: AmountMinor
    reserved_minor: AmountMinor = 0
    allocations_count: int = 0
    distributed_minor: AmountMinor = 0
    deferred_minor: AmountMinor = 0
    closed_at: Instant | None = None


def _settlement(row: SettlementRow | None, event: Event, meta: Meta) -> SettlementRow | None:
    match event:
        case SettlementOpened():
            return SettlementRow(
                **base(meta),
                status="open",
                pool=event.pool,
                product=event.product,
                occurred_at=event.occurred_at,
                opened_at=meta.at,
                cut_off_at=event.cut_off_at,
                provision_minor=event.provision_minor,
            )
        case SettlementMoved() if row:
            return change(row, meta, cut_off_at=event.cut_off_at)
        case ReserveChanged() if row:
            return change(row, meta, reserved_minor=event.reserved_minor)
        case IncidentSettled() if row:
            return change(
                row,
                meta,
                status="settled" if event.cause == "cut-off" and row.status == "open" else row.status,
                allocations_count=event.allocation,
                distributed_minor=row.distributed_minor + event.distributed_minor,
                deferred_minor=event.deferred_minor,
            )
        case SettlementClosed() if row:
            return change(row, meta, status="closed", deferred_minor=event.deferred_minor, closed_at=meta.at)
        case _:
            return row


class AllocationRow(Row):
    """One allocation of a settlement, `<incident>/<allocation>`: a claim's line follows from it."""

    pool: str
    incident: str
    allocation: int
    cause: Literal["ample", "cut-off", "freed", "income"]
    claims: tuple[str, ...]
    claims_count: int
    owed_minor: AmountMinor
    distributed_minor: AmountMinor
    deferred_minor: AmountMinor
    cut: Cut | None
    waterfall: Waterfall
    allocated_at: Instant
    arithmetic: tuple[ArithmeticStep, ...]


def _allocation(row: AllocationRow | None, event: Event, meta: Meta) -> AllocationRow | None:
    if not isinstance(event, IncidentSettled):
        return row
    return AllocationRow(
        **base(meta),
        pool=event.pool,
        incident=event.incident,
        allocation=event.allocation,
        cause=event.cause,
        claims=event.claims,
        claims_count=event.claims_count,
        owed_minor=event.owed_minor,
        distributed_minor=event.distributed_minor,
        deferred_minor=event.deferred_minor,
        cut=event.cut,
        waterfall=event.waterfall,
        allocated_at=meta.at,
        arithmetic=event.arithmetic,
    )


class LineRow(Row):
    """What one claim gets of an allocation, `<incident>/<allocation>/<claim>`; `allocated_minor` is all so far."""

    pool: str
    incident: str
    allocation: int
    claim: str
    owed_minor: AmountMinor
    amount_minor: AmountMinor
    allocated_minor: AmountMinor
    deferred_minor: AmountMinor


def _line_ids(event: SettlementLines, _: Meta) -> Iterable[str]:
    return [f"{event.incident}/{event.allocation}/{line.claim}" for line in event.lines]


def _line(row: LineRow | None, event: Event, meta: Meta) -> LineRow | None:
    if not isinstance(event, SettlementLines):
        return row
    claim = meta.id.removeprefix(f"{event.incident}/{event.allocation}/")
    line = next(line for line in event.lines if line.claim == claim)
    return LineRow(
        **base(meta),
        pool=event.pool,
        incident=event.incident,
        allocation=event.allocation,
        claim=line.claim,
        owed_minor=line.owed_minor,
        amount_minor=line.amount_minor,
        allocated_minor=line.allocated_minor,
        deferred_minor=line.deferred_minor,
    )


_POOL_EVENTS: tuple[type[Message], ...] = (
    PoolOpened,
    PoolTermsChanged,
    CapitalDeposited,
    CapitalWithdrawn,
    CoverSold,
    CoversLapsed,
    ReserveChanged,
    IncidentSettled,
    PayoutBooked,
)
_POSITION_EVENTS: tuple[type[Message], ...] = (CapitalDeposited, CapitalWithdrawalRequested, CapitalWithdrawn)
_SETTLEMENT_EVENTS: tuple[type[Message], ...] = (
    SettlementOpened,
    SettlementMoved,
    ReserveChanged,
    IncidentSettled,
    SettlementClosed,
)

KINDS = (
    Kind("pools", PoolRow, LOGS, dict.fromkeys(_POOL_EVENTS, by("pool")), _pool),
    Kind("sales", SaleRow, LOGS, {CoverSold: by("cover")}, _sale, ("pool", "product", "holder")),
    Kind(
        "positions",
        PositionRow,
        LOGS,
        dict.fromkeys(_POSITION_EVENTS, by("pool", "tranche", "provider")),
        _position,
        ("pool", "provider"),
    ),
    Kind(
        "reserves",
        ReserveRow,
        LOGS,
        {ReserveChanged: by("pool", "claim")},
        _reserve,
        ("pool", "claim", "incident", "status"),
    ),
    Kind(
        "settlements",
        SettlementRow,
        LOGS,
        dict.fromkeys(_SETTLEMENT_EVENTS, by("incident")),
        _settlement,
        ("pool", "product", "status"),
        (Joined("allocations", "allocations", "incident"), Joined("lines", "settlement-lines", "incident")),
    ),
    Kind(
        "allocations",
        AllocationRow,
        LOGS,
        {IncidentSettled: by("incident", "allocation")},
        _allocation,
        ("pool", "incident", "cause"),
    ),
    Kind(
        "settlement-lines",
        LineRow,
        LOGS,
        {SettlementLines: _line_ids},
        _line,
        ("pool", "incident", "claim"),
    ),
)
