"""What governance set: rulebooks, products, groups, principals, halts, findings, the terms of stakes."""

from collections.abc import Iterable
from typing import Literal

from schemas.envelope import Event
from schemas.governance import (
    GroupSet,
    HaltRequested,
    IncidentFound,
    PoolListed,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductHalted,
    ProductListed,
    ProductOpened,
    RulebookPublished,
    StakeTermsSet,
)
from schemas.instants import Duration, Instant, format_instant
from schemas.money import AmountMinor
from schemas.pools import PoolTerms
from schemas.rulebook import PayoutTerms, Rulebook
from services.views.kind import Kind, Meta, Part, Row, base, by, change

LOGS = ("governance.events",)


class RulebookRow(Row):
    """A version of a rulebook, as published; `sha256` is of its canonical bytes."""

    name: str
    version: int
    title: str
    sha256: str
    published_at: Instant
    changes: tuple[str, ...]
    rulebook: Rulebook


def _rulebook(row: RulebookRow | None, event: Event, meta: Meta) -> RulebookRow | None:
    if not isinstance(event, RulebookPublished):
        return row
    book = event.rulebook
    return RulebookRow(
        **base(meta),
        name=book.name,
        version=book.version,
        title=book.title,
        sha256=event.sha256,
        published_at=meta.at,
        changes=event.changes,
        rulebook=book,
    )


class HaltRequest(Part):
    """A halt that somebody asked for and too few have confirmed yet."""

    by: str
    length: Duration
    reason: str
    persons_missing: int
    lapses_at: Instant


class HaltNow(Part):
    """The latest halt of a product: in [effective_at, until)."""

    effective_at: Instant
    until: Instant
    reason: str


class ProductRow(Row):
    """A product, with its latest halt and the latest request for one, if any."""

    title: str
    peril: str
    asset: str
    rulebook: str
    rulebook_sha256: str
    pool: str | None
    dependencies: tuple[str, ...]
    alarm_weight: int | None
    listed_at: Instant
    halt: HaltNow | None = None
    halt_request: HaltRequest | None = None


def _product(row: ProductRow | None, event: Event, meta: Meta) -> ProductRow | None:
    match event:
        case ProductListed():
            return ProductRow(
                **base(meta),
                title=event.title,
                peril=event.peril,
                asset=event.asset,
                rulebook=event.rulebook,
                rulebook_sha256=event.rulebook_sha256,
                pool=event.pool,
                dependencies=event.dependencies,
                alarm_weight=event.alarm_weight,
                listed_at=row.listed_at if row else meta.at,
                halt=row.halt if row else None,
                halt_request=row.halt_request if row else None,
            )
        case HaltRequested() if row:
            asked = HaltRequest(
                by=event.by,
                length=event.length,
                reason=event.reason,
                persons_missing=event.persons_missing,
                lapses_at=event.lapses_at,
            )
            return change(row, meta, halt_request=asked)
        case ProductHalted() | ProductOpened() if row:
            reason = row.halt.reason if isinstance(event, ProductOpened) and row.halt else event.reason
            halt = HaltNow(effective_at=event.effective_at, until=event.until, reason=reason)
            return change(row, meta, halt=halt, halt_request=None)
        case _:
            return row


class HaltRow(Row):
    """A halt of a product: in [effective_at, until), where an early end moved `until`."""

    product: str
    reason: str
    by: tuple[str, ...]
    effective_at: Instant
    until: Instant
    opened_by: str | None = None
    opened_reason: str | None = None


def _halt_id(event: ProductHalted | ProductOpened, _: Meta) -> Iterable[str]:
    return (f"{event.product}/{format_instant(event.effective_at)}",)


def _halt(row: HaltRow | None, event: Event, meta: Meta) -> HaltRow | None:
    match event:
        case ProductHalted():
            return HaltRow(
                **base(meta),
                product=event.product,
                reason=event.reason,
                by=event.by,
                effective_at=event.effective_at,
                until=event.until,
            )
        case ProductOpened() if row:
            return change(row, meta, until=event.until, opened_by=event.by, opened_reason=event.reason)
        case _:
            return row


