"""Assessors with their stake, and the covers that accounts hold."""

from typing import Literal

from schemas.assessors import (
    AssessorProfiled,
    AssessorRegistered,
    HoldingNoted,
    InterestsDeclared,
    StakeAdded,
    StakePaidOut,
    StakeSettled,
    StakeWithdrawalAnnounced,
    StakeWithdrawalAnswered,
    StakeWithdrawalRequested,
    StakeWithdrawn,
)
from schemas.envelope import Event, Message
from schemas.instants import Instant
from schemas.money import AmountMinor
from services.views.kind import Joined, Kind, Meta, Part, Row, base, by, change

LOGS = ("assessors.events",)


class WithdrawalRow(Part):
    """The latest withdrawal of stake; `cases` are those that held it when partitions answered."""

    withdrawal: int
    status: Literal["requested", "announced", "withdrawn", "paid-out"]
    amount_minor: AmountMinor
    available_at: Instant | None = None
    answers_count: int = 0
    partitions: int | None = None
    cases: tuple[str, ...] = ()
    payout: str | None = None


class AssessorRow(Row):
    """An assessor. Per assessor, added + rewarded = stake + forfeited + withdrawn.

    `stake_minor` is all that is at stake, what waits to leave included; `voting_minor` is what weighs in votes.
    """

    registered_at: Instant
    stake_minor: AmountMinor = 0
    voting_minor: AmountMinor = 0
    added_minor: AmountMinor = 0
    rewarded_minor: AmountMinor = 0
    forfeited_minor: AmountMinor = 0
    shortfall_minor: AmountMinor = 0
    withdrawn_minor: AmountMinor = 0
    paid_out_minor: AmountMinor = 0
    votes_settled: int = 0
    linked_accounts: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    withdrawal: WithdrawalRow | None = None


def _assessor(row: AssessorRow | None, event: Event, meta: Meta) -> AssessorRow | None:
    if isinstance(event, AssessorRegistered):
        return AssessorRow(**base(meta), registered_at=meta.at, linked_accounts=event.linked_accounts)
    return row and _next_assessor(row, event, meta)


def _next_assessor(row: AssessorRow, event: Event, meta: Meta) -> AssessorRow:
    match event:
        case StakeAdded():
            added = row.added_minor + event.amount_minor
            return change(row, meta, stake_minor=event.stake_minor, added_minor=added)
        case AssessorProfiled():
            return change(
                row,
                meta,
                voting_minor=event.stake_minor,
                linked_accounts=event.linked_accounts,
                interests=event.interests,
            )
        case StakeSettled():
            return change(
                row,
                meta,
                stake_minor=event.stake_minor,
                rewarded_minor=row.rewarded_minor + event.reward_minor,
                forfeited_minor=row.forfeited_minor + event.forfeited_minor,
                shortfall_minor=row.shortfall_minor + event.shortfall_minor,
                votes_settled=row.votes_settled + 1,
            )
        case InterestsDeclared():
            return change(row, meta, interests=event.products, linked_accounts=event.linked_accounts)
        case _:
            return _leaving(row, event, meta)


def _leaving(row: AssessorRow, event: Event, meta: Meta) -> AssessorRow:
    match event:
        case StakeWithdrawalRequested():
            held = WithdrawalRow(
                withdrawal=event.withdrawal,
                status="requested",
                amount_minor=event.amount_minor,
                available_at=event.available_at,
            )
            return change(row, meta, withdrawal=held)
        case StakeWithdrawalAnnounced() if row.withdrawal:
            held = row.withdrawal.model_copy(update={"status": "announced", "amount_minor": event.amount_minor})
            return change(row, meta, withdrawal=held)
        case StakeWithdrawalAnswered() if row.withdrawal:
            cases = tuple(sorted({*row.withdrawal.cases, *event.cases}))
            answers = row.withdrawal.answers_count + 1
            update = {"answers_count": answers, "partitions": event.partitions, "cases": cases}
            return change(row, meta, withdrawal=row.withdrawal.model_copy(update=update))
        case StakeWithdrawn() if row.withdrawal:
            update = {"status": "withdrawn", "amount_minor": event.amount_minor, "payout": event.payout}
            return change(
                row,
                meta,
                stake_minor=event.stake_minor,
                withdrawn_minor=row.withdrawn_minor + event.amount_minor,
                withdrawal=row.withdrawal.model_copy(update=update),
            )
        case StakePaidOut():
            latest = row.withdrawal
            if latest is not None and latest.withdrawal == event.withdrawal:
                latest = latest.model_copy(update={"status": "paid-out"})
            return change(row, meta, paid_out_minor=row.paid_out_minor + event.amount_minor, withdrawal=latest)
        case _:
            return row


class HoldingRow(Row):
    """A cover that an account holds, by the cover's id; it can be claimed on before `until`."""

    account: str
    product: str
    until: Instant


def _holding(row: HoldingRow | None, event: Event, meta: Meta) -> HoldingRow | None:
    if not isinstance(event, HoldingNoted):
        return row
    return HoldingRow(**base(meta), account=event.account, product=event.product, until=event.until)


_EVENTS: tuple[type[Message], ...] = (
    AssessorRegistered,
    StakeAdded,
    AssessorProfiled,
    StakeSettled,
    InterestsDeclared,
    StakeWithdrawalRequested,
    StakeWithdrawalAnnounced,
    StakeWithdrawalAnswered,
    StakeWithdrawn,
    StakePaidOut,
)

KINDS = (
    Kind(
        "assessors",
        AssessorRow,
        LOGS,
        dict.fromkeys(_EVENTS, by("assessor")),
        _assessor,
        (),
        (Joined("votes", "votes", "assessor"), Joined("holdings", "holdings", "account")),
    ),
    Kind("holdings", HoldingRow, LOGS, {HoldingNoted: by("cover")}, _holding, ("account", "product")),
)
