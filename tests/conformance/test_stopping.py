"""A bug stops its partition at the record that shows it, and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from schemas.envelope import Event
from services.kernel.decider import Deadline, DecisionService, Received
from services.kernel.engine import PartitionStoppedError
from services.kernel.records import SetAside
from tests.support.harness import Harness, NewHarness
from tests.support.toy import (
    BANK,
    COINS,
    WINDOW,
    CoinInserted,
    Explode,
    InsertCoin,
    Till,
    TillDecider,
    TillFacts,
    TillFactsFold,
)

TILL = ("till", 0)


def put_a_bug(harness: Harness) -> tuple[str, int]:
    """Put a coin, then what a bug makes of an input, then another coin; return the till and the bug's offset."""
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    bug = harness.put(Explode(till=till), id="bug")
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.put(InsertCoin(till=harness.name_in(1), value_minor=3))
    return till, bug.offset


def values(harness: Harness, partition: int) -> list[int]:
    return [coin.value_minor for coin in harness.events("till", CoinInserted, partition)]


def test_a_bug_stops_the_partition_and_names_the_record(harness: Harness) -> None:
    _, offset = put_a_bug(harness)
    with pytest.raises(PartitionStoppedError, match="the till explodes") as stopped:
        harness.step(*TILL)
    assert stopped.value.position == f"coins/0/{offset}"
    assert harness.engine(*TILL).stopped is stopped.value


def test_everything_before_the_bug_is_committed__and_nothing_after_it(harness: Harness) -> None:
    put_a_bug(harness)
    harness.run_until_idle()
    assert values(harness, 0) == [1]
    assert harness.story("till", 0) == ["coin.inserted.v1"]


def test_other_partitions_and_services_go_on(harness: Harness) -> None:
    put_a_bug(harness)
    harness.run_until_idle()
    assert list(harness.stopped) == [TILL]
    assert values(harness, 1) == [3]
    assert len(harness.story("bank")) == 2


def test_a_stopped_partition_stays_stopped(harness: Harness) -> None:
    put_a_bug(harness)
    for _ in range(3):
        with pytest.raises(PartitionStoppedError):
            harness.step(*TILL)
    assert values(harness, 0) == [1]


def test_a_restart_stops_again_at_the_same_record(harness: Harness) -> None:
    put_a_bug(harness)
    harness.run_until_idle()
    log, position = harness.records("till.events", 0), harness.stopped[TILL].position
    harness.restart()
    harness.run_until_idle()
    assert harness.stopped[TILL].position == position
    assert harness.records("till.events", 0) == log


def test_an_operator_passes_the_record__as_an_event_that_names_the_operator(harness: Harness) -> None:
    _, offset = put_a_bug(harness)
    harness.run_until_idle()
    harness.wait(harness.engine(*TILL).pass_input("coins", offset, operator="ada", reason="explodes, see ticket 5"))
    harness.stopped.clear()
    harness.run_until_idle()
    assert harness.stopped == {}
    assert values(harness, 0) == [1, 2]
    entry = harness.entry_of("till", SetAside)
    assert entry.key == "partition/0"
    aside = entry.content
    assert isinstance(aside, SetAside)
    assert (aside.passed_by, aside.cause, aside.reason) == ("ada", "passed", "explodes, see ticket 5")
    assert aside.position == entry.headers["ce_input"]
    assert aside.position.endswith(f"/0/{offset}")
    harness.restart()
    harness.run_until_idle()
    assert harness.stopped == {}, "the next owner goes past it too"


@pytest.mark.parametrize("off_by", [-1, 1])
def test_only_the_next_input_can_be_passed(harness: Harness, off_by: int) -> None:
    _, offset = put_a_bug(harness)
    harness.run_until_idle()
    with pytest.raises(ValueError, match=f"the next undecided is {offset}"):
        harness.wait(harness.engine(*TILL).pass_input("coins", offset + off_by, operator="ada", reason="x"))
    assert harness.events("till", SetAside) == []


def test_nothing_is_passed__where_everything_is_decided(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=1))
    harness.run_until_idle()
    with pytest.raises(ValueError, match="every input there is decided"):
        harness.wait(harness.engine(*TILL).pass_input("coins", 2, operator="ada", reason="x"))


# --- bugs in other places than a decision about an input


class UnclosingTill(TillDecider):
    """Lets a deadline cause nothing."""

    def decide(self, state: Till, facts: TillFacts, received: Received) -> Sequence[Event]:
        return [] if isinstance(received.content, Deadline) else super().decide(state, facts, received)


class UnfoldableTill(TillDecider):
    """Cannot fold a coin of 13."""

    def evolve(self, state: Till, event: Event) -> Till:
        if isinstance(event, CoinInserted) and event.value_minor == 13:
            raise ZeroDivisionError("thirteen")
        return super().evolve(state, event)


class UntimedTill(TillDecider):
    """Cannot say when a till with 13 in it closes."""

    def deadlines(self, state: Till, facts: TillFacts) -> Iterable[Deadline]:
        if state.total_minor == 14:
            raise ZeroDivisionError("thirteen")
        return super().deadlines(state, facts)


def service_with(decider: TillDecider) -> DecisionService[Any]:
    return DecisionService("till", (COINS,), {"till": decider}, TillFactsFold())


def test_a_deadline_that_stays_open_stops_the_partition(new_harness: NewHarness) -> None:
    harness = new_harness(services=(service_with(UnclosingTill()), BANK))
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    harness.run_until_idle()
    harness.pass_time(2 * WINDOW)
    harness.run_until_idle()
    assert harness.stopped[TILL].position == f"till.events/0 till/{till} deadline close"
    assert "still open" in str(harness.stopped[TILL])
    assert values(harness, 0) == [1]


@pytest.mark.parametrize("decider", [UnfoldableTill(), UntimedTill()], ids=["evolve", "deadlines"])
def test_a_bug_in_folding_stops_the_partition__with_everything_before_committed(
    new_harness: NewHarness, decider: TillDecider
) -> None:
    harness = new_harness(services=(service_with(decider), BANK))
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    bug = harness.put(InsertCoin(till=till, value_minor=13))
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.run_until_idle()
    assert values(harness, 0) == [1]
    assert harness.stopped[TILL].position == f"coins/0/{bug.offset}"
    harness.restart()
    harness.run_until_idle()
    assert harness.stopped[TILL].position == f"coins/0/{bug.offset}"
    harness.wait(harness.engine(*TILL).pass_input("coins", bug.offset, operator="ada", reason="thirteen"))
    harness.stopped.clear()
    harness.run_until_idle()
    assert values(harness, 0) == [1, 2]


def test_a_refusal_of_a_siblings_message_is_a_bug(new_harness: NewHarness) -> None:
    harness = new_harness()
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    message = harness.send("till", f"till/{till}", InsertCoin(till=till, value_minor=0), id="m", since=0)
    harness.run_until_idle()
    assert harness.stopped[TILL].position == f"till.inbox/0/{message.offset}"
    assert "coin.worthless" in str(harness.stopped[TILL])
