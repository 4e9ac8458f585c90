"""An id is unique within stream, key and sender: for 7 days of `at` a repeat is named a duplicate of the first."""

import pytest

from schemas.instants import DAY
from services.kernel.records import PassedInput, Refused
from tests.support.harness import VAULT, Harness
from tests.support.toy import (
    ChangeRate,
    CoinInserted,
    Explode,
    InsertCoin,
    RateHeard,
    RateSet,
    RateTold,
    TillTotal,
    TotalNoted,
)

WEEK = 7 * DAY


def duplicates(harness: Harness, service: str) -> list[tuple[str | None, str | None]]:
    """List ids of duplicates and the positions they repeat."""
    return [(passed.id, passed.of) for passed in harness.passed(service) if passed.fate == "duplicate"]


def rates(harness: Harness) -> list[int]:
    return [event.rate for event in harness.events("bank", RateSet)]


@pytest.mark.parametrize("later", [0, 1, WEEK])
def test_a_repeat_within_7_days_is_a_duplicate_of_the_first(harness: Harness, later: int) -> None:
    first = harness.put(ChangeRate(rate=3), id="r")
    harness.put(ChangeRate(rate=4), id="s")
    harness.run_until_idle()
    harness.pass_time(later)
    harness.put(ChangeRate(rate=3), id="r")
    harness.run_until_idle()
    assert rates(harness) == [3, 4]
    assert duplicates(harness, "bank") == [("r", str(first))]


def test_an_id_is_free_after_7_days(harness: Harness) -> None:
    harness.put(ChangeRate(rate=3), id="r")
    harness.put(ChangeRate(rate=4), id="s")
    harness.run_until_idle()
    harness.pass_time(WEEK + 1)
    second = harness.put(ChangeRate(rate=3), id="r")
    harness.run_until_idle()
    assert rates(harness) == [3, 4, 3]
    harness.pass_time(WEEK)
    harness.put(ChangeRate(rate=3), id="r")
    harness.run_until_idle()
    assert duplicates(harness, "bank") == [("r", str(second))], "the second use counts from its own `at`"


def test_the_window_counts_at__not_when_it_is_decided(harness: Harness) -> None:
    harness.put(ChangeRate(rate=3), id="r")
    harness.put(ChangeRate(rate=4), id="s")
    harness.pass_time(WEEK)
    harness.put(ChangeRate(rate=3), id="r")
    harness.pass_time(3 * WEEK)
    harness.run_until_idle()
    assert rates(harness) == [3, 4]


def test_repeats_in_one_batch_are_duplicates(harness: Harness) -> None:
    first = harness.put(ChangeRate(rate=3), id="r")
    for _ in range(3):
        harness.put(ChangeRate(rate=3), id="r")
    harness.run_until_idle()
    assert rates(harness) == [3]
    assert duplicates(harness, "bank") == [("r", str(first))] * 3


def test_a_repeat_is_known__after_a_restart(harness: Harness) -> None:
    first = harness.put(ChangeRate(rate=3), id="r")
    refused = harness.put(ChangeRate(rate=3), id="refused")
    harness.run_until_idle()
    harness.restart()
    for id_ in ("r", "refused"):
        harness.put(ChangeRate(rate=3), id=id_)
    harness.run_until_idle()
    assert rates(harness) == [3]
    assert duplicates(harness, "bank") == [("r", str(first)), ("refused", str(refused))]


def test_the_same_id_with_other_content_is_refused(harness: Harness) -> None:
    first = harness.put(ChangeRate(rate=3), id="r")
    harness.put(ChangeRate(rate=4), id="r")
    harness.run_until_idle()
    entry = harness.entry_of("bank", Refused)
    assert isinstance(entry.content, Refused)
    assert entry.content.rule == "input.id-reused"
    assert entry.content.value == f"id r with other content than {first}"
    assert entry.key == f"partition/{harness.home(VAULT)}"
    assert rates(harness) == [3]
    harness.put(ChangeRate(rate=3), id="r")
    harness.run_until_idle()
    assert duplicates(harness, "bank") == [("r", str(first))], "the refused one did not take the id over"


