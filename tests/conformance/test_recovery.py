"""The log alone is enough: an engine that reads it knows what the one that wrote it knew, and goes on as it would."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest

from schemas.envelope import Record
from services.kernel.engine import Limits
from services.kernel.fingerprint import fingerprint
from services.kernel.partition import BrokenInvariantError, Partition
from services.kernel.wire import genesis, record_digest
from tests.support.harness import Harness, NewHarness
from tests.support.picture import Picture, decide_again, picture, spelled
from tests.support.schedule import play

ONE_BY_ONE = Limits(inputs_max=1)
NEWER_FACT = b'{"fact_type":"rate.of-another-release.v9","fact_json":"{}"}'
LOGS = ("till.events", "bank.events")
Pictures = dict[tuple[str, int], dict[int, Picture]]


def fresh(harness: Harness, service: str, partition: int) -> Partition:
    """Make a partition that has read nothing."""
    declaration = harness.services[service]
    topics = (declaration.log, *declaration.topics)
    lives = harness.wait(harness.store.incarnations(topics, partition))
    return Partition(harness.space, declaration, partition, lives, fingerprint(declaration))


def play_with_pictures(harness: Harness) -> Pictures:
    """Play the schedule, taking a picture of every engine after each of its commits, by how long its log was then."""
    pictures: Pictures = defaultdict(dict)

    def look(service: str, partition: int) -> None:
        length = len(harness.records(harness.services[service].log, partition))
        pictures[service, partition][length] = picture(harness.engine(service, partition).partition)

    harness.after_step = look
    play(harness)
    return pictures


def test_every_prefix_of_the_log_gives_what_the_engine_knew_then(new_harness: NewHarness) -> None:
    harness = new_harness(limits=ONE_BY_ONE)
    pictures = play_with_pictures(harness)
    for place in harness.places():
        log = harness.records(f"{place[0]}.events", place[1])
        core = fresh(harness, *place)
        seen = 0
        for length, record in enumerate(log, 1):
            core.apply(record)
            known = pictures[place].get(length)
            if known is None:
                assert is_inside_a_transaction(log[length - 1 : length + 1])
            else:
                assert picture(core) == known, f"{place} after {length} records"
                seen += 1
        assert len(log) in pictures[place]
        assert seen >= len(log) - 4


def is_inside_a_transaction(two: list[Record]) -> bool:
    """Tell whether two records are of one input, so that no engine ever knew the first alone."""
    first, second = (dict(record.headers).get("ce_input") for record in two)
    return first is not None and first == second


def test_going_on_from_every_prefix_gives_the_same_records__byte_by_byte(new_harness: NewHarness) -> None:
    harness = new_harness(limits=ONE_BY_ONE)
    pictures = play_with_pictures(harness)
    for service, partition in harness.places():
        log = harness.records(f"{service}.events", partition)
        inputs = {
            topic: {record.offset: record for record in harness.records(topic, partition)}
            for topic in harness.services[service].topics
        }
        for length in sorted(pictures[service, partition]):
            core = fresh(harness, service, partition)
            fold(core, log[:length])
            again = decide_again(core, log[length:], inputs)
            assert again == [spelled(record) for record in log[length:]], f"{service}/{partition} from {length}"


def logs(harness: Harness) -> dict[tuple[str, int], list[Record]]:
    topics = (*LOGS, "till.inbox", "bank.inbox")
    return {(topic, partition): harness.records(topic, partition) for topic in topics for partition in (0, 1)}


@pytest.mark.parametrize("tenth", range(10))
def test_a_restart_after_any_commit_changes_nothing(new_harness: NewHarness, tenth: int) -> None:
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    straight, restarted = new_harness(limits=ONE_BY_ONE), new_harness(limits=ONE_BY_ONE)
    straight.after_step = count
    play(straight)
    cut, steps = steps * tenth // 10 + 1, 0

    def restart(*_: object) -> None:
        count()
        if steps == cut:
            restarted.restart()

    restarted.after_step = restart
    play(restarted)
    assert logs(restarted) == logs(straight)


def test_a_restart_before_every_act_changes_nothing(new_harness: NewHarness) -> None:
    straight, restarted = new_harness(), new_harness()
    play(straight)
    play(restarted, restart_before=frozenset(range(100)))
    assert logs(restarted) == logs(straight)


def test_the_chain_covers_every_record_of_the_log(harness: Harness) -> None:
    play(harness)
    for service, partition in harness.places():
        log = f"{service}.events"
        life = harness.wait(harness.store.incarnations([log], partition))[log]
        chain = genesis(harness.space.name, log, partition, life)
        for record in harness.records(log, partition):
            chain = record_digest(chain, record.key, record.value, record.headers)
            assert dict(record.headers)["ce_chain"] == chain.hex().encode()
        assert harness.engine(service, partition).partition.chain == chain


def test_versions_of_every_aggregate_count_up_from_one(harness: Harness) -> None:
    play(harness)
    for place in harness.places():
        versions: dict[str, list[int]] = defaultdict(list)
        for entry in harness.log(*place):
            versions[entry.key].append(int(entry.headers["ce_sequence"]))
        assert versions
        for held in versions.values():
            assert held == list(range(1, len(held) + 1))


def fold(core: Partition, log: Sequence[Record]) -> None:
    for record in log:
        core.apply(record)


def test_a_log_with_a_missing_or_repeated_record_is_not_folded(harness: Harness) -> None:
    play(harness)
    log = harness.records("till.events", 0)
    for cut in (1, len(log) // 2):
        for broken in (log[:cut] + log[cut + 1 :], log[: cut + 1] + log[cut:]):
            with pytest.raises(BrokenInvariantError, match="has sequence"):
                fold(fresh(harness, "till", 0), broken)


@pytest.mark.parametrize(
    ("wire", "value"),
    [(b"coin.of-another-release.v9", b"{}"), (b"fact.noted.v1", b"{}"), (b"fact.noted.v1", NEWER_FACT)],
    ids=["unknown event", "other content", "unknown fact"],
)
def test_a_log_that_this_release_cannot_read_is_not_folded(harness: Harness, wire: bytes, value: bytes) -> None:
    play(harness)
    record = harness.records("till.events", 0)[-1]
    headers = tuple((name, wire if name == "ce_type" else held) for name, held in record.headers)
    before = harness.engine("till", 0).partition
    sequence = str(before.sequences[(record.key or b"").decode()] + 1).encode()
    headers = tuple((name, sequence if name == "ce_sequence" else held) for name, held in headers)
    with pytest.raises(BrokenInvariantError, match=f"^{record.position}: this release cannot read it"):
        before.apply(record._replace(headers=headers, value=value))


def test_an_input_is_not_decided_again(harness: Harness) -> None:
    play(harness)
    core = harness.engine("till", 0).partition
    with pytest.raises(BrokenInvariantError, match="was decided already"):
        core.decide(harness.records("coins", 0)[0])


def test_a_release_is_announced_once(harness: Harness) -> None:
    play(harness, restart_before=frozenset(range(3, 9)))
    for place in harness.places():
        log = harness.log(*place)
        assert [entry.offset for entry in log if entry.type == "release.started.v1"] == [log[0].offset]
        assert log[0].key == f"partition/{place[1]}"


def test_log_offsets_rise(harness: Harness) -> None:
    play(harness)
    for place in harness.places():
        assert all(before.offset < after.offset for before, after in pairwise(harness.log(*place)))