class GroupRow(Row):
    """A group and its members."""

    members: tuple[str, ...]


def _group(row: GroupRow | None, event: Event, meta: Meta) -> GroupRow | None:
    return GroupRow(**base(meta), members=event.members) if isinstance(event, GroupSet) else row


class PrincipalRow(Row):
    """A principal: its key, and what it may vouch for until it is revoked."""

    status: Literal["active", "revoked"]
    public_key: str
    streams: tuple[str, ...]
    accounts: tuple[str, ...]
    registered_at: Instant
    revoked_at: Instant | None = None


def _principal(row: PrincipalRow | None, event: Event, meta: Meta) -> PrincipalRow | None:
    match event:
        case PrincipalRegistered():
            return PrincipalRow(
                **base(meta),
                status="active",
                public_key=event.public_key,
                streams=event.streams,
                accounts=event.accounts,
                registered_at=meta.at,
            )
        case PrincipalRevoked() if row:
            return change(row, meta, status="revoked", revoked_at=meta.at)
        case _:
            return row


class FindingRow(Row):
    """Governance's finding on an incident, by the incident's id."""

    finding: Literal["confirmed", "rejected"]
    reason: str
    found_at: Instant


def _finding(row: FindingRow | None, event: Event, meta: Meta) -> FindingRow | None:
    if not isinstance(event, IncidentFound):
        return row
    return FindingRow(**base(meta), finding=event.finding, reason=event.reason, found_at=meta.at)


class StakeTermsRow(Row):
    """What assessors put at stake: there is one such row, `stake`."""

    asset: str
    stake_min_minor: AmountMinor
    notice: Duration
    payout: PayoutTerms


def _stake_terms(row: StakeTermsRow | None, event: Event, meta: Meta) -> StakeTermsRow | None:
    if not isinstance(event, StakeTermsSet):
        return row
    return StakeTermsRow(
        **base(meta),
        asset=event.asset,
        stake_min_minor=event.stake_min_minor,
        notice=event.notice,
        payout=event.payout,
    )


class PoolListingRow(Row):
    """A pool as governance wants it; `pools` says how it is."""

    title: str
    asset: str
    terms: PoolTerms


def _pool_listing(row: PoolListingRow | None, event: Event, meta: Meta) -> PoolListingRow | None:
    if not isinstance(event, PoolListed):
        return row
    return PoolListingRow(**base(meta), title=event.title, asset=event.asset, terms=event.terms)


KINDS = (
    Kind("rulebooks", RulebookRow, LOGS, {RulebookPublished: lambda e, _: (e.rulebook.id,)}, _rulebook, ("name",)),
    Kind(
        "products",
        ProductRow,
        LOGS,
        dict.fromkeys((ProductListed, HaltRequested, ProductHalted, ProductOpened), by("product")),
        _product,
        ("pool", "rulebook"),
    ),
    Kind("halts", HaltRow, LOGS, {ProductHalted: _halt_id, ProductOpened: _halt_id}, _halt, ("product",)),
    Kind("groups", GroupRow, LOGS, {GroupSet: by("group")}, _group),
    Kind(
        "principals",
        PrincipalRow,
        LOGS,
        dict.fromkeys((PrincipalRegistered, PrincipalRevoked), by("principal")),
        _principal,
        ("status",),
    ),
    Kind("findings", FindingRow, LOGS, {IncidentFound: by("incident")}, _finding, ("finding",)),
    Kind("stake-terms", StakeTermsRow, LOGS, {StakeTermsSet: lambda *_: ("stake",)}, _stake_terms),
    Kind("pool-listings", PoolListingRow, LOGS, {PoolListed: by("pool")}, _pool_listing),
)