def test_a_refusal_uses_up_the_id(harness: Harness) -> None:
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1), id="good")
    first = harness.put(InsertCoin(till=till, value_minor=0), id="w")
    harness.put(InsertCoin(till=till, value_minor=0), id="w")
    harness.put(InsertCoin(till=till, value_minor=5), id="w")
    harness.run_until_idle()
    assert [refused.rule for refused in harness.events("till", Refused)] == ["coin.worthless", "input.id-reused"]
    assert duplicates(harness, "till") == [("w", str(first))]


def test_a_refusal_for_unknown_does_not_use_up_the_id(harness: Harness) -> None:
    till = harness.name_in(0)
    harness.put(Explode(till=till), id="e")
    harness.run_until_idle()
    harness.restart()
    harness.put(Explode(till=till), id="e")
    harness.put(InsertCoin(till=till, value_minor=5), id="e")
    harness.run_until_idle()
    assert [refused.rule for refused in harness.events("till", Refused)] == ["till.unknown", "till.unknown"]
    assert [coin.coin for coin in harness.events("till", CoinInserted)] == ["e"]
    assert duplicates(harness, "till") == []


def test_an_id_is_unique_within_its_key_and_stream(harness: Harness) -> None:
    here, beside = harness.name_in(0), harness.name_in(0, nth=1)
    for till in (here, beside):
        harness.put(InsertCoin(till=till, value_minor=5), id="same")
    harness.put(ChangeRate(rate=2), id="same")
    harness.run_until_idle()
    assert len(harness.events("till", CoinInserted)) == 2
    assert rates(harness) == [2]


def test_another_source_changes_nothing__where_the_sender_is_proven(harness: Harness) -> None:
    first = harness.put(ChangeRate(rate=3), id="r", source="/here")
    harness.put(ChangeRate(rate=3), id="r", source="/there")
    harness.run_until_idle()
    assert duplicates(harness, "bank") == [("r", str(first))]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_siblings_message_is_decided_once(harness: Harness, restarted: bool) -> None:
    till = harness.name_in(1)
    told = RateTold(till=till, rate=9)
    harness.send("till", f"till/{till}", told, id="m", since=harness.store.now())
    harness.send("till", f"till/{till}", RateTold(till=till, rate=8), id="n", since=harness.store.now())
    harness.run_until_idle()
    if restarted:
        harness.restart()
    harness.send("till", f"till/{till}", told, id="m", since=harness.store.now())
    harness.run_until_idle()
    assert [heard.rate for heard in harness.events("till", RateHeard)] == [9, 8]
    assert [passed.fate for passed in harness.passed("till")] == ["duplicate"]


@pytest.mark.parametrize("restarted", [False, True])
def test_what_had_no_effect_is_remembered_too(harness: Harness, restarted: bool) -> None:
    till = harness.name_in(0)
    for number, total in enumerate((1, 1, 2)):
        message = total_of(till, total)
        harness.send("bank", VAULT, message, id=f"m{number}", since=harness.store.now())
    harness.run_until_idle()
    if restarted:
        harness.restart()
    harness.send("bank", VAULT, total_of(till, 1), id="m1", since=harness.store.now())
    harness.run_until_idle()
    assert [noted.total_minor for noted in harness.events("bank", TotalNoted)] == [1, 2]
    no_effect, duplicate = harness.passed("bank")
    assert (no_effect.fate, duplicate.fate) == ("no-effect", "duplicate")
    assert position_of(no_effect, harness) == duplicate.of


def total_of(till: str, total_minor: int) -> TillTotal:
    return TillTotal(till=till, total_minor=total_minor)


def position_of(passed: PassedInput, harness: Harness) -> str:
    """Spell the position of a passed inbox message."""
    life = harness.wait(harness.store.incarnations(["bank.inbox"], 0))["bank.inbox"]
    return f"bank.inbox@{life}/{harness.home(VAULT)}/{passed.offset}"
