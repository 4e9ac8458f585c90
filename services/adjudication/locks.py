"""Answers to withdrawals: which open cases of this partition may still take from a stake. One aggregate a partition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.assessors import LocksAnswered, StakeWithdrawalAnnounced
from schemas.envelope import Event
from services.adjudication.facts import Facts
from services.kernel.decider import Deadline, Received
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Locks:
    """The last withdrawal of each assessor that was answered."""

    answered: PersistentMap[str, int] = field(default_factory=PersistentMap)


_NONE = Locks()


class LocksDecider:
    """Decides `locks/<partition>`."""

    state = Locks

    def initial(self, key: str) -> Locks:
        """Return a partition that answered nobody."""
        return _NONE

    def evolve(self, state: Locks, event: Event) -> Locks:
        """Fold an answer."""
        if not isinstance(event, LocksAnswered):
            return state
        return Locks(state.answered.set(event.assessor, event.withdrawal))

    def decide(self, state: Locks, facts: Facts, received: Received) -> Sequence[Event]:
        """Answer a withdrawal, once; votes cast after it do not weigh what leaves."""
        announced = received.content
        if not isinstance(announced, StakeWithdrawalAnnounced):
            text = f"locks have no rule for {received.type}"
            raise TypeError(text)
        if announced.withdrawal <= state.answered.get(announced.assessor, 0):
            return ()
        answer = LocksAnswered(
            assessor=announced.assessor,
            withdrawal=announced.withdrawal,
            partition=received.partition,
            partitions=received.partitions,
            cases=facts.index.voted_in(announced.assessor),
        )
        return (answer,)

    def deadlines(self, state: Locks, facts: Facts) -> Iterable[Deadline]:
        """List nothing: an answer is given at once."""
        return ()
