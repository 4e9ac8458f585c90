"""What the simulation found: each of these once went wrong."""

import pytest

from schemas.instants import DAY, SECOND
from services.kernel.engine import Limits
from services.kernel.records import Refused
from services.kernel.space import DUPLICATE_WINDOW
from tests.support.harness import START, Harness, NewHarness
from tests.support.toy import WINDOW, CoinInserted, InsertCoin, RateSet, TillClosed

TILL = ("till", 0)
DUE = START + WINDOW


def set_clock(harness: Harness, instant: int) -> None:
    """Set the clock, back too: that of another machine, or of this one after a correction."""
    harness.clock.instant = instant


def open_till(harness: Harness, *, nth: int = 0) -> str:
    till = harness.name_in(0, nth=nth)
    harness.put(InsertCoin(till=till, value_minor=1))
    harness.run_until_idle([TILL])
    return till


def closed(harness: Harness) -> dict[str, tuple[int, int]]:
    """Return the total and the instant of every closed till."""
    return {
        entry.key: (entry.content.total_minor, entry.at)
        for entry in harness.log("till", 0)
        if isinstance(entry.content, TillClosed)
    }


def test_a_message_is_decided_before_a_younger_input__though_it_came_after_the_last_fetch_of_its_topic(
    new_harness: NewHarness,
) -> None:
    """The inbox was not fetched again while something of it was left; when that was decided, an input overtook."""
    harness = new_harness(limits=Limits(fetch_max=2))
    open_till(harness)
    harness.pass_time(WINDOW)
    harness.append(*harness.facts("till", RateSet(rate=2)))
    harness.run_until_idle([TILL])
    harness.pass_time(1)
    harness.append(*harness.facts("till", RateSet(rate=7)))
    harness.pass_time(1)
    harness.put(InsertCoin(till=harness.name_in(0, nth=1), value_minor=1))
    harness.pass_time(harness.space.skew)
    harness.run_until_idle([TILL])
    assert harness.events("till", CoinInserted)[-1].rate == 7


def test_a_deadline_on_time_closes_before_what_another_that_is_late_lets_in(harness: Harness) -> None:
    """A late deadline let in all inputs stamped until now, past a younger deadline that then closed at its due time."""
    late = open_till(harness)
    harness.pass_time(30 * SECOND)
    on_time = open_till(harness, nth=1)
    harness.pass_time(WINDOW)
    for till in (late, on_time):
        harness.put(InsertCoin(till=till, value_minor=2))
    harness.pass_time(harness.space.late - 20 * SECOND)
    firing = harness.store.now() - harness.space.skew
    assert DUE + harness.space.late < firing < DUE + 30 * SECOND + harness.space.late
    harness.run_until_idle([TILL])
    assert closed(harness) == {f"till/{on_time}": (1, DUE + 30 * SECOND), f"till/{late}": (3, firing)}
    assert [refused.rule for refused in harness.events("till", Refused)] == ["till.closed"]


def test_a_late_closing_comes_after_what_it_let_in__by_the_clock_of_the_next_owner_too(
    new_harness: NewHarness,
) -> None:
    """The first owner saw it late and let a coin in; the second, by whose clock it is not, closed it as due."""
    harness = new_harness(limits=Limits(inputs_max=1))
    till = open_till(harness)
    harness.pass_time(WINDOW + harness.space.late)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.pass_time(harness.space.skew + 1)
    harness.step(*TILL)
    assert len(harness.events("till", CoinInserted)) == 2
    harness.restart()
    set_clock(harness, harness.store.now() - harness.space.skew + 1)
    harness.run_until_idle([TILL])
    assert closed(harness) == {}, "it waits until it is late for certain"
    harness.pass_time(harness.step(*TILL).due - harness.store.now())  # type: ignore[operator]
    harness.run_until_idle([TILL])
    ((total, at),) = closed(harness).values()
    assert total == 3
    assert at > max(entry.at for entry in harness.log("till", 0) if isinstance(entry.content, CoinInserted))


def test_a_late_closing_comes_after_what_it_let_in__by_a_clock_that_is_behind(new_harness: NewHarness) -> None:
    """By the second owner's clock the deadline was late as well, but not yet as late as the coin that was let in."""
    harness = new_harness(limits=Limits(inputs_max=1))
    till = open_till(harness)
    harness.pass_time(10 * WINDOW)
    harness.put(InsertCoin(till=till, value_minor=2))
    coin_at = harness.store.now()
    harness.pass_time(harness.space.skew + 1)
    harness.step(*TILL)
    harness.restart()
    set_clock(harness, harness.store.now() - harness.space.skew + 1)
    harness.pass_time(harness.step(*TILL).due - harness.store.now())  # type: ignore[operator]
    harness.run_until_idle([TILL])
    assert closed(harness) == {f"till/{till}": (3, coin_at + 1)}


@pytest.mark.parametrize("is_another", [False, True], ids=["the same owner", "the next owner"])
def test_what_was_passed_over_as_late__is_not_closed_as_due_after_a_younger_one(
    new_harness: NewHarness, is_another: bool
) -> None:
    """By one clock the older deadline was late, so the younger one came first; by one behind it, it closed as due."""
    harness = new_harness(limits=Limits(inputs_max=1))
    older = open_till(harness)
    harness.pass_time(SECOND)
    younger = open_till(harness, nth=1)
    harness.pass_time(WINDOW - SECOND + harness.space.late + harness.space.skew + SECOND // 2)
    harness.step(*TILL)
    assert list(closed(harness).values()) == [(1, DUE + SECOND)]
    if is_another:
        harness.restart()
    set_clock(harness, harness.store.now() - SECOND)
    harness.run_until_idle([TILL])
    assert f"till/{older}" not in closed(harness), "it waits until it is late for certain"
    harness.pass_time(harness.step(*TILL).due - harness.store.now())  # type: ignore[operator]
    harness.run_until_idle([TILL])
    assert [*closed(harness)] == [f"till/{younger}", f"till/{older}"]
    assert closed(harness)[f"till/{older}"][1] > DUE + harness.space.late


def test_nothing_is_stamped_before_a_late_closing_that_comes_after_it(harness: Harness) -> None:
    """A late deadline counted at the owner's own time; a broker whose clock is behind stamped a coin before that."""
    till = open_till(harness)
    harness.pass_time(10 * WINDOW)
    harness.run_until_idle([TILL])
    set_clock(harness, harness.store.now() - harness.space.skew + 1)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.run_until_idle([TILL])
    ((_, closed_at),) = closed(harness).values()
    (refused,) = [entry for entry in harness.log("till", 0) if isinstance(entry.content, Refused)]
    assert refused.at >= closed_at


def test_an_id_is_remembered_to_the_end__though_something_else_is_stamped_a_little_later(harness: Harness) -> None:
    """Recovery forgot ids older than the window before the newest stamp; the next input may be stamped before that."""
    till = harness.name_in(0)
    coin = harness.record(InsertCoin(till=till, value_minor=0), id="c")
    harness.append(coin)
    harness.run_until_idle([TILL])
    set_clock(harness, START + DUPLICATE_WINDOW + harness.space.skew - 1)
    harness.append(*harness.facts("till", RateSet(rate=2)))
    harness.run_until_idle([TILL])
    set_clock(harness, START + DUPLICATE_WINDOW)
    harness.append(coin)
    harness.restart()
    harness.run_until_idle([TILL])
    assert [passed.fate for passed in harness.passed("till", 0)] == ["duplicate"]
    harness.pass_time(DAY)
    harness.append(coin)
    harness.run_until_idle([TILL])
    assert len(harness.events("till", Refused)) == 2
