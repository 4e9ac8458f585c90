"""Cases with their stages, rounds, votes, and who may not vote."""

from collections.abc import Iterable
from typing import Literal

from schemas.adjudication import (
    AssessorExcluded,
    AssessorRecused,
    BallotClosed,
    BallotOpened,
    CaseHalted,
    CaseOpened,
    CaseReduced,
    CaseRuled,
    CaseWithdrawn,
    Choice,
    CooldownClosed,
    CooldownOpened,
    CorroborationClosed,
    CorroborationOpened,
    ReportCounted,
    RoundSettled,
    VoteCounted,
    VotesSettled,
)
from schemas.envelope import Event, Message
from schemas.ids import Subject
from schemas.instants import Instant
from schemas.money import AmountMinor
from schemas.rulebook import Outcome
from services.views.kind import Joined, Keys, Kind, Meta, Part, Row, base, by_subject, change

LOGS = ("adjudication.events",)


class StageRow(Part):
    """A stage of a case; `stage` is its place in the procedure. A ballot's count stands in its round."""

    stage: int
    kind: Literal["corroboration", "ballot", "cooldown"]
    status: Literal["open", "closed"]
    opened_at: Instant
    closes_at: Instant
    closed_at: Instant | None = None
    outcome: Outcome | None = None
    round: int | None = None
    weight_sum: int | None = None
    required_weight: int | None = None


class CaseRow(Row):
    """A claim or incident under decision; `ruled_minor` is what the ruling granted."""

    status: Literal["open", "ruled", "withdrawn"]
    subject: Subject
    rulebook: str
    product: str | None
    incident: str | None
    pool: str | None
    claimant: str | None
    amount_minor: AmountMinor
    opened_at: Instant
    closes_at: Instant | None = None
    outcome: Outcome | None = None
    ruled_minor: AmountMinor | None = None
    ended_at: Instant | None = None
    stages: tuple[StageRow, ...] = ()


def _opened(row: CaseRow, meta: Meta, stage: StageRow) -> CaseRow:
    return change(row, meta, closes_at=stage.closes_at, stages=(*row.stages, stage))


def _last(row: CaseRow, meta: Meta, **fields: object) -> CaseRow:
    """Change the latest stage, the one that is or was open."""
    if not row.stages:
        return row
    stage = row.stages[-1].model_copy(update=fields)
    closes_at = stage.closes_at if stage.status == "open" else None
    return change(row, meta, closes_at=closes_at, stages=(*row.stages[:-1], stage))


def _case(row: CaseRow | None, event: Event, meta: Meta) -> CaseRow | None:
    if isinstance(event, CaseOpened):
        return CaseRow(
            **base(meta),
            status="open",
            subject=event.subject,
            rulebook=event.rulebook,
            product=event.product,
            incident=event.incident,
            pool=event.pool,
            claimant=event.claimant,
            amount_minor=event.amount_minor,
            opened_at=meta.at,
        )
    return row and _next_case(row, event, meta)


