"""Inputs of one topic are decided as they stand; across topics in the order of `at`."""

import pytest

from services.kernel.engine import Limits
from tests.support.harness import START, VAULT, Harness, NewHarness
from tests.support.toy import WINDOW, ChangeRate, CoinInserted, InsertCoin, RateSet


def test_inputs_of_one_topic_are_decided_in_order(harness: Harness) -> None:
    till = harness.name_in(0)
    for value in (5, 3, 8, 1):
        harness.put(InsertCoin(till=till, value_minor=value))
    harness.run_until_idle()
    coins = harness.events("till", CoinInserted)
    assert [(coin.value_minor, coin.total_minor) for coin in coins] == [(5, 5), (3, 8), (8, 16), (1, 17)]


@pytest.mark.parametrize("order", [("coin", "fact"), ("fact", "coin")])
def test_what_was_appended_first_is_decided_first__across_topics(harness: Harness, order: tuple[str, str]) -> None:
    for what in order:
        if what == "coin":
            harness.put(InsertCoin(till=harness.name_in(0), value_minor=10))
        else:
            harness.tell("till", RateSet(rate=7))
        harness.pass_time(1)
    harness.run_until_idle()
    wires = {"coin": "coin.inserted.v1", "fact": "fact.noted.v1"}
    assert harness.story("till", 0) == [wires[what] for what in order]
    assert harness.events("till", CoinInserted)[0].rate == (1 if order[0] == "coin" else 7)


def test_many_inputs_of_two_topics_are_merged_by_at(harness: Harness) -> None:
    till = harness.name_in(0)
    for number in range(1, 31):
        harness.put(InsertCoin(till=till, value_minor=1))
        harness.pass_time(1)
        harness.tell("till", RateSet(rate=number + 1))
        harness.pass_time(1)
    harness.run_until_idle()
    assert [coin.rate for coin in harness.events("till", CoinInserted)] == list(range(1, 31))
    instants = [entry.at for entry in harness.log("till", 0) if entry.type != "release.started.v1"]
    assert instants == sorted(instants)


def test_a_tie_goes_to_the_inbox__before_public(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=10))
    harness.tell("till", RateSet(rate=7))
    harness.run_until_idle()
    assert harness.story("till", 0) == ["fact.noted.v1", "coin.inserted.v1"]


def test_a_tie_goes_to_the_deadline__before_inbox_and_public(harness: Harness) -> None:
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=10))
    harness.run_until_idle()
    harness.pass_time(WINDOW)
    harness.put(InsertCoin(till=till, value_minor=10))
    harness.tell("till", RateSet(rate=7))
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1"], "what ties with a deadline waits for it"
    harness.pass_time(harness.space.skew)
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1", "till.closed.v1", "fact.noted.v1", "refused.v1"]


def test_what_comes_after_a_deadline_waits_for_it_and_no_longer(harness: Harness) -> None:
    till, other = harness.name_in(0), harness.name_in(0, nth=1)
    harness.put(InsertCoin(till=till, value_minor=10))
    harness.run_until_idle()
    harness.pass_time(WINDOW + 1)
    harness.put(InsertCoin(till=other, value_minor=10))
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1"]
    harness.pass_time(harness.space.skew - 2)
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1"], "one millisecond before due + skew"
    harness.pass_time(1)
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1", "till.closed.v1", "coin.inserted.v1"]


def test_partitions_do_not_wait_for_each_other(harness: Harness) -> None:
    for number in (0, 1):
        harness.put(InsertCoin(till=harness.name_in(number), value_minor=number + 1))
    harness.run_until_idle([("till", 1)])
    assert harness.story("till", 0) == []
    assert harness.story("till", 1) == ["coin.inserted.v1"]


def test_a_long_backlog_is_decided_in_several_transactions__in_order(new_harness: NewHarness) -> None:
    harness = new_harness(limits=Limits(inputs_max=7, fetch_max=10))
    till = harness.name_in(0)
    for value in range(1, 61):
        harness.append(harness.record(InsertCoin(till=till, value_minor=value)))
    harness.tell("till", RateSet(rate=5))
    harness.run_until_idle()
    coins = harness.events("till", CoinInserted)
    assert [coin.value_minor for coin in coins] == list(range(1, 61))
    assert {coin.rate for coin in coins} == {5}, "the fact ties with the coins, so it goes first"


def test_at_never_falls_within_a_topic__when_the_store_clock_is_set_back(harness: Harness) -> None:
    harness.pass_time(50)
    harness.put(ChangeRate(rate=2))
    harness.clock.instant -= 40
    harness.put(ChangeRate(rate=3))
    harness.run_until_idle()
    entries = [entry for entry in harness.log("bank", harness.home(VAULT)) if entry.type == "rate.set.v1"]
    assert [entry.at - START for entry in entries] == [50, 50]
