"""Laws over random histories of one payout."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event, Message
from schemas.payouts import PayoutConfirmed, PayoutInstructed, PayoutRetried, PayoutSubmitted, ReceiptInput
from tests.unit.payouts.examples import REQUEST, START, asked, confirmed, failed, resume, submitted

attempts = st.sampled_from((1, 1, 1, 2, 2, 3))
receipts: st.SearchStrategy[ReceiptInput] = st.one_of(
    st.builds(submitted, attempts, st.sampled_from(["0x1", "0x2"])),
    st.builds(confirmed, attempts, st.sampled_from(["0x1", "0x2"]), amount_minor=st.sampled_from([1_000, 1])),
    st.builds(failed, attempts),
    st.builds(resume, attempts),
)
inputs: st.SearchStrategy[Message | None] = st.one_of(receipts, st.just(REQUEST), st.none())


@given(st.lists(inputs, min_size=5, max_size=40))
def test_history__pays_once_and_attempts_count_up(history: list[Message | None]) -> None:
    specification, at = asked().when(REQUEST, at=START), START
    events: list[Event] = [*specification.events]
    for content in history:
        if content is not None:
            specification.when(content, at=at)
        elif specification.deadlines():
            at = specification.deadlines()[0].due
            specification.fire()
        else:
            continue
        events += specification.events
    instructed = [event.attempt for event in events if isinstance(event, PayoutInstructed | PayoutRetried)]
    assert instructed == list(range(1, len(instructed) + 1))
    assert sum(isinstance(event, PayoutConfirmed) for event in events) <= 1
    assert _after_confirmation(events) <= {"refused.v1", "receipt.flagged.v1"}
    sent = [event.attempt for event in events if isinstance(event, PayoutSubmitted)]
    assert len(set(sent)) == len(sent)


def _after_confirmation(events: list[Event]) -> set[str]:
    wires = [event.wire for event in events]
    return set(wires[wires.index("payout.confirmed.v1") + 1 :]) if "payout.confirmed.v1" in wires else set()
