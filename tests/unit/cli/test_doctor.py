"""What the doctor finds, and what it says to do."""

import json
import re
import sqlite3
import time
from pathlib import Path

from tests.support.command import adjudex
from tests.unit.cli.spaces import LINES, TERMS, new_data

HOUR = 3_600_000
CHECKS = [
    "python",
    "libraries",
    "data",
    "disk",
    "lock",
    "file",
    "space",
    "clock",
    "markers",
    "undecided",
    "stopped",
    "snapshots",
]


def examined(data: Path, code: int) -> dict[str, tuple[str, str, str]]:
    """Examine a directory and return status, finding and advice by check."""
    ended = adjudex("doctor", "--data", data, "--json")
    report = json.loads(ended.stdout)
    assert ended.returncode == code, report
    assert report["healthy"] is (code == 0)
    for check in report["checks"]:
        assert bool(check["todo"]) is (check["status"] != "ok"), check
    return {check["name"]: (check["status"], check["what"], check["todo"]) for check in report["checks"]}


def test_nothing_there__warned_of(tmp_path: Path) -> None:
    found = examined(tmp_path / "none", 0)
    assert found["python"][0] == found["libraries"][0] == "ok"
    assert found["data"][0] == "warn"
    assert "`adjudex up` creates one" in found["data"][2]


def test_all_well__every_check_is_ok(tmp_path: Path) -> None:
    found = examined(new_data(tmp_path), 0)
    assert {name: status for name, (status, _, _) in found.items()} == dict.fromkeys(CHECKS, "ok")
    assert found["space"][1] == "unit, 2 partitions"
    assert found["stopped"][1] == "none of 14 partitions"


def test_text__one_aligned_line_a_check(tmp_path: Path) -> None:
    said = adjudex("doctor", "--data", new_data(tmp_path)).stdout
    assert "ok    space        unit, 2 partitions\n" in said
    assert "ok    undecided    every input is decided\n" in said
    assert {line[:6] for line in said.splitlines()} <= {"ok    ", "      "}


def test_undecided_inputs__warned_of_with_the_oldest(tmp_path: Path) -> None:
    status, what, todo = examined(new_data(tmp_path, LINES, decide=False), 0)["undecided"]
    assert status == "warn"
    assert "1 undecided, the oldest of 2023-11-14T22:13:2" in what
    assert todo == "`adjudex up` decides them"


def test_clock_that_went_back__fails(tmp_path: Path) -> None:
    ahead = time.time_ns() // 1_000_000 + 5 * HOUR
    status, what, todo = examined(new_data(tmp_path, (TERMS,), start=ahead), 1)["clock"]
    assert status == "fail"
    assert re.search(r"the clock went back by (5h|4h59m\d+s)$", what)
    assert "no deadline fires" in todo


def test_damaged_page__fails(tmp_path: Path) -> None:
    data = new_data(tmp_path)
    file = data / "space.sqlite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    file.write_bytes(content)
    status, what, todo = examined(data, 1)["file"]
    assert status == "fail"
    assert what
    assert "restore the directory from a copy" in todo


def test_no_database__fails(tmp_path: Path) -> None:
    (tmp_path / "space.sqlite").write_bytes(b"x" * 5_000)
    assert examined(tmp_path, 1)["file"][0] == "fail"


def test_marker_gone__fails(tmp_path: Path) -> None:
    data = new_data(tmp_path)
    with sqlite3.connect(data / "space.sqlite") as connection:
        connection.execute("UPDATE records SET headers = x'' WHERE position = 0 AND part = 1 AND topic = 3")
    connection.close()
    status, what, _ = examined(data, 1)["markers"]
    assert status == "fail"
    assert "/1 does not begin with its marker" in what


def test_changed_event__stops_its_partition(tmp_path: Path) -> None:
    data = new_data(tmp_path)
    with sqlite3.connect(data / "space.sqlite") as connection:
        connection.execute(
            "UPDATE records SET value = '{' WHERE position > 1 AND CAST(headers AS TEXT) LIKE '%stake.terms-set.v1%'"
        )
    connection.close()
    status, what, todo = examined(data, 1)["stopped"]
    assert status == "fail"
    assert what.startswith("stopped at ")
    assert todo
