"""Before a deadline fires and before a refusal is committed, what was appended with a smaller `at` comes first."""

import pytest

from tests.support.harness import START, Harness
from tests.support.toy import WINDOW, ChangeRate, CoinInserted, InsertCoin, RateSet, TillClosed

TILL = ("till", 0)
ENOUGH = 5


def open_till(harness: Harness) -> str:
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    harness.run_until_idle()
    return till


def test_a_coin_appended_after_the_fetch_and_before_the_due_time_is_decided_before_the_deadline(
    harness: Harness,
) -> None:
    till = open_till(harness)
    harness.pass_time(WINDOW - 1)
    coin = harness.record(InsertCoin(till=till, value_minor=2))

    async def append_just_in_time() -> None:
        await harness.store.append([coin])
        harness.pass_time(1 + harness.space.skew)

    harness.store.after_fetch = append_just_in_time
    harness.run_until_idle([TILL])
    assert harness.story("till", 0) == ["coin.inserted.v1", "coin.inserted.v1", "till.closed.v1"]
    assert harness.events("till", TillClosed) == [TillClosed(total_minor=3, closed_at=START + WINDOW)]


def test_the_instant_of_a_late_firing_is_fixed_once__and_what_came_before_it_is_decided_before(
    harness: Harness,
) -> None:
    till = open_till(harness)
    harness.pass_time(10 * WINDOW)
    coin = harness.record(InsertCoin(till=till, value_minor=2))

    async def append_just_in_time() -> None:
        await harness.store.append([coin])
        harness.pass_time(1 + harness.space.skew)

    harness.store.after_fetch = append_just_in_time
    harness.step(*TILL)
    firing = harness.store.now() - harness.space.skew
    assert harness.story("till", 0) == ["coin.inserted.v1"]
    harness.pass_time(1)
    harness.put(InsertCoin(till=till, value_minor=4))
    harness.run_until_idle([TILL])
    assert harness.story("till", 0) == ["coin.inserted.v1", "coin.inserted.v1", "till.closed.v1", "refused.v1"]
    assert harness.events("till", TillClosed) == [TillClosed(total_minor=3, closed_at=firing)]


def test_a_fact_appended_after_the_fetch_of_an_input_is_decided_before_its_refusal(harness: Harness) -> None:
    open_till(harness)
    race_with_a_fact(harness)
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=0))
    harness.run_until_idle([TILL])
    assert harness.story("till", 0) == ["coin.inserted.v1", "fact.noted.v1", "refused.v1"]


def test_nothing_is_waited_for__where_nothing_is_refused(harness: Harness) -> None:
    open_till(harness)
    race_with_a_fact(harness)
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=5))
    harness.run_until_idle([TILL])
    assert harness.story("till", 0) == ["coin.inserted.v1", "coin.inserted.v1", "fact.noted.v1"]


def race_with_a_fact(harness: Harness) -> None:
    """Append a fact right after the next fetch, at the same instant: it ties with what was fetched, and goes first."""
    fact = harness.facts("till", RateSet(rate=7))

    async def append() -> None:
        await harness.store.append(fact)

    harness.store.after_fetch = append


@pytest.mark.parametrize("later", [WINDOW + 2_000, 10 * WINDOW], ids=["on time", "late"])
def test_no_deadline_fires__while_an_earlier_message_is_invisible(holding_harness: Harness, later: int) -> None:
    harness = holding_harness
    open_till(harness)
    harness.holding.hold_back("till.inbox", 0)
    harness.put(ChangeRate(rate=7))
    harness.run_until_idle([("bank", 0), ("bank", 1)])
    harness.pass_time(later)
    for _ in range(ENOUGH):
        assert harness.step(*TILL).more
    assert harness.story("till", 0) == ["coin.inserted.v1"]
    harness.holding.release()
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1", "fact.noted.v1", "till.closed.v1"]


def test_no_refusal_is_committed__while_an_earlier_message_is_invisible(holding_harness: Harness) -> None:
    harness = holding_harness
    open_till(harness)
    harness.holding.hold_back("till.inbox", 0)
    harness.put(ChangeRate(rate=7))
    harness.run_until_idle([("bank", 0), ("bank", 1)])
    harness.pass_time(1)
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=0))
    for _ in range(ENOUGH):
        assert harness.step(*TILL).more
    assert harness.story("till", 0) == ["coin.inserted.v1"]
    harness.holding.release()
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1", "fact.noted.v1", "refused.v1"]


def test_a_message_that_is_invisible_in_one_partition_holds_up_no_other(holding_harness: Harness) -> None:
    harness = holding_harness
    harness.holding.hold_back("till.inbox", 0)
    harness.put(ChangeRate(rate=7))
    harness.run_until_idle([("bank", 0), ("bank", 1)])
    harness.pass_time(1)
    for number in (0, 1):
        harness.put(InsertCoin(till=harness.name_in(number), value_minor=1))
    for _ in range(ENOUGH):
        harness.step("till", 0)
        harness.step("till", 1)
    assert harness.story("till", 0) == []
    assert harness.story("till", 1) == ["fact.noted.v1", "coin.inserted.v1"]
    harness.holding.release()
    harness.run_until_idle()
    assert harness.story("till", 0) == ["fact.noted.v1", "coin.inserted.v1"]
    assert {coin.rate for coin in harness.events("till", CoinInserted)} == {7}
