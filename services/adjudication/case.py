"""The state of a case, folded from its events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from schemas.adjudication import (
    AssessorRecused,
    CaseHalted,
    CaseOpened,
    CaseReduced,
    CaseRuled,
    CaseWithdrawn,
    RoundSettled,
    VotesSettled,
)
from schemas.allocation import CutOff, Weight, cut_off
from schemas.envelope import Event
from schemas.rulebook import Outcome
from services.adjudication.ballot.round import Round, Vote
from services.adjudication.stages.registry import OPENERS, STAGES, StageState
from services.adjudication.terms import Terms
from services.kernel.persistent import PersistentMap


class Halting(NamedTuple):
    """The product is halted in [effective_at, until); windows of the open stage stand still from `counted_from` on.

    `moved` is by how much (milliseconds) halts moved the end of the stage in all.
    """

    effective_at: int
    until: int
    counted_from: int
    moved: int


@dataclass(frozen=True, slots=True)
class Voted:
    """A closed round whose votes are not settled: they win or lose by what is ruled in the end."""

    position: int
    round: int
    cap_minor: int | None
    votes: PersistentMap[str, Vote]

    def weight_of(self, vote: Vote) -> int:
        """Return what a vote weighed."""
        return vote.stake_minor if self.cap_minor is None else min(vote.stake_minor, self.cap_minor)


@dataclass(frozen=True, slots=True)
class Settling:
    """The round that is being settled: what `RoundSettled` says, who gets a unit more, and how far its lines are."""

    round: int
    outcome: Outcome
    settled_at: int
    forfeited_minor: int
    winning_minor: int
    cut: CutOff | None
    accounts: tuple[str, ...]
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What few cases have: a halt, assessors who stepped back (and in which round), votes that are not settled."""

    halt: Halting | None = None
    recused: PersistentMap[str, int] = field(default_factory=PersistentMap)
    rounds: tuple[Voted, ...] = ()
    settling: Settling | None = None


_NOTHING = Kept()


@dataclass(frozen=True, slots=True)
class Case:
    """A claim or an incident under decision.

    `amount_minor` is what is claimed now, in base units; `stage` the one that is open; `outcome` that of the last
    stage that ended, and the ruling once there is one.
    """

    opened: Terms | None = None
    status: Literal["unknown", "open", "ruled", "withdrawn"] = "unknown"
    amount_minor: int = 0
    stage: StageState | None = None
    outcome: Outcome | None = None
    kept: Kept = _NOTHING

    @property
    def terms(self) -> Terms:
        """Return what the case was opened with; only a case that exists has terms."""
        assert self.opened is not None, "a stage is open, but its case is not"
        return self.opened


UNKNOWN = Case()
"""A case that nobody opened."""


def evolve(case: Case, event: Event) -> Case:
    """Fold one event."""
    # By type, not by pattern: every vote comes through here, and each pattern that does not match costs it something.
    fold = _FOLDS.get(type(event))
    return _with_stage_event(case, event) if fold is None else fold(case, event)


def _opened(case: Case, event: CaseOpened) -> Case:  # noqa: ARG001 - one shape
    terms = Terms(event.case, event.subject, event.rulebook, event.claimant, event.product, event.pool)
    return Case(terms, "open", event.amount_minor)


def _reduced(case: Case, event: CaseReduced) -> Case:
    return replace(case, amount_minor=event.amount_minor)


def _withdrawn(case: Case, event: CaseWithdrawn) -> Case:  # noqa: ARG001 - one shape
    return replace(case, status="withdrawn", stage=None, kept=_with_votes(case))


def _ruled(case: Case, event: CaseRuled) -> Case:
    return replace(case, status="ruled", outcome=event.outcome)


def _with_stage_event(case: Case, event: Event) -> Case:
    kind = type(event)
    if kind in OPENERS:
        kept = case.kept if case.kept.halt is None else replace(case.kept, halt=None)
        return replace(case, stage=OPENERS[kind].opened(event), kept=kept)
    if case.stage is None:
        return case
    stage = STAGES[case.stage.stage]
    if kind is stage.closer:
        return replace(case, stage=None, outcome=stage.ending(case.stage, event).outcome, kept=_with_votes(case))
    evolved = stage.evolve(case.stage, event)
    if evolved is case.stage:
        return case
    kept = case.kept
    # By type first: the pattern alone would cost every vote something.
    if kind is AssessorRecused and isinstance(event, AssessorRecused):
        kept = replace(kept, recused=kept.recused.set(event.assessor, event.round))
    # What replace() does in twice the time: every vote comes through here.
    return Case(case.opened, case.status, case.amount_minor, evolved, case.outcome, kept)


def _with_votes(case: Case) -> Kept:
    """Keep the votes of a round that ends."""
    if not isinstance(case.stage, Round) or not case.stage.heads:
        return case.kept
    bounds = case.stage.opened
    voted = Voted(bounds.stage, bounds.round, bounds.cap_minor, case.stage.votes)
    return replace(case.kept, rounds=(*case.kept.rounds, voted))


def _halted(case: Case, event: CaseHalted) -> Case:
    assert case.stage is not None, "only an open stage has windows that stand still"
    stage, known = STAGES[case.stage.stage], case.kept.halt
    by = event.closes_at - stage.closes_at(case.stage)
    begun = known is not None and known.effective_at == event.effective_at
    counted_from = known.counted_from if known is not None and begun else event.until - by
    halt = Halting(event.effective_at, event.until, counted_from, by + (known.moved if known else 0))
    return replace(case, stage=stage.moved(case.stage, counted_from, by), kept=replace(case.kept, halt=halt))


def _round_settled(case: Case, event: RoundSettled) -> Case:
    voted = case.kept.rounds[0]
    weights = [
        Weight(account, voted.weight_of(vote))
        for account, vote in voted.votes.sorted_items()
        if event.units and vote.choice == event.outcome
    ]
    settling = Settling(
        event.round,
        event.outcome,
        event.settled_at,
        event.forfeited_minor,
        event.winning_minor,
        cut_off(weights, event.winning_minor, event.forfeited_minor),
        tuple(voted.votes.sorted_keys()),
    )
    return replace(case, kept=replace(case.kept, settling=settling))


def _votes_settled(case: Case, event: VotesSettled) -> Case:
    kept = case.kept
    if not event.more:
        return replace(case, kept=replace(kept, rounds=kept.rounds[1:], settling=None))
    assert kept.settling is not None, "lines of a round that is not settled"
    settled = kept.settling.settled + len(event.lines)
    return replace(case, kept=replace(kept, settling=replace(kept.settling, settled=settled)))


_FOLDS: Mapping[type[Event], Callable[[Case, Any], Case]] = {
    CaseOpened: _opened,
    CaseReduced: _reduced,
    CaseHalted: _halted,
    CaseWithdrawn: _withdrawn,
    CaseRuled: _ruled,
    RoundSettled: _round_settled,
    VotesSettled: _votes_settled,
}
"""What folds each event of the case itself; all others are its open stage's."""
