"""The decider of an assessor: which rules an input goes through, and when others hear of another profile."""

from collections.abc import Iterable, Sequence

from schemas.assessors import (
    AddStake,
    DeclareInterests,
    LocksAnswered,
    NoteCapital,
    NoteHolding,
    RegisterAssessor,
    RequestStakeWithdrawal,
    SettleVote,
    WithdrawStake,
)
from schemas.envelope import Event
from schemas.payouts import PayoutConfirmed
from services.assessors import leaving, notes, registration, stake
from services.assessors.assessor import Assessor, evolve
from services.assessors.facts import Facts
from services.assessors.profile import changed
from services.kernel.decider import Deadline, Received, Refused

_UNKNOWN = Assessor()


class AssessorDecider:
    """Decides `assessor/<account>`."""

    state = Assessor

    def initial(self, key: str) -> Assessor:
        """Return an account of which nothing is known."""
        return _UNKNOWN

    def evolve(self, state: Assessor, event: Event) -> Assessor:
        """Fold one event."""
        return evolve(state, event)

    def decide(self, state: Assessor, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one input; what others have to reckon with anew follows as a profile."""
        events = _decided(state, facts, received)
        after = state
        for event in events:
            if isinstance(event, Refused):
                return events
            after = evolve(after, event)
        profiled = changed(state, after, received.key.partition("/")[2], received.since) if events else None
        return events if profiled is None else (*events, profiled)

    def deadlines(self, state: Assessor, facts: Facts) -> Iterable[Deadline]:
        """List nothing: after a notice the assessor acts, and cases say when they have settled."""
        return ()


def _decided(state: Assessor, facts: Facts, received: Received) -> Sequence[Event]:
    match received.content:
        case RegisterAssessor() as action:
            return (registration.register(state, action),)
        case DeclareInterests() as action:
            return (registration.declare(state, action),)
        case AddStake() as action:
            return (stake.add(state, facts.terms, action),)
        case RequestStakeWithdrawal() as action:
            return (stake.request(state, facts.terms, action, received),)
        case WithdrawStake() as action:
            return (stake.withdraw(state, action, received),)
        case _:
            return _heard(state, facts, received)


def _heard(state: Assessor, facts: Facts, received: Received) -> Sequence[Event]:
    """Take what siblings say: never refused."""
    match received.content:
        case SettleVote() as vote:
            return leaving.settle(state, facts, vote)
        case LocksAnswered() as answered:
            return leaving.answer(state, facts, answered)
        case NoteHolding() as note:
            return notes.note_holding(state, note)
        case NoteCapital() as note:
            return notes.note_capital(state, note)
        case PayoutConfirmed() as payout:
            return leaving.paid_out(state, received.key.partition("/")[2], payout)
        case _:
            text = f"assessors have no rule for {received.type}"
            raise TypeError(text)
