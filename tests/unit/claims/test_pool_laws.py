"""Laws over random histories of one cover that a pool sold."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from schemas.claims import ClaimAllocated, ClaimApproved, ClaimFiled, ClaimPaid, ClaimShareHeld
from schemas.envelope import Event, Message
from schemas.ids import parent
from schemas.rulebook import Outcome
from tests.unit.claims.examples import (
    OPEN,
    decided,
    filing,
    knowing,
    published,
    reducing,
    ruling,
    transferred,
    withdrawing,
)
from tests.unit.claims.pool_examples import (
    ISSUED,
    POOLED,
    SETTLED,
    allocation,
    sold,
)

INCIDENTS = [f"P/{number}" for number in range(1, 4)]
FACTS = knowing(published(SETTLED), POOLED, *(decided(incident) for incident in INCIDENTS))
OFTEN = ("file", "file", "rule", "rule", "allocate", "allocate", "allocate", "pay", "pay", "pay")
STEPS = (*OFTEN, *OFTEN, "reduce", "withdraw", "issue")
Told = TypeVar("Told", ClaimApproved, ClaimAllocated, ClaimShareHeld, ClaimPaid)
amounts = st.integers(0, 100)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(("accept", "accept", "accept", "deny", "draw"))


class PoolHistory:
    """A cover of 100 and its siblings at their worst.

    The pool allocates any amount to any claim, before and after its ruling, in any order and more than once.
    """

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.specification = sold(FACTS)
        self.events: list[Event] = []
        self.filed: dict[str, int] = {}
        self.asked: dict[str, int] = {}

    def run(self) -> None:
        for step in ("file", *self.data.draw(st.lists(st.sampled_from(STEPS), min_size=15, max_size=40))):
            self.specification.when(self._input(step), at=OPEN)
            for event in self.specification.events:
                self.events.append(event)
                if isinstance(event, ClaimFiled):
                    self.filed[event.claim] = event.amount_minor
                elif isinstance(event, ClaimAllocated):
                    self.asked[event.payout] = event.amount_minor

    def of(self, kind: type[Told], claim: str) -> list[Told]:
        return [event for event in self.events if isinstance(event, kind) and event.claim == claim]

    def _input(self, step: str) -> Message:
        draw = self.data.draw
        if step == "file":
            return filing(cover="main.1", incident=draw(st.sampled_from(INCIDENTS)), amount_minor=draw(amounts) or 1)
        if step == "pay" and self.asked:
            payout = draw(st.sampled_from(sorted(self.asked)))
            return transferred(self.asked[payout], parent(payout), int(payout.rpartition("/")[2]))
        claim = self.specification.state.open
        if claim is None or draw(st.booleans()):
            claim = draw(st.sampled_from(sorted(self.filed)))
        inputs: dict[str, Message] = {
            "allocate": allocation(draw(amounts), draw(st.integers(1, 5)), claim),
            "reduce": reducing(draw(amounts) or 1, claim, cover="main.1"),
            "withdraw": withdrawing(claim, cover="main.1"),
            "rule": ruling(draw(outcomes), self.filed[claim], claim),
            "issue": ISSUED,
        }
        return inputs.get(step, inputs["allocate"])


def total(events: Sequence[Told]) -> int:
    return sum(event.amount_minor for event in events)


@given(st.data())
def test_paid_on_a_pools_cover__never_above_its_amount(data: st.DataObject) -> None:
    history = PoolHistory(data)
    history.run()
    approved_minor = paid_minor = 0
    for claim in history.filed:
        approved, allocated = history.of(ClaimApproved, claim), history.of(ClaimAllocated, claim)
        paid = history.of(ClaimPaid, claim)
        assert total(paid) <= total(allocated) <= total(approved) <= history.filed[claim]
        assert len(approved) <= 1
        approved_minor += total(approved)
        paid_minor += total(paid)
        status = history.specification.state.claims[claim].status
        if approved:
            unpaid_minor = total(approved) - total(paid)
            assert status == ("paid" if not unpaid_minor else "partly-paid" if paid else "approved")
            assert not paid or paid[-1].unpaid_minor == unpaid_minor
    assert paid_minor <= approved_minor <= 100
    state = history.specification.state
    assert (state.paid_minor, state.owed_minor) == (paid_minor, approved_minor - paid_minor)


@given(st.data())
def test_payouts__count_up_and_what_is_held_or_allocated_counts_once(data: st.DataObject) -> None:
    history = PoolHistory(data)
    history.run()
    for claim in history.filed:
        allocated, held = history.of(ClaimAllocated, claim), history.of(ClaimShareHeld, claim)
        assert [event.payout for event in allocated] == [f"{claim}/{n + 1}" for n in range(len(allocated))]
        numbers = [event.allocation for event in held] + [event.allocation for event in allocated if event.allocation]
        assert len(set(numbers)) == len(numbers)
        given_minor = 0
        for event in allocated:
            given_minor += event.amount_minor
            assert event.allocated_minor == given_minor
            assert event.arithmetic[-1].result_minor == str(event.amount_minor)
        payouts = [event.payout for event in history.of(ClaimPaid, claim)]
        assert len(set(payouts)) == len(payouts)
        held_minor = total(held)
        released = [event.amount_minor for event in allocated if event.allocation is None]
        assert len(released) <= 1
        if released:
            assert sum(released) <= held_minor
        state = history.specification.state.claims[claim]
        if state.status != "filed":
            assert state.payments.held_minor == 0
        else:
            assert state.payments.held_minor <= min(held_minor, state.amount_minor)