def _next_case(row: CaseRow, event: Event, meta: Meta) -> CaseRow:
    match event:
        case CaseReduced():
            return change(row, meta, amount_minor=event.amount_minor)
        case CaseWithdrawn():
            return _last(row, meta, status="closed", closed_at=meta.at).model_copy(
                update={"status": "withdrawn", "ended_at": meta.at, "closes_at": None}
            )
        case CaseHalted():
            return _last(row, meta, closes_at=event.closes_at)
        case CorroborationOpened():
            stage = StageRow(
                stage=event.stage,
                kind="corroboration",
                status="open",
                opened_at=meta.at,
                closes_at=event.closes_at,
                weight_sum=0,
                required_weight=event.required_weight,
            )
            return _opened(row, meta, stage)
        case ReportCounted():
            return _last(row, meta, weight_sum=event.weight_sum)
        case CorroborationClosed():
            return _last(
                row, meta, status="closed", closed_at=meta.at, outcome=event.outcome, weight_sum=event.weight_sum
            )
        case BallotOpened():
            stage = StageRow(
                stage=event.stage,
                kind="ballot",
                status="open",
                opened_at=meta.at,
                closes_at=event.closes_at,
                round=event.round,
            )
            return _opened(row, meta, stage)
        case BallotClosed():
            return _last(row, meta, status="closed", closed_at=meta.at, outcome=event.outcome)
        case CooldownOpened():
            stage = StageRow(
                stage=event.stage,
                kind="cooldown",
                status="open",
                opened_at=meta.at,
                closes_at=event.closes_at,
                outcome=event.outcome,
            )
            return _opened(row, meta, stage)
        case CooldownClosed():
            return _last(row, meta, status="closed", closed_at=meta.at)
        case CaseRuled():
            return change(
                row,
                meta,
                status="ruled",
                closes_at=None,
                outcome=event.outcome,
                ruled_minor=event.amount_minor,
                ended_at=meta.at,
            )
        case _:
            return row


class RoundRow(Row):
    """One vote of a case, `<case>/<round>`: how it stands, how it was counted, what votes lost and won.

    The eligible sums are without excluded assessors; `rule` says which step of the count decided.
    """

    case: str
    round: int
    stage: int
    status: Literal["open", "closed", "settled"]
    opened_at: Instant
    closes_at: Instant
    closes_early_at: Instant | None
    closed_at: Instant | None = None
    eligible_stake_minor: AmountMinor
    eligible_heads: int
    cap_minor: AmountMinor | None
    accept_minor: AmountMinor = 0
    deny_minor: AmountMinor = 0
    heads: int = 0
    early: bool | None = None
    rule: Literal["empty", "quorum", "tie", "agreement"] | None = None
    outcome: Outcome | None = None
    final_outcome: Outcome | None = None
    forfeited_minor: AmountMinor | None = None
    winning_minor: AmountMinor | None = None
    units: int | None = None
    treasury_minor: AmountMinor | None = None


def _round_id(event: BallotOpened | VoteCounted | BallotClosed, meta: Meta) -> Iterable[str]:
    return (f"{meta.subject}/{event.round}",)


def _round(row: RoundRow | None, event: Event, meta: Meta) -> RoundRow | None:
    if isinstance(event, BallotOpened):
        return RoundRow(
            **base(meta),
            case=meta.subject,
            round=event.round,
            stage=event.stage,
            status="open",
            opened_at=meta.at,
            closes_at=event.closes_at,
            closes_early_at=event.closes_early_at,
            eligible_stake_minor=event.eligible_stake_minor,
            eligible_heads=event.eligible_heads,
            cap_minor=event.cap_minor,
        )
    return row and _next_round(row, event, meta)


def _next_round(row: RoundRow, event: Event, meta: Meta) -> RoundRow:
    match event:
        case AssessorRecused():
            return change(
                row,
                meta,
                eligible_stake_minor=event.eligible_stake_minor,
                eligible_heads=event.eligible_heads,
            )
        case VoteCounted():
            return change(
                row,
                meta,
                accept_minor=event.accept_minor,
                deny_minor=event.deny_minor,
                heads=row.heads + (not event.replaces),
            )
        case BallotClosed():
            return change(
                row,
                meta,
                status="closed",
                closed_at=meta.at,
                eligible_stake_minor=event.eligible_stake_minor,
                eligible_heads=event.eligible_heads,
                accept_minor=event.accept_minor,
                deny_minor=event.deny_minor,
                heads=event.heads,
                early=event.early,
                rule=event.rule,
                outcome=event.outcome,
            )
        case RoundSettled():
            return change(
                row,
                meta,
                status="settled",
                closed_at=row.closed_at or meta.at,
                final_outcome=event.outcome,
                forfeited_minor=event.forfeited_minor,
                winning_minor=event.winning_minor,
                units=event.units,
                treasury_minor=event.treasury_minor,
            )
        case _:
            return row


