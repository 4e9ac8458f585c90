"""What every command promises: help, JSON and nothing else, exit codes, errors that say what to do."""

import json
from pathlib import Path

import pytest

from tests.support.command import adjudex
from tests.unit.cli.spaces import new_data

COMMANDS = [
    ("demo",),
    ("up",),
    ("doctor",),
    ("simulate",),
    ("whois",),
    ("explain",),
    ("reroute",),
    ("rulebook", "lint"),
    ("rulebook", "show"),
    ("rulebook", "diff"),
    ("key", "new"),
    ("key", "list"),
    ("log", "show"),
    ("log", "export"),
    ("log", "verify"),
    ("set-aside", "list"),
    ("set-aside", "show"),
    ("set-aside", "pass"),
    ("set-aside", "redrive"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help__says_what_gives_an_example_and_the_exit_codes(command: tuple[str, ...]) -> None:
    ended = adjudex(*command, "--help")
    assert ended.returncode == 0
    assert "Example" in ended.stdout
    assert f"adjudex {' '.join(command)}" in ended.stdout.split("Example")[1]
    assert "Exit codes: 0 " in ended.stdout
    assert "--json" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 110


@pytest.mark.parametrize(
    "args",
    [
        ("nothing",),
        ("up", "--nothing"),
        ("up", "no-such-file.jsonl"),
        ("up", "--partitions", "0"),
        ("up", "--partitions", "many"),
        ("up", "--space", "a b"),
        ("up", "--root-key", "ABCD"),
        ("up", "--log-level", "loud"),
        ("key", "new", "../x"),
        ("key", "new"),
        ("log", "show"),
        ("log", "verify", "no-such-file.jsonl"),
        ("simulate",),
        ("simulate", "no-such-file.toml"),
        ("rulebook", "lint"),
        ("rulebook", "diff", "house"),
        ("reroute", "governance"),
        ("set-aside", "redrive"),
        ("set-aside", "pass", "claim.filings/0/1"),
        ("set-aside", "pass", "claim.filings/0/1", "--operator", "ada"),
    ],
)
def test_wrong_usage__is_exit_code_2(args: tuple[str, ...]) -> None:
    ended = adjudex(*args)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Usage: " in ended.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("log", "show", "cover/c-1"),
        ("whois", "cover/c-1"),
        ("explain", "cover/c-1"),
        ("reroute", "governance", "--to", "claims"),
        ("set-aside", "redrive", "claim.filings/0/1"),
        ("log", "export"),
        ("log", "verify"),
        ("set-aside", "list"),
        ("set-aside", "show", "claim.filings/0/1"),
        ("set-aside", "pass", "claim.filings/0/1", "--operator", "ada", "--reason", "x"),
    ],
)
def test_no_space__refused_with_what_to_do(args: tuple[str, ...], tmp_path: Path) -> None:
    ended = adjudex(*args, "--data", tmp_path / "none")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"error: there is no space in {tmp_path / 'none'}\n"
        "what to do: create one with `adjudex up`, or name another with --data\n"
    )
    as_json = adjudex(*args, "--data", tmp_path / "none", "--json")
    assert (as_json.returncode, as_json.stdout) == (1, "")
    assert json.loads(as_json.stderr)["error"] == f"there is no space in {tmp_path / 'none'}"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("args", [("log", "show", "scope/main"), ("log", "verify"), ("set-aside", "list"), ("up",)])
def test_damaged_file__refused_with_what_to_do(args: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "space.sqlite").write_bytes(b"this is no database at all" * 100)
    ended = adjudex(*args, "--data", tmp_path)
    assert ended.returncode == 1
    assert "is not an Adjudex log" in ended.stderr
    assert "adjudex doctor" in ended.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("log", "show", "scope/main"),
        ("log", "show", "terms-1"),
        ("log", "export"),
        ("log", "verify"),
        ("set-aside", "list"),
        ("set-aside", "show", "claim.filings/1/1"),
        ("doctor",),
        ("key", "new", "gateway"),
        ("key", "list"),
    ],
)
def test_json__is_json_lines_and_nothing_else(args: tuple[str, ...], tmp_path: Path) -> None:
    data = new_data(tmp_path)
    adjudex("key", "new", "bot", "--data", data)
    ended = adjudex(*args, "--data", data, "--json")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert [type(json.loads(line)) for line in ended.stdout.splitlines()] == [dict] * ended.stdout.count("\n")
    assert ended.stdout


def test_data__is_found_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = new_data(tmp_path / "elsewhere")
    assert adjudex("log", "verify").returncode == 1
    assert adjudex("log", "verify", "--data", elsewhere).returncode == 0
    assert adjudex("log", "verify", environment={"ADJUDEX_DATA": str(elsewhere)}).returncode == 0
    (tmp_path / ".adjudex").symlink_to(elsewhere)
    assert adjudex("log", "verify").returncode == 0
