import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.halts import Halt, Halts, noted, passed
from schemas.instants import DAY, LAST, format_instant
from tests.unit.claims.examples import (
    EVENT,
    GRACE_END,
    HOUR,
    LISTED,
    OPEN,
    covered,
    decided,
    filing,
    halted,
    knowing,
    opened,
    published,
    withdrawing,
)
from tests.unit.claims.pool_examples import (
    CUT_OFF,
    POOLED,
    SETTLED,
    sold,
)

HALT = Halt(10, 15)


def halts_of(*facts: object) -> Halts:
    halts: Halts = ()
    for fact in facts:
        halts = noted(halts, fact)  # type: ignore[arg-type]
    return halts


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        (0, 10, 10),  # over when the halt begins
        (0, 11, 16),
        (10, 1, 16),  # begins with the halt
        (12, 1, 16),  # begins in it
        (12, 0, 12),
        (15, 1, 16),  # begins when it is over
        (15, 0, 15),
        (20, 5, 25),
    ],
)
def test_passed__counts_time_outside_a_halt(start: int, span: int, end: int) -> None:
    assert passed(start, span, (HALT,)) == end


def test_passed__one_halt_may_bring_the_next_into_the_window() -> None:
    assert passed(0, 11, (HALT, Halt(16, 20))) == 16
    assert passed(0, 12, (HALT, Halt(16, 20))) == 21


def test_passed__ends_at_the_last_instant() -> None:
    assert passed(LAST - 5, 3, (Halt(LAST - 4, LAST),)) == LAST


@given(st.lists(st.integers(0, 40), max_size=8, unique=True), st.integers(0, 40), st.integers(0, 20))
def test_passed__is_what_counting_each_millisecond_gives(instants: list[int], start: int, span: int) -> None:
    ends = iter(sorted(instants))
    halts = tuple(Halt(begin, end) for begin, end in zip(ends, ends, strict=False))
    at, left = start, span
    while left:
        left -= not any(halt.effective_at <= at < halt.until for halt in halts)
        at += 1
    assert passed(start, span, halts) == at


def test_noted__halts_are_in_order_and_end_when_opened() -> None:
    assert halts_of(halted(10, 15), halted(20, 30)) == (Halt(10, 15), Halt(20, 30))
    assert halts_of(halted(20, 30), halted(10, 15)) == (Halt(10, 15), Halt(20, 30))
    assert halts_of(halted(10, 15), halted(20, 30), opened(20, 21)) == (Halt(10, 15), Halt(20, 21))


def test_noted__halt_opened_before_it_takes_effect_never_was() -> None:
    assert halts_of(halted(10, 15), opened(10, 10)) == ()
    assert halts_of(halted(10, 15), opened(10, 5)) == ()


def test_noted__opening_of_no_halt_changes_nothing() -> None:
    assert halts_of(halted(10, 15), opened(11, 12)) == (HALT,)


def test_filing__grace_goes_on_after_a_halt() -> None:
    facts = knowing(published(), LISTED, decided(), halted(GRACE_END - DAY, GRACE_END - DAY + HOUR))
    refused = covered(facts).when(filing(), at=GRACE_END + HOUR).then_refused("claim.grace-ended")
    assert format_instant(GRACE_END + HOUR) in refused.accepted
    covered(facts).when(filing(), at=GRACE_END + HOUR - 1).then_types("claim.filed.v1")
    (event,) = covered(facts).when(filing(), at=OPEN).when(withdrawing(), at=OPEN).events
    assert event.next.due_at == GRACE_END + HOUR  # type: ignore[attr-defined]


def test_filing__not_before_waits_for_the_length_of_a_halt() -> None:
    facts = knowing(published(), LISTED, decided(), halted(EVENT + DAY, EVENT + DAY + HOUR))
    refused = covered(facts).when(filing(), at=OPEN + HOUR - 1).then_refused("claim.too-early")
    assert refused.not_before == OPEN + HOUR
    covered(facts).when(filing(), at=OPEN + HOUR).then_types("claim.filed.v1")


def test_filing__cut_off_goes_on_after_a_halt() -> None:
    facts = knowing(published(SETTLED), POOLED, decided(), halted(CUT_OFF - DAY, CUT_OFF - DAY + HOUR))
    content = filing(cover="main.1")
    refused = sold(facts).when(content, at=CUT_OFF + HOUR).then_refused("claim.cut-off-passed")
    assert format_instant(CUT_OFF + HOUR) in refused.accepted
    sold(facts).when(content, at=CUT_OFF + HOUR - 1).then_types("claim.filed.v1")


def test_filing__halt_of_another_product_moves_nothing() -> None:
    facts = knowing(published(), LISTED, decided(), halted(GRACE_END - DAY, GRACE_END, product="Q"))
    covered(facts).when(filing(), at=GRACE_END).then_refused("claim.grace-ended")


def test_filing__halt_that_was_opened_early_moves_less() -> None:
    begin = GRACE_END - DAY
    facts = knowing(published(), LISTED, decided(), halted(begin, begin + HOUR), opened(begin, begin + 1))
    covered(facts).when(filing(), at=GRACE_END + 1).then_refused("claim.grace-ended")
    covered(facts).when(filing(), at=GRACE_END).then_types("claim.filed.v1")