class VoteRow(Row):
    """The vote of an assessor that counts in a round, `<case>/<round>/<assessor>`, and what it lost and won."""

    case: str
    round: int
    assessor: str
    choice: Choice
    clause: str
    rationale: str
    stake_minor: AmountMinor
    weight_minor: AmountMinor
    cast_at: Instant
    forfeit_minor: AmountMinor | None = None
    reward_minor: AmountMinor | None = None


def _of_assessor(event: VoteCounted | AssessorExcluded | AssessorRecused, meta: Meta) -> Iterable[str]:
    return (f"{meta.subject}/{event.round}/{event.assessor}",)


def _of_lines(event: VotesSettled, meta: Meta) -> Iterable[str]:
    return [f"{meta.subject}/{event.round}/{line.assessor}" for line in event.lines]


def _vote(row: VoteRow | None, event: Event, meta: Meta) -> VoteRow | None:
    match event:
        case VoteCounted():
            return VoteRow(
                **base(meta),
                case=meta.subject,
                round=event.round,
                assessor=event.assessor,
                choice=event.choice,
                clause=event.clause,
                rationale=event.rationale,
                stake_minor=event.stake_minor,
                weight_minor=event.weight_minor,
                cast_at=meta.at,
            )
        case VotesSettled() if row:
            line = next(line for line in event.lines if line.assessor == row.assessor)
            return change(row, meta, forfeit_minor=line.forfeit_minor, reward_minor=line.reward_minor)
        case _:
            return row


class ExclusionRow(Row):
    """An assessor that may not vote in a round, `<case>/<round>/<assessor>`, and why; `recused`: by its own wish."""

    case: str
    round: int
    assessor: str
    recused: bool
    reason: str
    excluded_at: Instant


def _exclusion(row: ExclusionRow | None, event: Event, meta: Meta) -> ExclusionRow | None:
    if not isinstance(event, AssessorExcluded | AssessorRecused):
        return row
    return ExclusionRow(
        **base(meta),
        case=meta.subject,
        round=event.round,
        assessor=event.assessor,
        recused=isinstance(event, AssessorRecused),
        reason=event.reason,
        excluded_at=meta.at,
    )


_CASE_EVENTS: tuple[type[Message], ...] = (
    CaseOpened,
    CaseReduced,
    CaseWithdrawn,
    CaseHalted,
    CorroborationOpened,
    ReportCounted,
    CorroborationClosed,
    BallotOpened,
    BallotClosed,
    CooldownOpened,
    CooldownClosed,
    CaseRuled,
)
_ROUND_EVENTS: tuple[type[Message], ...] = (BallotOpened, VoteCounted, AssessorRecused, BallotClosed, RoundSettled)
_VOTE_EVENTS: dict[type[Message], Keys] = {VoteCounted: _of_assessor, VotesSettled: _of_lines}

KINDS = (
    Kind(
        "cases",
        CaseRow,
        LOGS,
        dict.fromkeys(_CASE_EVENTS, by_subject),
        _case,
        ("status", "subject", "product", "incident", "pool", "claimant", "outcome"),
        (Joined("rounds", "rounds", "case"), Joined("exclusions", "exclusions", "case")),
    ),
    Kind(
        "rounds",
        RoundRow,
        LOGS,
        dict.fromkeys(_ROUND_EVENTS, _round_id),
        _round,
        ("case", "status"),
    ),
    Kind("votes", VoteRow, LOGS, _VOTE_EVENTS, _vote, ("case", "assessor", "choice")),
    Kind(
        "exclusions",
        ExclusionRow,
        LOGS,
        dict.fromkeys((AssessorExcluded, AssessorRecused), _of_assessor),
        _exclusion,
        ("case", "assessor"),
    ),
)
