"""A broadcast reaches the facts of every partition, and what follows from it arrives after it."""

import pytest

from schemas.envelope import Record
from schemas.instants import format_instant
from services.kernel.records import FactNoted
from services.kernel.space import Space
from tests.support.harness import OWNED, START, VAULT, Harness, NewHarness
from tests.support.toy import ChangeRate, InsertCoin, RateHeard, RateSet, TotalNoted

INBOXES = ("till.inbox", "bank.inbox")


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_a_broadcast_reaches_the_facts_of_every_partition(new_harness: NewHarness, partitions: int) -> None:
    harness = new_harness(space=Space("toy", partitions, owned=OWNED))
    harness.put(ChangeRate(rate=7))
    harness.run_until_idle()
    for number in range(partitions):
        facts = harness.engine("till", number).partition.facts
        assert facts.rate == 7
        assert [entry.key for entry in harness.log("till", number) if isinstance(entry.content, FactNoted)] == [
            f"facts/{number}"
        ]


@pytest.mark.parametrize("partition", [0, 1])
def test_what_follows_from_a_broadcast_arrives_after_it(harness: Harness, partition: int) -> None:
    till = harness.name_in(partition)
    for rate in (7, 8):
        harness.put(ChangeRate(rate=rate, tell=till))
    harness.run_until_idle()
    assert harness.story("till", partition) == ["fact.noted.v1", "rate.heard.v1"] * 2
    assert harness.events("till", RateHeard) == [RateHeard(rate=rate, known_rate=rate) for rate in (7, 8)]


def test_a_broadcast_is_in_the_log_as_it_was_sent(harness: Harness) -> None:
    position = harness.put(ChangeRate(rate=7), id="public")
    harness.run_until_idle()
    sent = harness.entry_of("bank", RateSet)
    for number in (0, 1):
        (noted,) = [entry for entry in harness.log("till", number) if isinstance(entry.content, FactNoted)]
        assert isinstance(noted.content, FactNoted)
        assert (noted.content.fact_type, noted.content.fact_json) == ("rate.set.v1", '{"rate":7}')
        assert noted.headers["ce_correlationid"] == "public"
        assert noted.headers["ce_sender"] == "/toy/bank"
    assert sent.headers["ce_causationid"] == "public"
    assert sent.headers["ce_input"] == str(position)


def test_messages_carry_the_instant_their_cause_was_decided(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=5))
    harness.pass_time(250)
    harness.run_until_idle([("till", 0)])
    harness.pass_time(250)
    harness.run_until_idle()
    noted = harness.entry_of("bank", TotalNoted)
    assert noted.key == VAULT
    assert noted.at == START + 250, "when the message was appended"
    assert noted.headers["ce_since"] == format_instant(START), "the `at` of the coin"


def test_ids_of_events_and_messages_are_the_same_in_every_run(new_harness: NewHarness) -> None:
    runs = []
    for harness in (new_harness(), new_harness()):
        harness.put(ChangeRate(rate=7, tell=harness.name_in(1)))
        harness.put(InsertCoin(till=harness.name_in(0), value_minor=5))
        harness.run_until_idle()
        runs.append(
            [dict(record.headers)["ce_id"] for topic in INBOXES for record in inbox(harness, topic)]
            + [entry.headers["ce_id"].encode() for service in ("till", "bank") for entry in harness.log(service)]
        )
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == len(runs[0])


def inbox(harness: Harness, topic: str) -> list[Record]:
    return [record for number in (0, 1) for record in harness.records(topic, number)]
