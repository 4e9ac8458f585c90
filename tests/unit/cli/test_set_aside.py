"""What could not be read: listed, and shown with its bytes."""

import json
from pathlib import Path

import pytest

from tests.support.command import adjudex
from tests.unit.cli.spaces import TERMS, new_data

WHERE = "claim.filings/1/1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_data(tmp_path_factory.mktemp("set-aside"))


def test_list__names_each_with_its_cause(data: Path) -> None:
    listed = json.loads(adjudex("set-aside", "list", "--data", data, "--json").stdout)
    assert listed["position"] == f"claim.filings@{'0' * 16}/1/1"
    assert (listed["id"], listed["cause"], listed["size_bytes"], listed["passed_by"]) == ("junk", "not-json", 2, None)
    said = adjudex("set-aside", "list", "--data", data).stdout.splitlines()
    assert said[0] == f"set-aside  {WHERE}  2 bytes  2023-11-14T22:13:24.000Z"
    assert said[1] == "           cause     not-json"


@pytest.mark.parametrize("position", [WHERE, f"claim.filings@{'0' * 16}/1/1", "log"])
def test_show__gives_the_original_bytes(position: str, data: Path) -> None:
    listed = json.loads(adjudex("set-aside", "list", "--data", data, "--json").stdout)
    named = listed["log_position"] if position == "log" else position
    shown = json.loads(adjudex("set-aside", "show", named, "--data", data, "--json").stdout)
    assert bytes.fromhex(shown["value_hex"]) == b"{\xff"
    assert shown["headers"]["ce_id"] == "junk"
    assert "           value     hex 7bff\n" in adjudex("set-aside", "show", named, "--data", data).stdout


@pytest.mark.parametrize("position", ["governance.actions/0/1", "claim.filings/1/9", "claim.filings/0/0"])
def test_show__of_anything_else_refused(position: str, data: Path) -> None:
    ended = adjudex("set-aside", "show", position, "--data", data)
    assert ended.returncode == 1
    assert f"nothing at {position} was set aside" in ended.stderr


@pytest.mark.parametrize("command", ["show", "pass"])
def test_no_position__refused_with_what_one_looks_like(command: str, data: Path) -> None:
    more = ("--operator", "ada", "--reason", "x") if command == "pass" else ()
    ended = adjudex("set-aside", command, "claim.filings", "--data", data, *more)
    assert ended.returncode == 1
    assert "a position is topic/partition/offset" in ended.stderr


@pytest.mark.parametrize(
    ("position", "wrong"),
    [
        (WHERE, f"does not stop at {WHERE}: nothing stops it"),
        ("governance.actions/0/77", "nothing stops it"),
        ("claims.events/0/1", "nothing is decided from claims.events"),
        ("claim.filings/7/1", "there is no partition 7"),
    ],
)
def test_pass__of_what_stops_nothing_refused(position: str, wrong: str, data: Path) -> None:
    before = adjudex("log", "verify", "--data", data).stdout
    ended = adjudex("set-aside", "pass", position, "--data", data, "--operator", "ada", "--reason", "why not")
    assert ended.returncode == 1
    assert wrong in ended.stderr
    assert adjudex("log", "verify", "--data", data).stdout == before


def test_nothing_set_aside__says_so(tmp_path: Path) -> None:
    data = new_data(tmp_path, (TERMS,))
    assert adjudex("set-aside", "list", "--data", data).stdout == "nothing was set aside\n"
    assert adjudex("set-aside", "list", "--data", data, "--json").stdout == ""
