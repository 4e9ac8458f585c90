"""A deadline counts at its due time; when nobody could act for long, skew before it fires, and eats no input."""

import pytest

from schemas.instants import SECOND, format_instant
from services.kernel.records import Refused
from tests.support.faulty_store import Fault
from tests.support.harness import START, Harness
from tests.support.toy import WINDOW, CoinInserted, InsertCoin, RateHeard, RateTold, TillClosed

DUE = START + WINDOW


def open_till(harness: Harness, *, nth: int = 0) -> str:
    """Put a coin into a till of partition 0 at START, and have it decided."""
    till = harness.name_in(0, nth=nth)
    harness.put(InsertCoin(till=till, value_minor=1))
    harness.run_until_idle()
    return till


def closings(harness: Harness) -> list[tuple[int, int]]:
    """List totals and instants of closed tills, as offsets from the due time of the first."""
    entries = [entry for entry in harness.log("till") if isinstance(entry.content, TillClosed)]
    for entry in entries:
        assert isinstance(entry.content, TillClosed)
        assert entry.at == entry.content.closed_at
    closed = [entry.content for entry in entries if isinstance(entry.content, TillClosed)]
    return [(content.total_minor, content.closed_at - DUE) for content in closed]


def test_a_deadline_fires_no_earlier_than_due_and_skew(harness: Harness) -> None:
    open_till(harness)
    harness.pass_time(WINDOW + harness.space.skew - 1)
    harness.run_until_idle()
    assert closings(harness) == []
    harness.pass_time(1)
    harness.run_until_idle()
    assert closings(harness) == [(1, 0)]


def test_a_step_says_when_something_falls_due(harness: Harness) -> None:
    open_till(harness)
    assert harness.step("till", 0).due == DUE + harness.space.skew
    assert harness.step("till", 1).due is None
    harness.pass_time(2 * WINDOW)
    harness.run_until_idle()
    assert harness.step("till", 0).due is None


@pytest.mark.parametrize(("delay", "instant"), [(0, 0), (1, 0), ("late", 0), ("late+1", 1)])
def test_a_deadline_counts_when_due__and_when_it_fires_once_late(
    harness: Harness, delay: int | str, instant: int
) -> None:
    late = harness.space.late
    after_due = {"late": late, "late+1": late + 1}.get(str(delay), 0)
    open_till(harness)
    harness.pass_time(WINDOW + after_due + harness.space.skew)
    harness.run_until_idle()
    assert closings(harness) == [(1, instant and after_due)]


def test_what_was_stamped_before_the_due_time_is_decided_before__however_late_it_is_read(harness: Harness) -> None:
    till = open_till(harness)
    harness.pass_time(WINDOW - 1)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.pass_time(1)
    harness.put(InsertCoin(till=till, value_minor=4))
    harness.pass_time(harness.space.late)
    harness.run_until_idle()
    assert closings(harness) == [(3, 0)]
    assert [refused.rule for refused in harness.events("till", Refused)] == ["till.closed"]


def test_an_outage_longer_than_the_window_eats_nobodys_input(harness: Harness) -> None:
    till = harness.name_in(0)
    for _ in range(5):
        harness.put(InsertCoin(till=till, value_minor=1))
        harness.pass_time(WINDOW)
    harness.run_until_idle()
    firing = harness.store.now() - harness.space.skew
    assert closings(harness) == [(5, firing - DUE)], "all five stood in the topic before anybody could close"
    harness.put(InsertCoin(till=till, value_minor=1))
    harness.run_until_idle()
    assert [refused.rule for refused in harness.events("till", Refused)] == ["till.closed"]


def test_an_outage_between_inputs_eats_nobodys_input(harness: Harness) -> None:
    till = open_till(harness)
    harness.pass_time(10 * WINDOW)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.pass_time(10 * WINDOW)
    harness.restart()
    harness.run_until_idle()
    assert closings(harness) == [(3, harness.store.now() - harness.space.skew - DUE)]


def test_deadlines_fire_in_order_of_due__ties_by_key(harness: Harness) -> None:
    names = [harness.name_in(0, nth=nth) for nth in range(12)]
    for till in reversed(names[:11]):
        harness.put(InsertCoin(till=till, value_minor=1))
    harness.pass_time(1)
    harness.put(InsertCoin(till=names[11], value_minor=1))
    harness.pass_time(WINDOW + harness.space.skew)
    harness.run_until_idle()
    closed = [entry.key for entry in harness.log("till") if entry.type == "till.closed.v1"]
    assert closed == [*sorted(f"till/{till}" for till in names[:11]), f"till/{names[11]}"]


def test_a_late_deadline_counts_after_one_that_is_on_time(harness: Harness) -> None:
    late, on_time = open_till(harness), harness.name_in(0, nth=1)
    harness.pass_time(55 * SECOND)
    harness.put(InsertCoin(till=on_time, value_minor=1))
    harness.run_until_idle()
    harness.pass_time(WINDOW + harness.space.skew + 6 * SECOND)
    harness.run_until_idle()
    closed = [entry for entry in harness.log("till", 0) if entry.type == "till.closed.v1"]
    assert [(entry.key, entry.at - DUE) for entry in closed] == [
        (f"till/{on_time}", 55 * SECOND),
        (f"till/{late}", 61 * SECOND),
    ]


def test_a_deadline_names_itself_as_its_cause__and_fires_once(harness: Harness) -> None:
    open_till(harness)
    harness.pass_time(WINDOW + harness.space.skew)
    harness.run_until_idle()
    harness.restart()
    harness.pass_time(WINDOW)
    harness.run_until_idle()
    entry = harness.entry_of("till", TillClosed)
    assert entry.headers["ce_input"] == f"deadline/close/{format_instant(DUE)}"
    assert "ce_sender" not in entry.headers
    assert harness.step("till", 0).due is None


def test_a_deadline_that_was_not_committed_fires_again__after_a_restart(harness: Harness) -> None:
    open_till(harness)
    harness.pass_time(WINDOW + harness.space.skew)
    harness.store.faults.append(Fault.UNKNOWN_BEFORE)
    harness.step("till", 0)
    assert closings(harness) == []
    harness.restart()
    harness.run_until_idle()
    assert closings(harness) == [(1, 0)]


def test_the_window_of_a_late_decided_input_starts_at_its_at(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=1))
    harness.pass_time(30 * SECOND)
    harness.run_until_idle()
    (coin,) = harness.events("till", CoinInserted)
    assert coin.closes_at == DUE


@pytest.mark.parametrize(
    ("since", "expected"),
    [(0, 0), (1, -1), ("late", "since"), ("late+1", 0), (-5, 0)],
    ids=["now", "just before", "late", "later than late", "future"],
)
def test_durations_of_a_message_start_when_its_cause_was_decided__unless_that_was_long_ago(
    harness: Harness, since: int | str, expected: int | str
) -> None:
    late = harness.space.late
    before = {"late": late, "late+1": late + 1}.get(str(since), since)
    assert isinstance(before, int)
    till = harness.name_in(0)
    harness.send("till", f"till/{till}", RateTold(till=till, rate=2), id="m", since=START - before)
    harness.run_until_idle()
    entry = harness.entry_of("till", RateHeard)
    assert entry.at == START
    offset = -late if expected == "since" else expected
    assert entry.headers.get("ce_since", format_instant(START)) == format_instant(START + int(offset))
