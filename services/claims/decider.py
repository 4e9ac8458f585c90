"""The decider of a cover and its claims: which rules an input goes through."""

from collections.abc import Iterable, Sequence

from schemas.adjudication import CaseRuled
from schemas.claims import AddEvidence, FileClaim, ReduceClaim, RegisterCover, WithdrawClaim
from schemas.envelope import Event
from schemas.payouts import PayoutConfirmed
from schemas.pools import AllocateClaim, IssueCover
from services.claims.actions import act
from services.claims.cover import Cover, evolve
from services.claims.facts import Facts
from services.claims.intake import file
from services.claims.registration import issue, register
from services.claims.settlement import allocate, pay, rule
from services.kernel.decider import Deadline, Received

_UNREGISTERED = Cover()


class CoverDecider:
    """Decides `cover/<cover>`."""

    state = Cover

    def initial(self, key: str) -> Cover:
        """Return a cover that is not registered."""
        return _UNREGISTERED

    def evolve(self, state: Cover, event: Event) -> Cover:
        """Fold one event."""
        return evolve(state, event)

    def decide(self, state: Cover, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one input."""
        match received.content:
            case FileClaim() as content:
                return (file(state, facts, received, content),)
            case AddEvidence() | ReduceClaim() | WithdrawClaim() as content:
                return (act(state, facts, content),)
            case RegisterCover() as content:
                return (register(state, facts, content),)
            case _:
                return self._hear(state, facts, received)

    def _hear(self, state: Cover, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide what a sibling says; none of it is refused."""
        match received.content:
            case CaseRuled() as content:
                return rule(state, facts, content)
            case AllocateClaim() as content:
                return allocate(state, facts, content)
            case PayoutConfirmed() as content:
                return pay(state, content)
            case IssueCover() as content:
                return issue(state, facts, content)
            case _:
                text = f"claims have no rule for {received.type}"
                raise TypeError(text)

    def deadlines(self, state: Cover, facts: Facts) -> Iterable[Deadline]:
        """List nothing: time alone changes no claim; its windows are its case's and its payout's."""
        return ()
