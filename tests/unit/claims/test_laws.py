"""Laws over random histories of one cover."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.claims import ClaimApproved, ClaimFiled, ClaimPaid
from schemas.envelope import Event, Message
from schemas.rulebook import Outcome
from tests.unit.claims.examples import (
    LISTED,
    OPEN,
    adding,
    covered,
    decided,
    filing,
    knowing,
    published,
    reducing,
    registration,
    ruling,
    transferred,
    withdrawing,
)

INCIDENTS = [f"P/{number}" for number in range(1, 6)]
FACTS = knowing(published(), LISTED, *(decided(incident) for incident in INCIDENTS))
STEPS = ("file", "file", "file", "rule", "rule", "rule", "pay", "pay", "add", "reduce", "withdraw", "register")
amounts = st.integers(10, 100)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(("accept", "accept", "accept", "deny", "draw"))


class History:
    """A cover of 100 and its siblings as they may behave.

    They rule and pay at any time and more than once, on the amount that was filed, however often it was reduced.
    """

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.specification = covered(FACTS)
        self.events: list[Event] = []
        self.filed: dict[str, int] = {}
        self.approved: dict[str, int] = {}

    def step(self) -> None:
        self.specification.when(self._input(), at=OPEN)
        for event in self.specification.events:
            self.events.append(event)
            if isinstance(event, ClaimFiled):
                self.filed[event.claim] = event.amount_minor
            elif isinstance(event, ClaimApproved):
                self.approved[event.claim] = event.amount_minor

    def _input(self) -> Message:
        draw = self.data.draw
        step = draw(st.sampled_from(STEPS)) if self.filed else "file"
        if step == "file":
            return filing(incident=draw(st.sampled_from(INCIDENTS)), amount_minor=draw(amounts))
        claim = self.specification.state.open
        if claim is None or draw(st.booleans()):
            claim = draw(st.sampled_from(sorted(self.filed)))
        inputs: dict[str, Message] = {
            "add": adding(draw(st.integers(1, 4)), claim=claim),
            "reduce": reducing(draw(amounts), claim=claim),
            "withdraw": withdrawing(claim=claim),
            "rule": ruling(draw(outcomes), self.filed[claim], claim),
            "pay": transferred(self.approved.get(claim, self.filed[claim]), claim),
            "register": registration(amount_minor=1_000),
        }
        return inputs[step]


@given(st.data())
def test_paid_on_a_cover__never_above_its_amount(data: st.DataObject) -> None:
    history = History(data)
    for _ in range(data.draw(st.integers(5, 30))):
        history.step()
    paid = [event for event in history.events if isinstance(event, ClaimPaid)]
    paid_minor = sum(event.amount_minor for event in paid)
    assert paid_minor <= sum(history.approved.values()) <= 100
    assert len({event.claim for event in paid}) == len(paid), "a claim is paid once"
    assert all(event.amount_minor == history.approved[event.claim] for event in paid)
    assert all(amount_minor <= history.filed[claim] for claim, amount_minor in history.approved.items())
    if paid:
        assert paid[-1].remaining_minor == 100 - paid_minor


@given(st.data())
def test_claims__are_numbered_and_settle_an_incident_once(data: st.DataObject) -> None:
    history = History(data)
    for _ in range(data.draw(st.integers(5, 30))):
        history.step()
    assert list(history.filed) == [f"C-1/{number + 1}" for number in range(len(history.filed))]
    claims = history.specification.state.claims
    settled = [claims[claim].incident for claim in history.approved]
    assert len(set(settled)) == len(settled)
    assert sum(claim.status == "filed" for _, claim in claims.sorted_items()) <= 1
