"""Every offset of every input has exactly one fate, and the log says which."""

from collections import Counter

from services.kernel.records import InputsPassed
from services.kernel.space import RECORD_BYTES_MAX
from tests.support.fates import fates
from tests.support.harness import VAULT, Harness
from tests.support.schedule import play
from tests.support.toy import ChangeRate, InsertCoin


def test_every_offset_of_every_input_has_exactly_one_fate(harness: Harness) -> None:
    play(harness)
    for service, partition in harness.places():
        told = fates(harness.log(service, partition))
        stored = [
            (topic, record.offset)
            for topic in harness.services[service].topics
            for record in harness.records(topic, partition)
        ]
        assert Counter((topic, offset) for topic, offset, _ in told) == Counter(stored)


def test_the_lively_run_has_every_fate(harness: Harness) -> None:
    """Or else the test above would prove little."""
    play(harness)
    told = {fate for place in harness.places() for _, _, fate in fates(harness.log(*place))}
    assert told >= {
        "coin.inserted.v1",
        "duplicate",
        "fact.noted.v1",
        "forwarded",
        "input.set-aside.v1",
        "no-effect",
        "rate.heard.v1",
        "rate.set.v1",
        "refused.v1",
        "total.noted.v1",
    }


def test_fates_stand_in_the_order_of_decisions(harness: Harness) -> None:
    play(harness)
    for service, partition in harness.places():
        for topic in harness.services[service].topics:
            offsets = [offset for named, offset, _ in fates(harness.log(service, partition)) if named == topic]
            assert offsets == sorted(offsets)


def test_fates_stand_in_the_order_of_decisions__in_one_transaction(harness: Harness) -> None:
    till = harness.name_in(0)
    for id_ in ("a", "a", "b", "b", "c", "c", "d"):
        harness.put(InsertCoin(till=till, value_minor=1), id=id_)
    harness.step("till", 0)
    told = [fate for _, _, fate in fates(harness.log("till", 0))]
    assert told == ["coin.inserted.v1", *["duplicate", "coin.inserted.v1"] * 3]


def test_fates_that_need_much_room_are_told_in_several_records(harness: Harness) -> None:
    """Or else an outsider with long ids could make a record that is larger than records may be."""
    change = harness.record(ChangeRate(rate=2), id="\N{PILE OF POO}" * 512)
    harness.append(*[change] * 700)
    harness.run_until_idle()
    assert harness.stopped == {}
    index = harness.home(VAULT)
    told = fates(harness.log("bank", index))
    assert Counter(fate for _, _, fate in told) == {"rate.set.v1": 1, "duplicate": 699}
    records = [
        record
        for record in harness.records("bank.events", index)
        if ("ce_type", InputsPassed.wire.encode()) in record.headers
    ]
    assert len(records) > 1
    assert all(len(record.value or b"") <= RECORD_BYTES_MAX for record in records)
