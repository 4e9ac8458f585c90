"""The decider of a pool: which rules an input goes through, and what falls due."""

from collections.abc import Iterable, Sequence

from schemas.envelope import Event
from schemas.governance import PoolListed, ProductHalted, ProductOpened
from schemas.incidents import IncidentDecided
from schemas.payouts import PayoutConfirmed
from schemas.pools import ClaimExposure, DepositCapital, RequestCapitalWithdrawal, RequestCover, WithdrawCapital
from services.kernel.decider import Deadline, Received
from services.pools.capital import deposit, request, withdraw
from services.pools.draft import Draft
from services.pools.facts import Facts
from services.pools.fold import evolve
from services.pools.lines import telling, telling_due
from services.pools.movements import book, lapse, listed
from services.pools.pool import Pool
from services.pools.reserve import expose, move_cut_offs, open_settlement
from services.pools.sale import sell
from services.pools.settlement import settle

_UNKNOWN = Pool()


class PoolDecider:
    """Decides `pool/<pool>`."""

    state = Pool

    def initial(self, key: str) -> Pool:
        """Return a pool that is not open."""
        return _UNKNOWN

    def evolve(self, state: Pool, event: Event) -> Pool:
        """Fold one event."""
        return evolve(state, event)

    def decide(self, state: Pool, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one input."""
        match received.content:
            case RequestCover() as content:
                return sell(state, facts, received, content)
            case DepositCapital() as content:
                return (deposit(state, content),)
            case RequestCapitalWithdrawal() as content:
                return (request(state, received, content),)
            case WithdrawCapital() as content:
                return (withdraw(state, facts, received, content),)
            case Deadline() as deadline:
                return self._due(state, facts, received, deadline)
            case _:
                return self._hear(state, facts, received)

    def deadlines(self, state: Pool, facts: Facts) -> Iterable[Deadline]:
        """List what is open: the earliest lapse, the cut-offs of open incidents, and the lines to be told next."""
        due = [Deadline(f"lapse/{first}", first) for first in state.exposure.lapses[:1]]
        for name in state.unclosed:
            incident = state.incidents[name]
            if incident.stage == "open":
                due.append(Deadline(f"cut-off/{name}", incident.cut_off_at))
        if state.pending:
            due.append(telling_due(state.pending[0]))
        return due

    def _hear(self, state: Pool, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide what a sibling says; none of it is refused."""
        name = received.key.partition("/")[2]
        match received.content:
            case ClaimExposure() as content:
                return expose(name, state, content, received.since)
            case IncidentDecided() as content:
                return open_settlement(name, state, facts, content)
            case PayoutConfirmed() as content:
                return book(name, state, content)
            case PoolListed() as content:
                return listed(state, content)
            case ProductHalted() | ProductOpened() as content:
                return move_cut_offs(name, state, facts, content.product)
            case _:
                text = f"pools have no rule for {received.type}"
                raise TypeError(text)

    def _due(self, state: Pool, facts: Facts, received: Received, deadline: Deadline) -> Sequence[Event]:
        if deadline not in self.deadlines(state, facts):
            return ()
        name = received.key.partition("/")[2]
        kind, _, what = deadline.name.partition("/")
        if kind == "lapse":
            return (lapse(name, state, deadline.due),)
        if kind == "lines":
            return (telling(name, state.pending[0]),)
        draft = Draft(name, state)
        settle(draft, what, received.since)
        return draft.events
