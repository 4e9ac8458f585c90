"""A commit happens as a whole or not at all, and whatever the doubt, every input has one effect."""

import pytest

from schemas.envelope import Outgoing
from services.kernel.store import Outcome, StoreError
from services.kernel.wire import message_record
from tests.support.faulty_store import BrokenStoreError, Fault
from tests.support.harness import Harness, NewHarness
from tests.support.toy import InsertCoin, RateSet, TillTotal

TILL = ("till", 0)
NOT_HAPPENED = (Fault.UNKNOWN_BEFORE, Fault.RAISES_BEFORE, Fault.TOO_LARGE)


def put_some(harness: Harness) -> None:
    """Two coins, a refused one, a fact and a repeat: log records, messages, and a fate without a record."""
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=4), id="first")
    harness.pass_time(1)
    harness.put(InsertCoin(till=till, value_minor=0), id="worthless")
    harness.tell("till", RateSet(rate=3))
    harness.put(InsertCoin(till=till, value_minor=5), id="second")
    harness.put(InsertCoin(till=till, value_minor=4), id="first")


def try_step(harness: Harness) -> None:
    """Step the till once; the store may raise."""
    try:
        harness.step(*TILL)
    except BrokenStoreError:
        assert True


@pytest.mark.parametrize("fault", NOT_HAPPENED, ids=lambda fault: fault.name.lower())
def test_a_commit_that_does_not_happen_leaves_nothing(harness: Harness, fault: Fault) -> None:
    put_some(harness)
    harness.store.faults.append(fault)
    try_step(harness)
    assert harness.records("till.events", 0) == []
    assert [harness.records("bank.inbox", number) for number in (0, 1)] == [[], []]
    owner = harness.new_engine(*TILL)
    harness.wait(owner.recover())
    assert set(owner.partition.next_offsets.values()) == {0}


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("commits_before", [0, 1, 2])
def test_every_input_has_one_effect__whatever_happens_to_a_commit(
    new_harness: NewHarness, fault: Fault, commits_before: int
) -> None:
    harness, undisturbed = new_harness(), new_harness()
    for each in (harness, undisturbed):
        for till in (each.name_in(0, nth=2), each.name_in(0, nth=3)):
            each.put(InsertCoin(till=till, value_minor=1))
            each.run_until_idle()
        put_some(each)
    undisturbed.run_until_idle()
    harness.restart()
    again = () if fault is Fault.TOO_LARGE else (fault,)
    harness.store.faults += [*[None] * commits_before, fault, *again]
    for _ in range(commits_before + 3):
        for place in harness.places():
            try:
                harness.step(*place)
            except BrokenStoreError:
                assert "RAISES" in fault.name
    harness.run_until_idle()
    for topic in ("till.events", "bank.inbox"):
        for number in (0, 1):
            assert told(harness, topic, number) == told(undisturbed, topic, number)


def told(harness: Harness, topic: str, partition: int) -> list[tuple[bytes | None, bytes | None]]:
    """Return keys and values: with smaller transactions, the fates that share a record may be shared out otherwise."""
    return [(record.key, record.value) for record in harness.records(topic, partition)]


def test_a_commit_that_is_too_large_is_tried_again_with_one_input(harness: Harness) -> None:
    put_some(harness)
    harness.store.faults.append(Fault.TOO_LARGE)
    for decided in (0, 1):
        assert harness.step(*TILL).decided == decided
    harness.run_until_idle()
    assert len(harness.records("till.events", 0)) == 6


def test_one_input_that_is_too_large_stops_the_partition__and_nothing_is_committed(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=1))
    harness.store.faults += [Fault.TOO_LARGE] * 10
    harness.run_until_idle([TILL])
    assert "too large for the store" in str(harness.stopped[TILL])
    assert harness.records("till.events", 0) == []
    assert harness.records("bank.inbox", 0) == harness.records("bank.inbox", 1) == []
    harness.restart()
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1"], "a store that takes it"


def test_nothing_half_decided_is_kept__when_the_store_fails_in_the_middle_of_a_batch(new_harness: NewHarness) -> None:
    harness, undisturbed = new_harness(), new_harness()
    put_some(harness)
    put_some(undisturbed)
    undisturbed.run_until_idle()

    def fail() -> None:
        harness.store.before_end_offsets = None
        raise BrokenStoreError

    harness.store.before_end_offsets = fail
    with pytest.raises(BrokenStoreError):
        harness.step(*TILL)
    harness.run_until_idle()
    assert harness.records("till.events", 0) == undisturbed.records("till.events", 0)


def test_a_commit_with_a_message_to_nowhere_leaves_nothing(harness: Harness) -> None:
    def message(topic: str, partition: int) -> Outgoing:
        value = TillTotal(till="a", total_minor=1).to_bytes()
        return message_record(topic, partition, "vault/main", "m", TillTotal.wire, value, "/toy/till", "c", "c", 0)

    claim = harness.wait(harness.store.claim("till.events", 0))
    log, good = message("till.events", 0), message("bank.inbox", 0)
    for bad in (message("nowhere", 0), message("bank.inbox", 9)):
        with pytest.raises(StoreError):
            harness.wait(harness.store.commit(claim, [log], [good, bad], {"coins": 1}))
        assert harness.records("till.events", 0) == []
        assert harness.records("bank.inbox", 0) == []
    outcome, _ = harness.wait(harness.store.commit(claim, [log], [good], {"coins": 1}))
    assert outcome is Outcome.OK
    assert len(harness.records("till.events", 0)) == len(harness.records("bank.inbox", 0)) == 1


def test_an_append_with_a_record_to_nowhere_leaves_nothing(harness: Harness) -> None:
    good = harness.record(InsertCoin(till=harness.name_in(0), value_minor=1))
    with pytest.raises(StoreError):
        harness.append(good, good._replace(partition=9))
    assert harness.records("coins", 0) == []
