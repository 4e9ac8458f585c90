"""One owner at a time: whoever claims a log partition fences the owner before."""

from services.kernel.engine import Engine
from services.kernel.store import Outcome
from tests.support.harness import Harness
from tests.support.toy import CoinInserted, InsertCoin

TILL = ("till", 0)


def two_owners(harness: Harness) -> tuple[Engine, Engine, str]:
    """Return the older owner, that has decided one coin, and a newer one."""
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    older, newer = harness.new_engine(*TILL), harness.new_engine(*TILL)
    harness.wait(older.step())
    harness.wait(newer.recover())
    return older, newer, till


def test_the_older_owner_commits_nothing(harness: Harness) -> None:
    older, _, till = two_owners(harness)
    before = harness.records("till.events", 0), harness.records("bank.inbox", 0), harness.records("bank.inbox", 1)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.wait(older.step())
    after = harness.records("till.events", 0), harness.records("bank.inbox", 0), harness.records("bank.inbox", 1)
    assert after == before


def test_the_newer_owner_goes_on_where_the_older_stopped(harness: Harness) -> None:
    older, newer, till = two_owners(harness)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.wait(older.step())
    harness.wait(newer.step())
    assert [coin.total_minor for coin in harness.events("till", CoinInserted)] == [1, 3]


def test_the_older_owner_can_come_back_by_recovering(harness: Harness) -> None:
    older, newer, till = two_owners(harness)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.wait(newer.step())
    harness.put(InsertCoin(till=till, value_minor=3))
    assert harness.wait(older.step()).more, "it was fenced, and says that there is something to do"
    harness.wait(older.step())
    assert [coin.total_minor for coin in harness.events("till", CoinInserted)] == [1, 3, 6]
    harness.put(InsertCoin(till=till, value_minor=4))
    harness.wait(newer.step())
    assert [coin.total_minor for coin in harness.events("till", CoinInserted)] == [1, 3, 6], "now the other is fenced"
    harness.wait(newer.step())
    assert [coin.total_minor for coin in harness.events("till", CoinInserted)] == [1, 3, 6, 10]


def test_two_owners_that_take_turns_decide_every_input_once(harness: Harness) -> None:
    till = harness.name_in(0)
    owners = [harness.new_engine(*TILL), harness.new_engine(*TILL)]
    for value in range(1, 13):
        harness.put(InsertCoin(till=till, value_minor=value))
        for _ in range(2):
            harness.wait(owners[value % 2].step())
    assert [coin.value_minor for coin in harness.events("till", CoinInserted)] == list(range(1, 13))
    assert [coin.total_minor for coin in harness.events("till", CoinInserted)][-1] == sum(range(1, 13))


def test_partitions_have_owners_of_their_own(harness: Harness) -> None:
    first = harness.wait(harness.store.claim("till.events", 0))
    harness.wait(harness.store.claim("till.events", 1))
    harness.wait(harness.store.claim("bank.events", 0))
    assert harness.wait(harness.store.commit(first, [], [], {"coins": 1})).outcome is Outcome.OK
    second = harness.wait(harness.store.claim("till.events", 0))
    assert harness.wait(harness.store.commit(first, [], [], {"coins": 2})).outcome is Outcome.FENCED
    assert harness.wait(harness.store.commit(second, [], [], {"coins": 2})).outcome is Outcome.OK


def test_a_claim_survives_a_restart_of_the_store_by_no_more_than_its_epoch(harness: Harness) -> None:
    before = harness.wait(harness.store.claim("till.events", 0))
    harness.restart()
    after = harness.wait(harness.store.claim("till.events", 0))
    assert after.epoch > before.epoch
    assert harness.wait(harness.store.commit(before, [], [], {"coins": 1})).outcome is Outcome.FENCED
