"""Cases: a procedure interpreted stage by stage, to a ruling."""

from collections.abc import Iterable, Sequence

from schemas.adjudication import (
    CaseOpened,
    CaseReduced,
    CaseRuled,
    CaseWithdrawn,
    CastVote,
    OpenCase,
    Recuse,
    ReduceCase,
    WithdrawCase,
)
from schemas.envelope import Event
from schemas.governance import ProductHalted, ProductOpened
from schemas.rulebook import Stage as Rules
from services.adjudication import halts, refusals
from services.adjudication.case import UNKNOWN, Case, evolve
from services.adjudication.facts import Facts
from services.adjudication.procedure import following, takes, turn
from services.adjudication.settlement import deadline as settlement_deadline
from services.adjudication.settlement import settle
from services.adjudication.stages.registry import STAGES, StageState
from services.adjudication.stages.stage import Ending, Opening
from services.kernel.decider import Deadline, Received, Refused


class CaseDecider:
    """One case. What a stage takes, and what it does with it, is the stage's to say."""

    state = Case

    def initial(self, key: str) -> Case:
        """Return a case that nobody opened yet."""
        return UNKNOWN

    def evolve(self, state: Case, event: Event) -> Case:
        """Fold one event."""
        return evolve(state, event)

    def decide(self, state: Case, facts: Facts, received: Received) -> Sequence[Event]:
        """Leave to the open stage what it takes; decide what concerns the case itself."""
        content = received.content
        if state.stage is not None and takes(state.stage, content):
            return _go_on(state, state.stage, facts, received)
        match content:
            case OpenCase():
                return _open(content, facts, received) if state.status == "unknown" else []
            case CastVote() | Recuse():
                return [_no_round(state, facts, content)]
            case Deadline():
                return settle(state, facts, received.at) if content == settlement_deadline(state) else []
            case _:
                return _told(state, facts, received) if state.status == "open" else []

    def deadlines(self, state: Case, facts: Facts) -> Iterable[Deadline]:
        """List those of the open stage; once a case is over, that further votes are settled."""
        if state.stage is not None:
            return STAGES[state.stage.stage].deadlines(state.stage)
        due = settlement_deadline(state)
        return () if due is None else (due,)


def _told(case: Case, facts: Facts, received: Received) -> Sequence[Event]:
    """Decide what a sibling says of an open case."""
    match received.content:
        case ReduceCase(amount_minor=amount_minor):
            return [CaseReduced(amount_minor=amount_minor)] if amount_minor < case.amount_minor else []
        case WithdrawCase():
            withdrawn = CaseWithdrawn()
            return [withdrawn, *settle(evolve(case, withdrawn), facts, received.at)]
        case ProductHalted() as content:
            return halts.halt(case, content, received.since)
        case ProductOpened() as content:
            return halts.open_again(case, content, received.since)
        case _:
            return []


def _open(content: OpenCase, facts: Facts, received: Received) -> Sequence[Event]:
    opened = CaseOpened(
        case=content.case,
        subject=content.subject,
        rulebook=content.rulebook,
        claimant=content.claimant,
        amount_minor=content.amount_minor,
        product=content.product,
        incident=content.incident,
        pool=content.pool,
    )
    return [opened, *_next_stage(evolve(UNKNOWN, opened), facts, received, after=-1, ending=None)]


def _go_on(case: Case, open_stage: StageState, facts: Facts, received: Received) -> Sequence[Event]:
    if isinstance(received.content, CastVote | Recuse):
        refusal = halts.refused(case, facts, received.at)
        if refusal is not None:
            return [refusal]
    stage = STAGES[open_stage.stage]
    rules = _procedure(case, facts)[open_stage.position]
    events = stage.decide(rules, open_stage, facts, received)
    if not events or type(events[-1]) is not stage.closer:
        return events
    ending = stage.ending(open_stage, events[-1])
    ended = _after(case, events)
    return [*events, *_next_stage(ended, facts, received, after=open_stage.position, ending=ending)]


def _next_stage(case: Case, facts: Facts, received: Received, *, after: int, ending: Ending | None) -> Sequence[Event]:
    """Open the stage that runs after the one at `after`, or rule after the last, which settles the votes."""
    procedure = _procedure(case, facts)
    position = following(procedure, after, ending)
    if position is not None:
        rules = procedure[position]
        outcome = ending.outcome if ending else None
        since = received.since
        opening = Opening(position, turn(procedure, position), since, case.terms, outcome, case.kept.recused)
        opened = STAGES[rules.stage].open(rules, opening, facts)
        return [*opened, *halts.halt_from_the_start(_after(case, opened[:1]), facts, since)]
    assert ending is not None, "a procedure has a stage that decides"
    ruling = CaseRuled(
        case=case.terms.case,
        subject=case.terms.subject,
        outcome=ending.outcome,
        amount_minor=case.amount_minor,
    )
    return [ruling, *settle(evolve(case, ruling), facts, received.at)]


def _after(case: Case, events: Sequence[Event]) -> Case:
    for event in events:
        case = evolve(case, event)
    return case


def _procedure(case: Case, facts: Facts) -> tuple[Rules, ...]:
    return facts.procedure(case.terms.rulebook, case.terms.subject)


def _no_round(state: Case, facts: Facts, content: CastVote | Recuse) -> Refused:
    if state.stage is not None:
        return refusals.stage_takes_none(content, state, state.stage, _procedure(state, facts))
    if state.status == "unknown":
        return refusals.case_unknown(content)
    return refusals.case_closed(content, f"ruled: {state.outcome}" if state.status == "ruled" else state.status)
