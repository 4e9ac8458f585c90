"""A snapshot spares a restart most of the log and never changes an answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.kernel.decider import DecisionService
from services.kernel.engine import Engine
from tests.support.harness import VAULT, Harness, NewHarness
from tests.support.picture import picture
from tests.support.schedule import SCHEDULE
from tests.support.toy import COINS, ChangeRate, Explode, InsertCoin, TillDecider, TillFactsFold, route_till

HALF = len(SCHEDULE) // 2
PLACE = ("till", 0)


@pytest.fixture
def half_way(new_harness: NewHarness) -> Harness:
    """Play half of the schedule, write snapshots, play the other half, and leave no engine."""
    harness = new_harness(snapshots=True)
    for number, act in enumerate(SCHEDULE):
        act(harness)
        harness.run_until_idle()
        if number == HALF:
            write_snapshots(harness)
    harness.restart()
    return harness


def write_snapshots(harness: Harness) -> None:
    for place in harness.places():
        harness.engine(*place).snapshot()


def file_of(harness: Harness, service: str, partition: int) -> Path:
    (path,) = snapshot_folder(harness).glob(f"{service}-{partition}*")
    return path


def snapshot_folder(harness: Harness) -> Path:
    assert harness.snapshots is not None
    return harness.snapshots


def recovered(harness: Harness, place: tuple[str, int], *, snapshots: bool = True) -> Engine:
    engine = harness.new_engine(*place, snapshots=snapshots)
    harness.wait(engine.recover())
    return engine


def assert_ignored(harness: Harness, place: tuple[str, int] = PLACE) -> None:
    """Demand that a recovery reads the whole log, and knows what it says."""
    whole = recovered(harness, place, snapshots=False)
    engine = recovered(harness, place)
    assert engine.recovered_events == whole.recovered_events
    assert picture(engine.partition) == picture(whole.partition)


def test_a_restart_from_a_snapshot_knows_what_a_full_replay_knows__and_reads_only_the_tail(half_way: Harness) -> None:
    for place in half_way.places():
        whole = recovered(half_way, place, snapshots=False)
        engine = recovered(half_way, place)
        assert engine.recovered_events < whole.recovered_events
        assert picture(engine.partition) == picture(whole.partition)
    assert recovered(half_way, PLACE).recovered_events > 0, "there is a tail to read"


def test_going_on_from_a_snapshot_gives_the_same_log(new_harness: NewHarness) -> None:
    straight, restarted = new_harness(), new_harness(snapshots=True)
    for number, act in enumerate(SCHEDULE):
        for harness in (straight, restarted):
            act(harness)
            harness.run_until_idle()
        if number % 3 == 0:
            write_snapshots(restarted)
        if number % 4 == 0:
            restarted.restart()
    for service, partition in straight.places():
        log = f"{service}.events"
        assert restarted.records(log, partition) == straight.records(log, partition)


def test_a_snapshot_right_at_the_end_leaves_nothing_to_read(half_way: Harness) -> None:
    half_way.run_until_idle()
    write_snapshots(half_way)
    for place in half_way.places():
        assert recovered(half_way, place).recovered_events == 0


def cut(content: bytes) -> bytes:
    return content[:-10]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes((content[middle] ^ 1,)) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [cut, flip, lambda content: content + b"\n", lambda _: b"", lambda _: b"\n", lambda _: b"not a snapshot"],
    ids=["cut", "flipped bit", "longer", "empty", "line feed", "something else"],
)
def test_a_damaged_snapshot_is_ignored(half_way: Harness, damage: Callable[[bytes], bytes]) -> None:
    path = file_of(half_way, *PLACE)
    path.write_bytes(damage(path.read_bytes()))
    assert_ignored(half_way)


@pytest.mark.parametrize("other", [("till", 1), ("bank", 0)], ids=["partition", "service"])
def test_a_snapshot_of_another_partition_or_service_is_ignored(half_way: Harness, other: tuple[str, int]) -> None:
    file_of(half_way, *PLACE).write_bytes(file_of(half_way, *other).read_bytes())
    assert_ignored(half_way)


def test_a_snapshot_of_another_release_is_ignored(half_way: Harness) -> None:
    half_way.services["till"] = DecisionService(
        "till", (COINS,), {"till": OtherTillDecider()}, TillFactsFold(), route_till
    )
    assert_ignored(half_way)


class OtherTillDecider(TillDecider):
    """The same decisions from another source file: another release."""


@pytest.mark.parametrize("events", [0, 1, 40], ids=["empty", "shorter", "longer"])
def test_a_snapshot_of_another_history_is_ignored(half_way: Harness, new_harness: NewHarness, events: int) -> None:
    """As when a log was restored from a backup that is older than the snapshots beside it, and went another way."""
    other = new_harness(snapshots=True)
    for number in range(events):
        other.put(InsertCoin(till=other.name_in(0, nth=number % 3), value_minor=number))
        other.put(ChangeRate(rate=number + 2))
        other.run_until_idle()
    snapshot_folder(other).mkdir(parents=True, exist_ok=True)
    for path in snapshot_folder(half_way).iterdir():
        (snapshot_folder(other) / path.name).write_bytes(path.read_bytes())
    other.restart()
    for place in (PLACE, ("bank", other.home(VAULT))):
        assert_ignored(other, place)


def test_nothing_uncommitted_gets_into_a_snapshot(half_way: Harness) -> None:
    till = half_way.name_in(0, nth=5)
    half_way.put(InsertCoin(till=till, value_minor=1))
    half_way.put(Explode(till=till))
    half_way.run_until_idle()
    assert PLACE in half_way.stopped
    write_snapshots(half_way)
    half_way.restart()
    whole, engine = recovered(half_way, PLACE, snapshots=False), recovered(half_way, PLACE)
    assert engine.recovered_events == 0
    assert picture(engine.partition) == picture(whole.partition)
