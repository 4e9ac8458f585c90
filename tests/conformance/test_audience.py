"""A broadcast may concern many aggregates: each decides it once, in bounded transactions, and nothing comes between."""

import pytest

from schemas.envelope import Record
from services.kernel.partition import AUDIENCE_EVENTS
from services.kernel.space import Space
from tests.support.harness import Harness, NewHarness
from tests.support.street import (
    OWNED,
    STREET,
    AskStreet,
    InstallLamp,
    LampInstalled,
    LampLit,
    MeterRead,
    StreetDarkens,
)

SPACE = Space("street", 1, owned=OWNED)
LAMPS = 2 * AUDIENCE_EVENTS + 50


def street(new_harness: NewHarness, lamps: int, partitions: int = 1) -> Harness:
    harness = new_harness(services=(STREET,), space=Space("street", partitions, owned=OWNED))
    harness.append(*(harness.record(InstallLamp(lamp=f"l{number:04}")) for number in range(lamps)))
    harness.run_until_idle()
    return harness


def darken(harness: Harness, night: int) -> None:
    harness.put(AskStreet(wish="dark", night=night))


def test_every_aggregate_concerned_decides_once__in_the_order_of_keys(new_harness: NewHarness) -> None:
    harness = street(new_harness, LAMPS)
    darken(harness, 1)
    harness.run_until_idle()
    lit = [entry for entry in harness.log("street") if isinstance(entry.content, LampLit)]
    assert [entry.key for entry in lit] == [f"lamp/l{number:04}" for number in range(LAMPS)]
    assert len({entry.headers["ce_input"] for entry in lit}) == 1
    assert harness.story("street")[LAMPS : LAMPS + 3] == ["street.darkens.v1", "fact.noted.v1", "lamp.lit.v1"]


def test_a_transaction_is_bounded__and_says_that_more_comes(new_harness: NewHarness) -> None:
    harness = street(new_harness, LAMPS)
    darken(harness, 1)
    lengths: list[int] = []

    def look(_service: str, partition: int) -> None:
        lengths.append(len(harness.records("street.events", partition)))

    harness.after_step = look
    harness.run_until_idle()
    grown = [after - before for before, after in zip([lengths[0], *lengths], lengths, strict=False)]
    assert max(grown) <= AUDIENCE_EVENTS + 2
    says = [entry.headers.get("ce_more") for entry in harness.log("street") if isinstance(entry.content, LampLit)]
    assert says.count(None) == LAMPS - 2 * AUDIENCE_EVENTS + 1
    assert set(says) == {None, f"lamp/l{AUDIENCE_EVENTS - 2:04}", f"lamp/l{2 * AUDIENCE_EVENTS - 2:04}"}


def test_nothing_comes_between__when_inputs_wait(new_harness: NewHarness) -> None:
    harness = street(new_harness, LAMPS)
    darken(harness, 1)
    harness.step("street", 0)
    harness.append(*(harness.record(InstallLamp(lamp=f"m{number}")) for number in range(3)))
    harness.run_until_idle()
    story = harness.story("street")[LAMPS:]
    first = story.index("lamp.lit.v1")
    assert story[first : first + LAMPS] == ["lamp.lit.v1"] * LAMPS
    assert [event.lamp for event in harness.events("street", LampInstalled)][-3:] == ["m0", "m1", "m2"]


def records(harness: Harness) -> list[Record]:
    return harness.records("street.events", 0)


def test_a_restart_between_the_parts_changes_nothing(new_harness: NewHarness) -> None:
    straight, restarted = street(new_harness, LAMPS), street(new_harness, LAMPS)
    for harness in (straight, restarted):
        if harness is restarted:
            harness.after_step = lambda *_: restarted.restart()
        darken(harness, 1)
        harness.run_until_idle()
        harness.put(InstallLamp(lamp="last"))
        darken(harness, 2)
        harness.run_until_idle()
    assert [(record.key, record.value, record.headers) for record in records(restarted)] == [
        (record.key, record.value, record.headers) for record in records(straight)
    ]
    assert len(straight.events("street", LampLit)) == 2 * LAMPS + 1


def test_those_that_have_nothing_to_decide_leave_no_record(new_harness: NewHarness) -> None:
    harness = street(new_harness, 3)
    darken(harness, 2)
    harness.run_until_idle()
    harness.tell("street", StreetDarkens(night=2))
    harness.run_until_idle()
    assert len(harness.events("street", LampLit)) == 3


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_message_to_each_partition_reaches_one_aggregate_in_every_one(
    new_harness: NewHarness, partitions: int
) -> None:
    harness = street(new_harness, 12, partitions)
    harness.put(AskStreet(wish="count", night=1))
    harness.run_until_idle()
    read = [entry for entry in harness.log("street") if isinstance(entry.content, MeterRead)]
    assert sorted(entry.key for entry in read) == [f"meter/{number}" for number in range(partitions)]
    contents = [entry.content for entry in read]
    assert sum(content.lamps for content in contents if isinstance(content, MeterRead)) == 12
    assert {(c.partition, c.partitions) for c in contents if isinstance(c, MeterRead)} == {
        (number, partitions) for number in range(partitions)
    }
