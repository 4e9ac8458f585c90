"""The embedded log is one file of one process: others may read it, and are told clearly why they may not write."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.envelope import Outgoing
from services.kernel.clock import VirtualClock
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import StoreError
from tests.support.golden import outgoing
from tests.support.harness import START, Harness
from tests.support.schedule import play
from tests.support.stores import SQLITE, Layout, incarnation, sqlite_path
from tests.support.toy import TOPICS, CoinInserted, InsertCoin

CLOCK = VirtualClock(START)
OPEN = """
import sys
from pathlib import Path
from services.kernel.clock import WallClock
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import StoreError

try:
    SqliteStore.open(Path(sys.argv[1]), WallClock())
except StoreError as error:
    print(error)
    sys.exit(3)
"""
READ = """
import asyncio, sys
from pathlib import Path
from services.kernel.clock import WallClock
from services.kernel.sqlite_store import SqliteStore

async def main():
    store = SqliteStore.open_for_reading(Path(sys.argv[1]), WallClock())
    async for records in store.read("coins", int(sys.argv[2]), 1):
        for record in records:
            print(record.value.decode())

asyncio.run(main())
"""
WRITE_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
from services.kernel.clock import WallClock
from services.kernel.sqlite_store import SqliteStore
from services.kernel.wire import input_record

async def main():
    store = SqliteStore.open(Path(sys.argv[1]), WallClock())
    for number in range(50):
        value = b'{"number":%d}' % number
        await store.append([input_record("coins", 0, "k", id=f"i{number}", source="s", wire="w", value=value)])
    os._exit(9)

asyncio.run(main())
"""


