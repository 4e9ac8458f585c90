"""The decider of a payout: which rules an input goes through."""

from collections.abc import Iterable, Sequence

from schemas.envelope import Event
from schemas.payouts import ReceiptConfirmed, ReceiptFailed, ReceiptSubmitted, RequestPayout, ResumePayout
from services.kernel.decider import Deadline, Received
from services.payouts.attempts import instruct, retry, suspend_unanswered
from services.payouts.facts import Facts
from services.payouts.payout import Payout, evolve
from services.payouts.receipts import receive


class PayoutDecider:
    """Decides `payout/<payout>`."""

    state = Payout

    def initial(self, key: str) -> Payout:
        """Return a payout that nobody asked for."""
        return Payout()

    def evolve(self, state: Payout, event: Event) -> Payout:
        """Fold one event."""
        return evolve(state, event)

    def decide(self, state: Payout, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one input."""
        match received.content:
            case ReceiptSubmitted() | ReceiptConfirmed() | ReceiptFailed() | ResumePayout() as receipt:
                return receive(state, received, receipt)
            case RequestPayout() as request:
                return (instruct(request, received.since),) if state.instruction is None else ()
            case Deadline() as deadline:
                return self._due(state, facts, deadline, received.since)
            case _:
                text = f"payouts have no rule for {received.type}"
                raise TypeError(text)

    def deadlines(self, state: Payout, facts: Facts) -> Iterable[Deadline]:
        """List what the current attempt waits for: its receipt, or the next attempt."""
        if state.due_at is None:
            return ()
        return (Deadline("receipt" if state.status == "instructed" else "retry", state.due_at),)

    def _due(self, state: Payout, facts: Facts, deadline: Deadline, since: int) -> Sequence[Event]:
        if state.instruction is None or deadline not in self.deadlines(state, facts):
            return ()
        if deadline.name == "retry":
            return (retry(state, state.instruction, since),)
        return (suspend_unanswered(state, state.instruction),)