def other_process(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A created and closed log."""
    path = tmp_path / "space.sqlite"
    SqliteStore.create(path, "toy", TOPICS, 2, CLOCK, incarnation, {"demo": True}).close()
    return path


def test_a_second_process_is_refused_clearly(path: Path) -> None:
    store = SqliteStore.open(path, CLOCK)
    answer = other_process(OPEN, path)
    assert answer.returncode == 3, answer.stderr
    assert str(path) in answer.stdout
    assert "is in use by process" in answer.stdout
    assert "stop that one first" in answer.stdout
    store.close()
    assert other_process(OPEN, path).returncode == 0


def test_the_same_process_is_refused_too(path: Path) -> None:
    store = SqliteStore.open(path, CLOCK)
    with pytest.raises(StoreError, match="is in use by process"):
        SqliteStore.open(path, CLOCK)
    store.close()


def test_a_second_process_may_read_what_is_committed(tmp_path: Path) -> None:
    with Harness(SQLITE, tmp_path) as harness:
        till = harness.name_in(1)
        for value in (1, 2, 3):
            harness.put(InsertCoin(till=till, value_minor=value))
        path = sqlite_path(Layout(harness.space, (), harness.clock, tmp_path))
        answer = other_process(READ, path, 1)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.splitlines() == [
            InsertCoin(till=till, value_minor=value).to_bytes().decode() for value in (1, 2, 3)
        ]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with Harness(SQLITE, tmp_path) as harness:
        record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=1))
        path = sqlite_path(Layout(harness.space, (), harness.clock, tmp_path))
        reader = SqliteStore.open_for_reading(path, harness.clock)
        for attempt in (lambda: reader.append([record]), lambda: reader.claim("till.events", 0)):
            with pytest.raises(StoreError, match="opened for reading"):
                harness.wait(attempt())
        reader.close()
        assert harness.records("coins", 0) == []


def test_a_reader_sees_every_topic_as_it_was_when_it_opened(tmp_path: Path) -> None:
    with Harness(SQLITE, tmp_path) as harness:
        path = sqlite_path(Layout(harness.space, (), harness.clock, tmp_path))
        reader = SqliteStore.open_for_reading(path, harness.clock)

        async def read(topic: str) -> int:
            return sum([len(records) async for records in reader.read(topic, 0, 1)])

        harness.put(InsertCoin(till=harness.name_in(0), value_minor=1))
        harness.run_until_idle()
        assert [harness.wait(read(topic)) for topic in ("coins", "till.events")] == [0, 0]
        assert harness.wait(reader.end_offsets(0, ["coins"], committed=True)) == {"coins": 1}
        reader.close()


def test_what_a_killed_process_appended_is_there__and_its_lock_is_gone(path: Path) -> None:
    assert other_process(WRITE_AND_DIE, path).returncode == 9
    answer = other_process(READ, path, 0)
    assert answer.stdout.splitlines() == [f'{{"number":{number}}}' for number in range(50)]
    SqliteStore.open(path, CLOCK).close()


def test_a_log_is_not_created_twice(path: Path) -> None:
    with pytest.raises(StoreError, match="exists already"):
        SqliteStore.create(path, "toy", TOPICS, 2, CLOCK, incarnation, {})
    SqliteStore.open(path, CLOCK).close()


def test_what_is_not_there_is_not_opened(tmp_path: Path) -> None:
    for attempt in (SqliteStore.open, SqliteStore.open_for_reading):
        with pytest.raises(StoreError, match="there is no log at"):
            attempt(tmp_path / "none.sqlite", CLOCK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"something else, and longer than a header of SQLite would be" * 9])
def test_what_is_no_log_is_refused__and_its_lock_given_back(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_bytes(content)
    for attempt in (SqliteStore.open, SqliteStore.open_for_reading):
        with pytest.raises(StoreError, match="is not an Adjudex log"):
            attempt(path, CLOCK)
    if content:
        assert path.read_bytes() == content
    path.unlink()
    SqliteStore.create(path, "toy", TOPICS, 2, CLOCK, incarnation, {}).close()


def test_what_it_was_created_with_is_there_again(path: Path) -> None:
    store = SqliteStore.open(path, CLOCK)
    assert (store.space, store.partitions, store.config) == ("toy", 2, {"demo": True})
    store.close()


def test_topics_begin_with_their_marker(tmp_path: Path) -> None:
    with Harness(SQLITE, tmp_path) as harness:
        lives = harness.wait(harness.store.incarnations(TOPICS, 1))
        assert lives == {topic: incarnation(topic) for topic in TOPICS}
        with pytest.raises(StoreError, match="does not begin with its marker"):
            harness.wait(harness.store.incarnations(["nowhere"], 0))


def test_a_lively_log_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    with Harness(SQLITE, tmp_path) as harness:
        play(harness)
        before = {topic: harness.records(topic, 0) for topic in TOPICS}
        harness.restart()
        assert {topic: harness.records(topic, 0) for topic in TOPICS} == before


def limit_pages(harness: Harness, pages: int) -> None:
    """Let the file grow to so many pages, as if the disk were full then."""
    store = harness.store.inner
    assert isinstance(store, SqliteStore)
    store._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_costs_a_commit__and_nothing_that_was_committed(tmp_path: Path) -> None:
    with Harness(SQLITE, tmp_path) as harness:
        till, number = harness.name_in(0), 0
        limit_pages(harness, 40)
        full = False
        while not full:
            try:
                harness.put(InsertCoin(till=till, value_minor=number + 1, note="n" * 1_000))
            except sqlite3.OperationalError as error:
                full = "full" in str(error)
            else:
                number += 1
        assert len(harness.records("coins", 0)) == number
        with pytest.raises(sqlite3.OperationalError, match="full"):
            harness.step("till", 0)
        assert harness.records("till.events", 0) == []
        limit_pages(harness, 100_000)
        harness.run_until_idle()
        assert len(harness.events("till", CoinInserted)) == number


def test_a_record_of_any_bytes_is_read_back_as_it_was(tmp_path: Path) -> None:
    records = [
        Outgoing("coins", 0, None, None, ()),
        Outgoing("coins", 0, b"", b"", (("", b""),)),
        Outgoing("coins", 0, b"\xff", b"\x00" * 9, (("x", b"\xff\x1f"), ("#", b"#"), ("x", b""), ("é", b"a b"))),
        Outgoing("coins", 0, b"k", b"v", (("a", b""), ("", b"b"))),
    ]
    with Harness(SQLITE, tmp_path) as harness:
        harness.append(*records)
        harness.restart()
        assert [outgoing(record) for record in harness.records("coins", 0)] == records
